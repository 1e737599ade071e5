package org.vse.job.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;
import org.vse.scheduler.submit.UserCommands;
import org.vse.scheduler.submit.UserJob;
import org.vse.scheduler.submit.Wanted;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Jobs of the host's batch system, whatever that is: the same options and the same output everywhere. */
final class SubmitCommands {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private SubmitCommands() {}

    /** The batch system that is spoken to. */
    private static final class Front {
        @Option(
                names = "--scheduler",
                paramLabel = "NAME",
                description = "slurm, gridengine, openpbs or torque; found by its commands when not given.")
        private @Nullable String scheduler;

        private UserCommands commands(Context context) {
            String path = context.environment().getOrDefault("PATH", "");
            if (scheduler != null) {
                return UserCommands.Kind.of(scheduler)
                        .map(UserCommands.Kind::commands)
                        .orElseThrow(() -> VseException.of(ErrorCode.USAGE, "'" + scheduler + "' is not a batch system")
                                .fact("allowed", String.join(", ", UserCommands.Kind.words())));
            }
            List<UserCommands.Kind> found = UserCommands.Kind.on(
                    program -> CommandRunner.find(program, path).isPresent());
            if (found.size() == 1) {
                return found.get(0).commands();
            }
            throw VseException.of(
                            ErrorCode.USAGE,
                            found.isEmpty()
                                    ? "there is no batch system on this host"
                                    : "this host has several batch systems")
                    .fact(
                            found.isEmpty() ? "looked for" : "found",
                            String.join(
                                    ", ",
                                    (found.isEmpty() ? List.of(UserCommands.Kind.values()) : found)
                                            .stream()
                                                    .map(kind -> kind.commands().word() + " (" + kind.witness() + ")")
                                                    .toList()))
                    .next(found.isEmpty() ? "vse run JOB.SH runs it here and now" : "say which: --scheduler NAME");
        }
    }

    /** As the user who calls: with all of the environment, which batch systems hand on to the job. */
    private static CommandResult run(Context context, List<String> argv) {
        return context.runner()
                .run(Command.of(argv)
                        .withEnv(context.environment())
                        .withCwd(context.directory())
                        .withTimeout(PATIENCE));
    }

    @CommandLine.Command(
            name = "submit",
            description = {
                "Submits a job script to the batch system of this host and prints the job's id.",
                "What follows the script is the batch system's own options; after '--' come the script's arguments."
            },
            footer = {
                "%nExamples:",
                "  vse submit examples/jobs/hello.sh",
                "  vse submit --queue batch --walltime 1:00:00 job.sh",
                "  vse submit job.sh -N2 -n2 -- input.dat     (Slurm's own -N and -n)"
            })
    static final class Submit implements Callable<Integer> {
        private final Context context;

        @Mixin
        private final Front front = new Front();

        @Option(names = "--name", paramLabel = "NAME", description = "Name of the job.")
        private @Nullable String name;

        @Option(names = "--queue", paramLabel = "QUEUE", description = "Queue or partition.")
        private @Nullable String queue;

        @Option(names = "--account", paramLabel = "ACCOUNT", description = "Who is charged.")
        private @Nullable String account;

        @Option(names = "--output", paramLabel = "FILE", description = "Standard output of the job.")
        private @Nullable String output;

        @Option(names = "--error", paramLabel = "FILE", description = "Standard error of the job.")
        private @Nullable String error;

        @Option(names = "--walltime", paramLabel = "H:MM:SS", description = "Limit of the run.")
        private @Nullable String walltime;

        @Option(names = "--wait", description = "Waits for the end; the exit code is then the job's.")
        private boolean wait;

        @Parameters(index = "0", paramLabel = "JOB.SH", description = "The job script.")
        private String script = "";

        @Parameters(index = "1..*", paramLabel = "OPTION", description = "Options of the batch system, -- ARGUMENT…")
        private List<String> rest = List.of();

        Submit(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException, InterruptedException {
            UserCommands commands = front.commands(context);
            CommandResult result = run(context, commands.submit(wanted()));
            if (!result.stderr().isEmpty()) {
                context.io().say(result.stderr().stripTrailing());
            }
            if (result.exitCode() != 0) {
                return result.exitCode();
            }
            String id = commands.id(result.stdout())
                    .orElseThrow(() -> VseException.of(
                                    ErrorCode.COMMAND_FAILED, commands.word() + " did not say the id of the job")
                            .fact("said", result.stdout().strip()));
            context.io().say("vse: submitted to " + commands.word());
            context.io().print(id);
            return wait ? await(context, commands, id) : 0;
        }

        private Wanted wanted() {
            if (walltime != null && !walltime.matches("[0-9]{1,5}:[0-5][0-9]:[0-5][0-9]")) {
                throw VseException.of(ErrorCode.USAGE, "'" + walltime + "' is not a limit of time")
                        .fact("allowed", "hours, minutes and seconds such as 1:30:00");
            }
            int end = rest.indexOf("--");
            return new Wanted(
                    script,
                    end < 0 ? List.of() : rest.subList(end + 1, rest.size()),
                    Optional.ofNullable(name),
                    Optional.ofNullable(queue),
                    Optional.ofNullable(account),
                    Optional.ofNullable(output),
                    Optional.ofNullable(error),
                    Optional.ofNullable(walltime),
                    end < 0 ? rest : rest.subList(0, end));
        }
    }

    @CommandLine.Command(
            name = "wait",
            description = "Waits for the end of a job of the batch system; the exit code is the job's.",
            footer = {"%nExamples:", "  vse wait \"$(vse submit job.sh)\""})
    static final class Wait implements Callable<Integer> {
        private final Context context;

        @Mixin
        private final Front front = new Front();

        @Parameters(paramLabel = "JOB", description = "Id of the job, as 'vse submit' has printed it.")
        private String job = "";

        Wait(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws InterruptedException {
            return await(context, front.commands(context), job);
        }
    }

    private static int await(Context context, UserCommands commands, String id) throws InterruptedException {
        if (!id.matches("[0-9][A-Za-z0-9._\\[\\]-]*")) {
            throw VseException.of(ErrorCode.USAGE, "'" + id + "' is not the id of a job");
        }
        CountDownLatch never = new CountDownLatch(1);
        int unknownSeconds = 0;
        while (true) {
            Optional<UserJob.Status> status = status(context, commands, id);
            if (status.isEmpty() && unknownSeconds >= commands.settlesWithin()) {
                throw VseException.of(ErrorCode.JOB_UNKNOWN, commands.word() + " knows no job '" + id + "'")
                        .next("vse ps");
            }
            unknownSeconds = status.isEmpty() ? unknownSeconds + 1 : 0;
            if (status.isPresent() && status.get().state() == UserJob.State.ENDED) {
                return status.get().exitCode().orElse(0);
            }
            var unused = never.await(1, TimeUnit.SECONDS);
        }
    }

    private static Optional<UserJob.Status> status(Context context, UserCommands commands, String id) {
        List<List<String>> questions = commands.questions(id);
        for (int i = 0; i < questions.size(); i++) {
            String program = questions.get(i).get(0);
            String path = context.environment().getOrDefault("PATH", "");
            if (CommandRunner.find(program, path).isPresent()) {
                CommandResult answer = run(context, questions.get(i));
                Optional<UserJob.Status> status =
                        answer.exitCode() == 0 ? commands.status(i, answer.stdout()) : Optional.empty();
                if (status.isPresent()) {
                    return status;
                }
            }
        }
        return Optional.empty();
    }

    @CommandLine.Command(
            name = "ps",
            description = "Lists your jobs in the batch system that have not ended.",
            footer = {"%nExamples:", "  vse ps", "  vse ps --format json"})
    static final class Ps implements Callable<Integer> {
        private final Context context;

        @Mixin
        private final Front front = new Front();

        @Mixin
        private Listing listing = new Listing();

        Ps(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            UserCommands commands = front.commands(context);
            String user = context.environment().getOrDefault("USER", System.getProperty("user.name"));
            CommandResult result = run(context, commands.list(user)).orThrow("asking " + commands.word());
            List<Map<String, Object>> rows = new ArrayList<>();
            for (UserJob job : commands.jobs(user, result.stdout())) {
                if (job.state() != UserJob.State.ENDED) {
                    Map<String, Object> row = new LinkedHashMap<>();
                    row.put("id", job.id());
                    row.put("state", job.state().name());
                    row.put("queue", job.queue());
                    row.put("nodes", job.nodes());
                    row.put("name", job.name());
                    rows.add(row);
                }
            }
            String text = Json.write(Map.of("scheduler", commands.word(), "jobs", rows));
            JsonObject all = Json.readObject(text);
            context.io()
                    .print(
                            listing.format == Listing.Format.json
                                    ? text
                                    : Table.of(all.objects("jobs"), List.of("id", "state", "queue", "nodes", "name"))
                                            .text()
                                            .stripTrailing());
            return 0;
        }
    }
}

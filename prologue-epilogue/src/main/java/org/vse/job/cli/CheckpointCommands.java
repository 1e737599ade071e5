package org.vse.job.cli;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Saves the VMs of a job, and looks at what was saved. */
@Command(
        name = "checkpoint",
        description = {
            "Saves all VMs of a running job together; they go on when that is done, or end with --stop.",
            "A job goes on from its newest checkpoint when its batch system starts it again, or as a new job whose",
            "script says '#VSE resume=JOB'."
        },
        subcommands = {
            CheckpointCommands.Ls.class,
            CheckpointCommands.Inspect.class,
            CheckpointCommands.Rm.class,
            CheckpointCommands.Gc.class
        },
        footer = {"%nExamples:", "  vse checkpoint local-7", "  vse checkpoint --stop local-7", "  vse checkpoint ls"})
final class CheckpointCommands implements Callable<Integer> {
    /** Gigabytes on a slow disk. */
    private static final Duration PATIENCE = Duration.ofMinutes(60);

    private static final List<String> COLUMNS =
            List.of("job", "scheduler", "number", "taken", "attempt", "vms", "bytes");

    private final Context context;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--stop", description = "The job ends with it.")
    private boolean stop;

    @Parameters(arity = "0..1", paramLabel = "JOB", description = "Id of the job.")
    private @Nullable String job;

    CheckpointCommands(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException {
        if (job == null) {
            throw new ParameterException(spec.commandLine(), "which job is not said");
        }
        context.io().say("vse: saving the VMs of job " + job);
        JsonObject saved = context.client()
                .call(Request.post(Target.of("v1", "jobs", job, "checkpoint"), Json.write(Map.of("stop", stop)))
                        .withPatience(PATIENCE));
        context.io()
                .print("checkpoint " + saved.shown("number") + " of job " + job + ": " + saved.shown("bytes")
                        + " bytes, the VMs stood still for " + saved.shown("stillMillis") + " ms");
        return 0;
    }

    @Command(
            name = "ls",
            description = "Lists your checkpoints, newest first; root sees everybody's.",
            footer = {"%nExamples:", "  vse checkpoint ls", "  vse checkpoint ls --format json"})
    static final class Ls extends ListCommand {
        Ls(Context context) {
            super(context, Target.of("v1", "checkpoints"), "checkpoints", COLUMNS);
        }
    }

    @Command(
            name = "inspect",
            description = "Shows the checkpoints of a job with all of their files, as JSON.",
            footer = {"%nExamples:", "  vse checkpoint inspect local-7"})
    static final class Inspect implements Callable<Integer> {
        private final Context context;

        @Parameters(paramLabel = "JOB", description = "Id of the job.")
        private String job = "";

        Inspect(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            context.io()
                    .print(context.client()
                            .text(Request.get(Target.of("v1", "checkpoints", job)))
                            .strip());
            return 0;
        }
    }

    @Command(
            name = "rm",
            description = "Deletes checkpoints of an ended job: one, or all of them.",
            footer = {"%nExamples:", "  vse checkpoint rm local-7", "  vse checkpoint rm local-7 2"})
    static final class Rm implements Callable<Integer> {
        private final Context context;

        @Parameters(index = "0", paramLabel = "JOB", description = "Id of the job.")
        private String job = "";

        @Parameters(index = "1", arity = "0..1", paramLabel = "NUMBER", description = "Number of the checkpoint.")
        private @Nullable Integer number;

        Rm(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Target target = Target.of("v1", "checkpoints", job, "remove");
            JsonObject answer = context.client()
                    .call(Request.post(target, Json.write(Map.of("number", number == null ? 0 : number))));
            context.io().print("deleted " + answer.shown("removed") + " of job " + job);
            return 0;
        }
    }

    @Command(
            name = "gc",
            description = {
                "Deletes your checkpoints that were taken before a time; root deletes everybody's. Those of jobs that this node",
                "runs stay. Choose an age at which no job waits for its next start any more. Prints what was deleted."
            },
            footer = {
                "%nExamples:",
                "  vse checkpoint gc --before 30d --dry-run",
                "  vse checkpoint gc --before 2026-11-01"
            })
    static final class Gc implements Callable<Integer> {
        private final Context context;

        @Option(names = "--before", paramLabel = "TIME", required = true, description = "A time or an age: 30d.")
        private String before = "";

        @Option(names = "--dry-run", description = "Only prints what would be deleted.")
        private boolean dryRun;

        @Mixin
        private Listing listing = new Listing();

        Gc(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Instant time = Moments.parse(before, context.clock().instant(), ZoneId.systemDefault());
            String answer = context.client()
                    .text(Request.post(
                                    Target.of("v1", "checkpoints"),
                                    Json.write(Map.of("before", time.toString(), "dryRun", dryRun)))
                            .withPatience(PATIENCE));
            listing.print(context, answer, "checkpoints", COLUMNS);
            return 0;
        }
    }
}

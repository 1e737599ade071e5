package org.vse.job.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.vse.failure.VseException;
import org.vse.job.client.Answer;
import org.vse.job.client.Failures;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at jobs and ends them. */
@Command(
        name = "job",
        description = "Looks at jobs and ends them.",
        subcommands = {
            JobCommands.Ls.class,
            JobCommands.Show.class,
            JobCommands.Logs.class,
            JobCommands.Cancel.class,
            JobCommands.Pause.class,
            JobCommands.Resume.class
        })
final class JobCommands {
    private static final List<String> VM_COLUMNS = List.of("index", "name", "node", "cores", "state", "address");

    @Command(
            name = "ls",
            description = "Lists your jobs, newest first; root sees everybody's.",
            footer = {"%nExamples:", "  vse job ls", "  vse job ls --format json | jq -r '.jobs[].id'"})
    static final class Ls extends ListCommand {
        Ls(Context context) {
            super(
                    context,
                    Target.of("v1", "jobs"),
                    "jobs",
                    List.of("id", "state", "user", "image", "submitted", "ended", "exitCode"));
        }
    }

    @Command(
            name = "show",
            description = "Shows one job: its state, what it waits for and until when, its failure, its VMs.",
            footer = {"%nExamples:", "  vse job show local-7", "  vse job show local-7 --format json"})
    static final class Show implements Callable<Integer> {
        private final Context context;

        @Mixin
        private Listing listing = new Listing();

        @Parameters(paramLabel = "JOB", description = "Id of the job.")
        private String job = "";

        Show(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            String answer = context.client().text(Request.get(Target.of("v1", "jobs", job)));
            boolean json = listing.format == Listing.Format.json;
            context.io().print(json ? answer.strip() : text(Json.readObject(answer)));
            return 0;
        }

        private static String text(JsonObject shown) {
            StringBuilder text = new StringBuilder();
            shown.members().keySet().stream()
                    .filter(name -> !List.of("vms", "failure").contains(name))
                    .forEach(name -> {
                        String value = shown.shown(name).replaceAll("\\p{Cntrl}", "?");
                        text.append(String.format(
                                "%-10s: %s%n", name.replace("Seconds", ""), value.isEmpty() ? "-" : value));
                    });
            shown.object("failure")
                    .ifPresent(failure -> text.append('\n')
                            .append(Failures.read(failure).render())
                            .append('\n'));
            if (!shown.objects("vms").isEmpty()) {
                text.append('\n')
                        .append(Table.of(shown.objects("vms"), VM_COLUMNS).text());
            }
            return text.toString().stripTrailing();
        }
    }

    @Command(
            name = "logs",
            description = "Prints what a job wrote to its standard output, byte for byte.",
            footer = {
                "%nExamples:",
                "  vse job logs local-7",
                "  vse job logs --stderr --follow local-7",
                "  vse job logs --offset 1048576 local-7 > rest.out"
            })
    static final class Logs implements Callable<Integer> {
        private final Context context;

        @Option(names = "--stderr", description = "Standard error instead.")
        private boolean stderr;

        @Option(
                names = {"-f", "--follow"},
                description = "Goes on until the job has written its last byte.")
        private boolean follow;

        @Option(names = "--offset", paramLabel = "BYTES", description = "Begins there.", defaultValue = "0")
        private long offset;

        @Parameters(paramLabel = "JOB", description = "Id of the job.")
        private String job = "";

        Logs(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws IOException {
            Target target = Target.of("v1", "jobs", job, "output", stderr ? "stderr" : "stdout")
                    .with("offset", offset)
                    .with("follow", follow);
            try (Answer answer = context.client().open(Request.get(target))) {
                answer.copyTo(context.io().out());
            }
            return 0;
        }
    }

    @Command(
            name = "cancel",
            description = "Ends jobs: TERM, after ten seconds KILL, then teardown. Ended jobs are refused.",
            footer = {"%nExamples:", "  vse job cancel local-7", "  vse job cancel local-7 local-8"})
    static final class Cancel extends OfJobs {
        Cancel(Context context) {
            super(context, "cancel", "cancelling job");
        }
    }

    @Command(
            name = "pause",
            description = {
                "Lets the VMs of running jobs stand still, on all their nodes, until 'vse job resume'. They keep their cores.",
                "The walltime of a batch system goes on: it knows nothing of it. Use its own suspension where it has one."
            },
            footer = {"%nExamples:", "  vse job pause local-7"})
    static final class Pause extends OfJobs {
        Pause(Context context) {
            super(context, "pause", "paused job");
        }
    }

    @Command(
            name = "resume",
            description = "Lets the VMs of paused jobs go on.",
            footer = {"%nExamples:", "  vse job resume local-7"})
    static final class Resume extends OfJobs {
        Resume(Context context) {
            super(context, "resume", "resumed job");
        }
    }

    /** Says one word to vsed about each of some jobs; one that fails does not keep it from the next. */
    private abstract static class OfJobs implements Callable<Integer> {
        private final Context context;
        private final String word;
        private final String said;

        @Parameters(arity = "1..*", paramLabel = "JOB", description = "Ids of the jobs.")
        private List<String> jobs = List.of();

        OfJobs(Context context, String word, String said) {
            this.context = context;
            this.word = word;
            this.said = said;
        }

        @Override
        public final Integer call() {
            int code = 0;
            for (String job : jobs) {
                try {
                    context.client().call(Request.post(Target.of("v1", "jobs", job, word), Json.write(Map.of())));
                    context.io().say("vse: " + said + " " + job);
                } catch (VseException e) {
                    context.io().say(e.render());
                    code = JobAttachment.OWN_FAILURE;
                }
            }
            return code;
        }
    }
}

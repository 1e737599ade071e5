package org.vse.job.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.JobEnvironment;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;
import org.vse.job.daemon.PolicyOnDisk;
import org.vse.policy.DirectiveKey;
import org.vse.policy.JobScript;
import org.vse.policy.Setting;
import org.vse.policy.layer.Applicant;
import org.vse.policy.layer.DescriptionFiles;
import org.vse.policy.layer.Judgement;
import org.vse.policy.layer.Layer;
import org.vse.policy.layer.Policy;
import org.vse.scheduler.PbsResources;
import org.vse.scheduler.ResourceRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs one job here and now. */
@Command(
        name = "run",
        description = {
            "Runs a job script in a VM on this machine: the same script that a batch system takes, with its #VSE"
                    + " lines.",
            "It runs as you, in this directory, with your environment except what speaks of this host and session:",
            "LD_*, VSE_*, TMPDIR, HOSTNAME, DISPLAY, the sockets of ssh, tmux, D-Bus and systemd.",
            "",
            "Its output is your output and its exit code the exit code (128 + signal when a signal ended it; 125 for a",
            "failure of VSE itself, 2 for a mistake on this command line). Lines that begin with 'vse: ' go to"
                    + " standard",
            "error. Ctrl-C is passed on to the script; twice within 3 s cancels the job."
        },
        footer = {
            "%nExamples:",
            "  vse run examples/jobs/hello.sh",
            "  vse run --quiet job.sh input.dat > result",
            "  sudo vse run --user alice job.sh",
            "  vse run --interactive debian-12"
        })
final class RunCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Context context;

    @Option(names = "--user", paramLabel = "NAME", description = "Runs the job as this user; for root only.")
    private @Nullable String user;

    @Option(
            names = "--interactive",
            paramLabel = "IMAGE",
            description = "Opens a shell in a VM with this image instead of running a script.")
    private @Nullable String image;

    @Option(
            names = {"-q", "--quiet"},
            description = "Says nothing but failures.")
    private boolean quiet;

    @Option(names = "--yes", description = "Installs missing Debian packages without asking.")
    boolean yes;

    @Parameters(index = "0", arity = "0..1", paramLabel = "SCRIPT", description = "The job script.")
    private @Nullable String script;

    @Parameters(index = "1..*", paramLabel = "ARGS", description = "Arguments of the script.")
    private List<String> arguments = List.of();

    RunCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if ((script == null) == (image == null)) {
            throw VseException.of(
                            ErrorCode.USAGE,
                            script == null ? "there is nothing to run" : "--interactive takes no script")
                    .fact("allowed", "vse run SCRIPT [ARGS…], or vse run --interactive IMAGE")
                    .next("vse run --help");
        }
        Path cwd = WorkDirectory.logical(context.environment(), context.directory());
        boolean terminal = image != null && context.io().inIsTerminal();
        DescriptionTexts descriptions = new DescriptionTexts();
        Optional<String> wanted = wantedImage(cwd, descriptions);
        String submission = submission(cwd, terminal, descriptions);
        wanted.ifPresent(context.images(quiet)::ensure);
        VsedClient client = context.client();
        DaemonLauncher launcher = context.launcher(quiet);
        launcher.ensure(client);
        Io io = terminal ? context.io().forRawTerminal() : context.io();
        Comeback comeback = new Comeback(client, launcher, PATIENCE, io::say);
        TerminalRelay relay = image == null ? null : new TerminalRelay(client, comeback, io);
        try (ProgressPrinter progress = new ProgressPrinter(io, context.clock(), quiet)) {
            JobAttachment attachment = new JobAttachment(
                    client,
                    comeback,
                    io,
                    progress,
                    context.clock(),
                    terminal && relay != null ? new RawTerminal(relay, client) : relay,
                    Runtime.getRuntime()::exit);
            OsSignals.handle(List.of("INT", "TERM", "HUP"), attachment::signal);
            return attachment.run(submission);
        }
    }

    /** Mistakes in the script's header and its descriptions are found here, before anything is started. */
    private Optional<String> wantedImage(Path cwd, DescriptionTexts descriptions) {
        if (script == null) {
            return Optional.ofNullable(image);
        }
        JobScript parsed = JobScript.parse(script, ScriptFile.read(script, cwd).text());
        List<Layer> layers = DescriptionFiles.layers(parsed, cwd, descriptions);
        ResourceRequest request = PbsResources.read(parsed);
        String name = context.environment().getOrDefault("USER", "nobody");
        Judgement judgement = policy().judge(
                        PolicyCommands.LOCAL,
                        parsed,
                        layers,
                        new Applicant(user == null ? name : user, List.of(), request.nodes(), request.coresPerNode()));
        if (!judgement.isAsked()) {
            parsed.requireVse();
        }
        return judgement.settings().get(DirectiveKey.IMAGE).map(Setting::text);
    }

    /** As far as its file can be read from here; what the daemon has is what counts, and it says what it refuses. */
    private Policy policy() {
        try {
            return PolicyOnDisk.of(context.site().config()).read();
        } catch (VseException e) {
            return Policy.vendor();
        }
    }

    private String submission(Path cwd, boolean terminal, DescriptionTexts descriptions) {
        Map<String, @Nullable Object> submission = new LinkedHashMap<>();
        if (script != null) {
            ScriptFile file = ScriptFile.read(script, cwd);
            submission.put("script", Map.of("name", file.name().toString(), "text", file.text()));
        } else {
            submission.put("script", null);
        }
        submission.put("descriptions", descriptions.sent());
        submission.put("args", arguments);
        submission.put("user", user);
        submission.put("cwd", cwd.toString());
        submission.put("environment", JobEnvironment.of(context.environment(), user != null));
        submission.put("interactive", image != null);
        submission.put("image", image);
        submission.put(
                "terminal",
                terminal
                        ? RawMode.describe(
                                context.runner(), context.environment().getOrDefault("TERM", "dumb"))
                        : null);
        String json = Json.write(submission);
        if (json.getBytes(StandardCharsets.UTF_8).length > Request.MAX_BODY_BYTES) {
            throw VseException.of(ErrorCode.USAGE, "script, arguments and environment are too large together")
                    .fact("allowed", Request.MAX_BODY_BYTES / 1024 + " KiB")
                    .fact("largest", largest());
        }
        return json;
    }

    private String largest() {
        List<Map.Entry<String, String>> variables = new ArrayList<>(
                JobEnvironment.of(context.environment(), user != null).entrySet());
        variables.sort((a, b) -> b.getValue().length() - a.getValue().length());
        return String.join(
                ", ",
                variables.stream()
                        .limit(3)
                        .map(v -> v.getKey() + " " + v.getValue().length() / 1024 + " KiB")
                        .toList());
    }

    /** The relay with the user's terminal in raw mode, from the first byte to the last, its size kept the same. */
    private final class RawTerminal implements JobAttachment.Carrier {
        private final JobAttachment.Carrier relay;
        private final VsedClient client;
        private @Nullable RawMode mode;

        private RawTerminal(JobAttachment.Carrier relay, VsedClient client) {
            this.relay = relay;
            this.client = client;
        }

        @Override
        public void start(String job) {
            mode = RawMode.enter(context.runner());
            OsSignals.handle(List.of("WINCH"), signal -> resize(job));
            relay.start(job);
        }

        @Override
        public void ended(Optional<JsonObject> bytes) {
            relay.ended(bytes);
        }

        @Override
        public void finish() throws InterruptedException {
            try {
                relay.finish();
            } finally {
                if (mode != null) {
                    mode.close();
                }
            }
        }

        private void resize(String job) {
            try {
                Map<String, Object> size = RawMode.describe(context.runner(), "");
                size.remove("type");
                client.call(Request.post(Target.of("v1", "jobs", job, "terminal", "size"), Json.write(size)));
            } catch (VseException e) {
                // A wrong width is better than a message in the middle of a full-screen program.
                return;
            }
        }
    }
}

package org.vse.job.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Begins and ends the daemon of this node. */
final class DaemonCommands {
    private DaemonCommands() {}

    private static PrintStream report(Io io) {
        return new PrintStream(io.out(), true, StandardCharsets.UTF_8);
    }

    @Command(
            name = "up",
            description = "Starts vsed on this node unless one answers already; 'vse run' does so by itself.",
            footer = {"%nExamples:", "  sudo vse up", "  sudo vse up --foreground      for a service manager"})
    static final class Up implements Callable<Integer> {
        private final Context context;

        @Option(names = "--foreground", description = "Stays in the foreground and ends with the daemon.")
        private boolean foreground;

        @Option(
                names = {"-q", "--quiet"},
                description = "Says nothing but failures.")
        private boolean quiet;

        @Option(names = "--yes", description = "Installs missing Debian packages without asking.")
        boolean yes;

        Up(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() {
            if (foreground) {
                return context.daemon().run(report(context.io()));
            }
            boolean started = context.launcher(quiet).ensure(context.client());
            JsonObject health = context.client().call(Request.get(Target.of("v1", "health")));
            if (!quiet) {
                context.io()
                        .say("vse: vsed " + (started ? "runs" : "was running already") + ", pid " + health.shown("pid")
                                + ", version " + health.shown("version"));
            }
            return 0;
        }
    }

    @Command(
            name = "down",
            description = {
                "Ends vsed. Jobs go on without it; the next vsed takes them over.",
                "For root and for the user whose daemon it is."
            },
            footer = {"%nExamples:", "  sudo vse down", "  sudo vse down --cancel-jobs"})
    static final class Down implements Callable<Integer> {
        /** A job has ten seconds between TERM and KILL, and its teardown some more. */
        private static final Duration PATIENCE = Duration.ofMinutes(2);

        private final Context context;

        @Option(names = "--cancel-jobs", description = "Ends all jobs first and waits for their teardown.")
        private boolean cancelJobs;

        Down(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() throws InterruptedException {
            VsedClient client = context.client();
            if (!client.reachable()) {
                context.io().say("vse: no vsed is running");
                return 0;
            }
            JsonObject health = client.call(Request.get(Target.of("v1", "health")));
            long pid = health.number("pid").orElse(0);
            client.call(Request.post(Target.of("v1", "down"), Json.write(Map.of("cancelJobs", cancelJobs)))
                    .withPatience(PATIENCE));
            awaitEnd(pid);
            context.io().say("vse: vsed has ended" + (cancelJobs ? ", and all jobs" : "; its jobs go on"));
            return 0;
        }

        private static void awaitEnd(long pid) throws InterruptedException {
            var process = ProcessHandle.of(pid);
            if (process.isEmpty()) {
                return;
            }
            try {
                process.get().onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                throw VseException.of(ErrorCode.INTERNAL, "vsed agreed to end and did not")
                        .fact("pid", pid)
                        .fact("waited", PATIENCE.toSeconds() + " s");
            } catch (ExecutionException e) {
                throw VseException.of(ErrorCode.INTERNAL, "the end of vsed could not be awaited")
                        .because(e);
            }
        }
    }

    @Command(name = "vsed", hidden = true, description = "Is the daemon. Started by 'vse up' and 'vse run'.")
    static final class Vsed implements Callable<Integer> {
        private final Context context;

        Vsed(Context context) {
            this.context = context;
        }

        @Override
        public Integer call() {
            return context.daemon().run(report(context.io()));
        }
    }
}

package org.vse.test.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.vse.imagestore.ImageStore;
import org.vse.job.client.VsedClient;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/** A daemon of the benchmarks' own; its state, images above all, is kept in {@code build/bench}. */
final class BenchDaemon implements AutoCloseable {
    private final CommandRunner commands;
    private final Path launcher;
    private final Path state;
    private final Path run;
    private final Map<String, String> environment;

    private BenchDaemon(CommandRunner commands, Path launcher, Path state, Path run, Map<String, String> environment) {
        this.commands = commands;
        this.launcher = launcher;
        this.state = state;
        this.run = run;
        this.environment = environment;
    }

    /**
     * Builds the image unless it is there, and starts the daemon. Guests by hand boot the same image.
     *
     * @param settings directory of the daemon's {@code vsed.yaml}
     */
    static BenchDaemon start(CommandRunner commands, Path settings) {
        BenchDaemon daemon = prepare(commands, settings);
        daemon.vse("up");
        return daemon;
    }

    /** The image store that benchmarks share, with the image built unless it is there; no daemon is started. */
    static Path images(CommandRunner commands) {
        return prepare(commands, build()).images();
    }

    private static BenchDaemon prepare(CommandRunner commands, Path settings) {
        Path launcher = launcher();
        Path state = build().resolve("bench");
        Path run = Path.of("/run/vseb-" + ProcessHandle.current().pid());
        Map<String, String> environment = new HashMap<>(Map.of("HOME", "/root", "VSE_YES", "1"));
        environment.put("VSE_STATE_DIR", state.toString());
        environment.put("VSE_RUN_DIR", run.toString());
        environment.put("VSE_CONFIG_DIR", settings.toString());
        BenchDaemon daemon = new BenchDaemon(commands, launcher, state, run, Map.copyOf(environment));
        if (new ImageStore(daemon.images()).list().isEmpty()) {
            daemon.vse(
                    "image",
                    "build",
                    launcher.resolveSibling("examples/images/debian-12.yaml").toString());
        }
        System.setProperty("vse.test.images", daemon.images().toString());
        return daemon;
    }

    /** The directory of what was built, for settings too. */
    static Path build() {
        return Objects.requireNonNull(launcher().getParent()).resolve("build");
    }

    private static Path launcher() {
        return Path.of(System.getProperty("vse.launcher", "./vse")).toAbsolutePath();
    }

    private Path images() {
        return state.resolve("images");
    }

    Path run() {
        return run;
    }

    /** Its state directory, which the command lines of its machines name. */
    Path state() {
        return state;
    }

    VsedClient client() {
        return new VsedClient(run.resolve("vsed.sock"));
    }

    private void vse(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(launcher.toString()));
        argv.addAll(List.of(arguments));
        if (commands.runInherited(Command.of(argv).withEnv(environment)) != 0) {
            throw new IllegalStateException("vse " + String.join(" ", arguments) + " failed");
        }
    }

    @Override
    public void close() {
        vse("down", "--cancel-jobs");
    }
}

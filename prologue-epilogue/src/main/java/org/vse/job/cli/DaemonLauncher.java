package org.vse.job.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.OwnDirectory;
import org.vse.job.Standing;
import org.vse.job.client.VsedClient;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * Starts a detached daemon where none answers. Several callers at once start one: the others wait for it.
 *
 * <p>The daemon leads a session of its own, so that no terminal's hang-up or Ctrl-C reaches it. It reports on its standard
 * output, which is a pipe, and ends its report by the line {@code ready} or by ending itself.
 */
final class DaemonLauncher {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final List<String> KEPT = List.of(
            "JAVA_HOME",
            "HOME",
            "XDG_CACHE_HOME",
            "http_proxy",
            "https_proxy",
            "no_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY");

    private final Site site;
    private final Self self;
    private final Map<String, String> environment;
    private final CommandRunner runner;
    private final Consumer<String> say;

    /** @param say gets lines of progress */
    DaemonLauncher(Site site, Self self, Map<String, String> environment, CommandRunner runner, Consumer<String> say) {
        this.site = site;
        this.self = self;
        this.environment = environment;
        this.runner = runner;
        this.say = say;
    }

    /** True when the run directory is ours to write: that of the system for root, their own for anybody else. */
    boolean mayStart() {
        Path existing = site.run();
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        return existing != null && Files.isWritable(existing);
    }

    /**
     * Returns once a daemon answers.
     *
     * @return false when one was there already
     * @throws VseException DAEMON_UNREACHABLE when this user may not start one, DAEMON_START_FAILED with what it said
     */
    boolean ensure(VsedClient client) {
        if (client.reachable()) {
            return false;
        }
        if (!mayStart()) {
            throw VseException.of(ErrorCode.DAEMON_UNREACHABLE, "no vsed answers on '" + site.socket() + "'")
                    .fact("reason", "nothing is started by users who may not write to " + site.run())
                    .next("as root: vse up");
        }
        try {
            directory(site.run());
            directory(site.state());
            try (FileChannel file = FileChannel.open(
                            site.run().resolve("start.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = lock(file)) {
                return lock.isValid() && !client.reachable() && start();
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.DAEMON_START_FAILED, "the directories of vsed cannot be used")
                    .fact("run", site.run())
                    .fact("state", site.state())
                    .fact("reason", e.getClass().getSimpleName() + ": " + e.getMessage())
                    .because(e);
        }
    }

    private FileLock lock(FileChannel file) throws IOException {
        FileLock lock = file.tryLock();
        if (lock == null) {
            say.accept("vse: another command is starting vsed, waiting for it");
            lock = file.lock();
        }
        return lock;
    }

    private boolean start() throws IOException {
        say.accept("vse: starting vsed, log " + site.daemonLog());
        long logBegin = Files.exists(site.daemonLog()) ? Files.size(site.daemonLog()) : 0;
        List<String> argv = new ArrayList<>(List.of("setsid"));
        argv.addAll(self.with("vsed"));
        Process daemon = runner.startReporting(Command.of(argv).withEnv(daemonEnvironment()), site.daemonLog());
        CompletableFuture<String> report = CompletableFuture.supplyAsync(() -> report(daemon), task -> {
            Thread thread = new Thread(task, "vsed-report");
            thread.setDaemon(true);
            thread.start();
        });
        String said = await(daemon, report);
        if (said.equals("ready")) {
            return true;
        }
        throw VseException.of(ErrorCode.DAEMON_START_FAILED, "vsed did not start")
                .fact("said", said.isBlank() ? logSince(logBegin) : said)
                .fact("log", site.daemonLog());
    }

    /** The word {@code ready}, or everything that the daemon said before it closed its report. */
    private static String report(Process daemon) {
        List<String> lines = new ArrayList<>();
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(daemon.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.equals("ready")) {
                    return line;
                }
                if (lines.size() < 100) {
                    lines.add(line);
                }
            }
        } catch (IOException e) {
            lines.add(String.valueOf(e.getMessage()));
        }
        return String.join("\n", lines);
    }

    private String await(Process daemon, CompletableFuture<String> report) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            long left = Duration.ofNanos(end - System.nanoTime()).toSeconds();
            try {
                return report.get(5, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                if (left <= 0) {
                    daemon.destroy();
                    return "nothing within " + PATIENCE.toSeconds() + " s, ended";
                }
                say.accept("vse: waiting for vsed to be ready, " + left + " s left");
            } catch (ExecutionException e) {
                throw VseException.of(ErrorCode.INTERNAL, "the report of vsed could not be read")
                        .because(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw VseException.of(ErrorCode.STEP_INTERRUPTED, "starting vsed was interrupted")
                        .because(e);
            }
        }
    }

    private Map<String, String> daemonEnvironment() {
        Map<String, String> kept = new TreeMap<>();
        environment.forEach((name, value) -> {
            if (name.startsWith("VSE_") || KEPT.contains(name)) {
                kept.put(name, value);
            }
        });
        kept.putAll(site.variables());
        return kept;
    }

    private String logSince(long begin) throws IOException {
        byte[] log = Files.readAllBytes(site.daemonLog());
        String text = new String(log, (int) begin, (int) (log.length - begin), StandardCharsets.UTF_8).strip();
        return text.isEmpty() ? "nothing" : text.substring(Math.max(0, text.length() - 2000));
    }

    private void directory(Path directory) throws IOException {
        if (site.standing() == Standing.ORDINARY) {
            OwnDirectory.make(directory, site.uid());
        } else if (!Files.isDirectory(directory)) {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        }
    }
}

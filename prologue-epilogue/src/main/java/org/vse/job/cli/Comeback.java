package org.vse.job.cli;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.VsedClient;

/**
 * What to do when the daemon goes away under a running job: whoever may start one does, everybody else waits for it. The
 * job itself does not depend on the daemon and goes on. Thread-safe; of several callers one acts.
 */
final class Comeback {
    private final VsedClient client;
    private final DaemonLauncher launcher;
    private final Duration patience;
    private final Consumer<String> say;

    Comeback(VsedClient client, DaemonLauncher launcher, Duration patience, Consumer<String> say) {
        this.client = client;
        this.launcher = launcher;
        this.patience = patience;
        this.say = say;
    }

    /**
     * Returns once a daemon answers again.
     *
     * @throws VseException DAEMON_UNREACHABLE after the patience, DAEMON_START_FAILED
     */
    synchronized void await(String job) {
        if (client.reachable()) {
            return;
        }
        if (launcher.mayStart()) {
            say.accept("vse: vsed has gone; job " + job + " goes on, starting another vsed");
            launcher.ensure(client);
        } else {
            say.accept("vse: vsed has gone; job " + job + " goes on, waiting for another vsed, " + patience.toSeconds()
                    + " s left");
            watch(job);
        }
        say.accept("vse: attached to job " + job + " again");
    }

    private void watch(String job) {
        long end = System.nanoTime() + patience.toNanos();
        try (WatchService watch = FileSystems.getDefault().newWatchService()) {
            Path directory = client.socket().resolveSibling("");
            if (Files.isDirectory(directory)) {
                directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            }
            while (!client.reachable()) {
                if (System.nanoTime() > end) {
                    throw VseException.of(ErrorCode.DAEMON_UNREACHABLE, "vsed has gone and nobody started another")
                            .fact("job", job + ", which goes on")
                            .next("as root: vse up; then: vse job show " + job);
                }
                // A socket exists for a moment before it accepts, hence the short second look.
                var key = watch.poll(500, TimeUnit.MILLISECONDS);
                if (key != null) {
                    key.pollEvents();
                    key.reset();
                }
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.DAEMON_UNREACHABLE, "vsed has gone and its directory cannot be watched")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "waiting for vsed was interrupted")
                    .because(e);
        }
    }
}

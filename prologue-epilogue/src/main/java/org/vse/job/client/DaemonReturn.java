package org.vse.job.client;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Waits for a daemon that has gone, and that somebody else starts again. */
public final class DaemonReturn {
    private final VsedClient client;
    private final Duration patience;

    public DaemonReturn(VsedClient client, Duration patience) {
        this.client = client;
        this.patience = patience;
    }

    /**
     * Returns once a daemon answers.
     *
     * @param job for messages
     * @throws VseException DAEMON_UNREACHABLE after the patience, STEP_INTERRUPTED
     */
    public void await(String job) {
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

package org.vse.job.lifecycle;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Wakes those who wait for files of a directory to grow; one inotify(7) instance for the whole daemon. */
public final class GrowthWatch implements AutoCloseable {
    private final WatchService service;
    private final Map<WatchKey, Signal> byKey = new ConcurrentHashMap<>();
    private final Map<Path, Signal> byDirectory = new ConcurrentHashMap<>();

    /** Starts watching; nothing is watched yet. */
    public GrowthWatch() {
        try {
            service = FileSystems.getDefault().newWatchService();
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "file changes cannot be watched")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .next("raise fs.inotify.max_user_instances")
                    .because(e);
        }
        Thread thread = new Thread(this::pump, "growth-watch");
        thread.setDaemon(true);
        thread.start();
    }

    /** Watches a directory from now on. */
    public synchronized void add(Path directory) {
        if (byDirectory.containsKey(directory)) {
            return;
        }
        try {
            Signal signal = new Signal();
            byDirectory.put(directory, signal);
            byKey.put(directory.register(service, StandardWatchEventKinds.ENTRY_MODIFY), signal);
        } catch (IOException e) {
            byDirectory.remove(directory);
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the job's directory cannot be watched")
                    .at(directory.toString())
                    .because(e);
        }
    }

    /** Stops watching a directory and wakes those who wait for it. */
    public synchronized void remove(Path directory) {
        Signal signal = byDirectory.remove(directory);
        if (signal != null) {
            byKey.entrySet().removeIf(entry -> {
                if (entry.getValue() == signal) {
                    entry.getKey().cancel();
                    return true;
                }
                return false;
            });
            signal.raise();
        }
    }

    /** A number that grows with every change in the directory; read it before looking at the files. */
    public long version(Path directory) {
        Signal signal = byDirectory.get(directory);
        return signal == null ? -1 : signal.version();
    }

    /** Waits until the directory has changed since that version, at most so long. */
    public void await(Path directory, long version, long timeoutMillis) throws InterruptedException {
        Signal signal = byDirectory.get(directory);
        if (signal != null) {
            signal.await(version, timeoutMillis);
        }
    }

    /** Wakes those who wait for a directory as if it had changed. */
    public void wake(Path directory) {
        Signal signal = byDirectory.get(directory);
        if (signal != null) {
            signal.raise();
        }
    }

    @Override
    public void close() {
        try {
            service.close();
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the file watch cannot be closed")
                    .because(e);
        }
    }

    private void pump() {
        try {
            while (true) {
                WatchKey key = service.take();
                key.pollEvents();
                Signal signal = byKey.get(key);
                if (signal != null) {
                    signal.raise();
                }
                key.reset();
            }
        } catch (ClosedWatchServiceException | InterruptedException e) {
            byDirectory.values().forEach(Signal::raise);
        }
    }

    private static final class Signal {
        private long version;

        synchronized void raise() {
            version++;
            notifyAll();
        }

        synchronized long version() {
            return version;
        }

        synchronized void await(long since, long timeoutMillis) throws InterruptedException {
            long deadline = System.nanoTime() + timeoutMillis * 1_000_000;
            while (version == since) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    return;
                }
                wait(left);
            }
        }
    }
}

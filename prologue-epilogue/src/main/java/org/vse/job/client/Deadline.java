package org.vse.job.client;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;

/**
 * Closes a connection when its time is up, unless it was met before. A Unix-domain channel has no socket timeout, and a
 * blocked read or connect ends with an exception when its channel is closed.
 */
final class Deadline implements AutoCloseable {
    private final Closeable connection;
    private final long end;
    private boolean met;
    private boolean missed;

    private Deadline(Closeable connection, Duration patience) {
        this.connection = connection;
        this.end = System.nanoTime() + patience.toNanos();
    }

    static Deadline start(Closeable connection, Duration patience) {
        Deadline deadline = new Deadline(connection, patience);
        Thread thread = new Thread(deadline::watch, "vsed-deadline");
        thread.setDaemon(true);
        thread.start();
        return deadline;
    }

    /** True once the connection was closed for lateness. */
    synchronized boolean missed() {
        return missed;
    }

    @Override
    public synchronized void close() {
        met = true;
        notifyAll();
    }

    private synchronized void watch() {
        try {
            while (!met) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    missed = true;
                    connection.close();
                    return;
                }
                wait(left / 1_000_000 + 1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // The reader of the closed channel reports; closing has nothing to add.
            missed = true;
        }
    }
}

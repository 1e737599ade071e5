package org.vse.job.cli;

import java.time.Clock;
import java.time.Instant;
import org.vse.job.client.JsonObject;

/** Prints the lines of {@link Progress}; on a terminal also while nothing happens. Thread-safe. */
final class ProgressPrinter implements AutoCloseable {
    private final Io io;
    private final Clock clock;
    private final boolean quiet;
    private final Progress progress;
    private boolean closed;

    /** @param quiet prints nothing */
    ProgressPrinter(Io io, Clock clock, boolean quiet) {
        this.io = io;
        this.clock = clock;
        this.quiet = quiet;
        this.progress = new Progress(clock.instant());
        if (io.errIsTerminal() && !quiet) {
            Thread thread = new Thread(this::tick, "progress");
            thread.setDaemon(true);
            thread.start();
        }
    }

    synchronized void on(JsonObject event, Instant now) {
        progress.on(event, now).ifPresent(this::print);
    }

    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }

    private synchronized void tick() {
        try {
            while (!closed) {
                wait(1000);
                progress.tick(clock.instant()).ifPresent(this::print);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void print(String line) {
        if (!quiet) {
            io.say(line);
        }
    }
}

package org.vse.job.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a signal to {@code vse run} means, which depends on how far the job is:
 *
 * <pre>
 *   before the script runs   any signal            CANCEL
 *   script runs              first of its kind     PASS_ON to the script
 *                            again within 3 s      CANCEL
 *   cancelled or ended       first                 WAIT for the teardown
 *                            again within 3 s      LEAVE: the daemon goes on alone
 * </pre>
 *
 * Thread-safe.
 */
final class Interrupts {
    static final Duration AGAIN = Duration.ofSeconds(3);

    enum Action {
        CANCEL,
        PASS_ON,
        WAIT,
        LEAVE
    }

    private enum Phase {
        BEFORE,
        RUNNING,
        ENDING
    }

    private Phase phase = Phase.BEFORE;
    private @Nullable String last;
    private long lastNanos;

    /** The script has begun. */
    synchronized void running() {
        if (phase == Phase.BEFORE) {
            phase = Phase.RUNNING;
            last = null;
        }
    }

    /** The script has ended or the job has been cancelled. */
    synchronized void ending() {
        if (phase != Phase.ENDING) {
            phase = Phase.ENDING;
            last = null;
        }
    }

    /** @param nanos of a monotonic clock */
    synchronized Action on(String signal, long nanos) {
        boolean again = signal.equals(last) && nanos - lastNanos <= AGAIN.toNanos();
        last = signal;
        lastNanos = nanos;
        return switch (phase) {
            case BEFORE -> cancel();
            case RUNNING -> again ? cancel() : Action.PASS_ON;
            case ENDING -> again ? Action.LEAVE : Action.WAIT;
        };
    }

    private Action cancel() {
        ending();
        return Action.CANCEL;
    }
}

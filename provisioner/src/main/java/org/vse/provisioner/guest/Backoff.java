package org.vse.provisioner.guest;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Growing pauses between questions to somebody who cannot call back. */
final class Backoff {
    private static final double GROWTH = 1.5;

    private final long mostNanos;
    private long nextNanos;

    Backoff(Duration first, Duration most) {
        nextNanos = first.toNanos();
        mostNanos = most.toNanos();
    }

    /**
     * Blocks for the next pause, at most until the deadline.
     *
     * @param deadlineNanos on the scale of {@link System#nanoTime}
     * @throws VseException STEP_INTERRUPTED when this thread is interrupted; the interrupt status stays set
     */
    void pause(long deadlineNanos) {
        long nanos = Math.min(nextNanos, deadlineNanos - System.nanoTime());
        nextNanos = Math.min(mostNanos, (long) (nextNanos * GROWTH));
        sleep(nanos);
    }

    /** @throws VseException STEP_INTERRUPTED when this thread is interrupted; the interrupt status stays set */
    static void sleep(long nanos) {
        try {
            TimeUnit.NANOSECONDS.sleep(nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "waiting for the guest was interrupted")
                    .because(e);
        }
    }
}

package org.vse.ledger.charge;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a batch system has noted of one attempt of a job.
 *
 * @param job its id in the batch system's own words
 * @param attempt 1 for the first
 * @param account null when charged to nothing
 * @param ended null while it runs
 * @param cores that it had; 0 when nothing is charged for an attempt that went wrong
 * @param requeued the attempt ended because the job was put back into the queue
 */
public record Charge(
        String job,
        int attempt,
        String user,
        @Nullable String account,
        @Nullable String queue,
        Instant started,
        @Nullable Instant ended,
        int cores,
        boolean requeued) {
    public Charge {
        if (attempt < 1 || cores < 0) {
            throw new IllegalArgumentException("attempt " + attempt + ", cores " + cores);
        }
    }

    /** Time until its end, or until now, times cores. */
    public Duration coreTime(Instant now) {
        Instant end = ended == null ? now : ended;
        return end.isBefore(started)
                ? Duration.ZERO
                : Duration.between(started, end).multipliedBy(cores);
    }

    Charge numbered(int newAttempt) {
        return new Charge(job, newAttempt, user, account, queue, started, ended, cores, requeued);
    }

    /** What is not charged has no end of its own: it was over when the next attempt was submitted. */
    Charge before(@Nullable Charge next) {
        return cores > 0 || ended != null || next == null
                ? this
                : new Charge(job, attempt, user, account, queue, started, next.started, cores, requeued);
    }
}

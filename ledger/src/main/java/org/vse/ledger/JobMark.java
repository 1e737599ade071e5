package org.vse.ledger;

import java.time.Instant;

/**
 * A moment in the life of a job that is no beginning or end of a machine.
 *
 * @param node where it happened
 */
public record JobMark(JobKey job, Instant at, Kind kind, String node) {
    /** Names are stored: they never change. */
    public enum Kind {
        ADMITTED,
        IMAGE_FETCHED,
        CHECKPOINTED,
        RESTORED
    }
}

package org.vse.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;

/**
 * How an attempt of a job came out.
 *
 * @param code why it was refused or failed, null when it settled
 * @param exitCode the script's exit code, null unless it settled
 */
public record JobOutcome(
        JobKey job,
        Submitter submitter,
        Instant at,
        Kind kind,
        @Nullable ErrorCode code,
        @Nullable Integer exitCode) {
    /** Names are stored: they never change. */
    public enum Kind {
        REFUSED,
        FAILED,
        SETTLED
    }
}

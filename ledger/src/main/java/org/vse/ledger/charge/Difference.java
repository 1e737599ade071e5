package org.vse.ledger.charge;

import java.time.Duration;

/**
 * Core time of an attempt that the batch system has charged and no machine had, or the other way round.
 *
 * @param coreTime what was charged beyond what machines had; negative for the other way round
 * @param text what it is, for people
 */
public record Difference(String job, int attempt, String user, Reason reason, Duration coreTime, String text) {
    /** Why there is a difference. */
    public enum Reason {
        /** From the start of the job until all its machines ran. */
        BOOT(true),
        /** Machines came up before the moment that the batch system has as the start of the job. */
        PROLOGUE(true),
        /** From the first end of a machine to the end of the job. */
        TEARDOWN(true),
        /** Machines were ended after the moment that the batch system has as the end of the job. */
        COMPLETING(true),
        /** The same as TEARDOWN of an attempt whose machines were saved. */
        CHECKPOINT(true),
        /** The same of an attempt that was put back into the queue, or all of it where nothing is charged for it. */
        REQUEUE(true),
        /** The job was refused before anything of it ran. */
        REFUSED(true),
        /** The job failed before its machines ran. */
        FAILED(true),
        /** The machines were given fewer cores than the job. */
        UNUSED_CORES(true),
        /** Batch systems count whole seconds. */
        ROUNDING(true),
        /** Nobody saw the end of a machine. */
        CONCLUDED(true),
        /** The job is not over, and the batch system notes only jobs that are. */
        GOES_ON(true),
        /** It took longer than it may until machines ran. */
        SLOW_BOOT(false),
        /** It took longer than it may until the job was over. */
        SLOW_TEARDOWN(false),
        /** A job of VSE whose machines are not in the ledger. */
        NO_VM(false),
        /** Machines of which the batch system knows no job. */
        NOT_CHARGED(false),
        /** A machine ran before or after its job. */
        OUTSIDE(false),
        /** Machines had more cores than the job. */
        MORE_CORES(false),
        /** A machine runs in the ledger, and its job has ended. */
        STILL_OPEN(false),
        /** The machine was another user's than the job. */
        OTHER_USER(false);

        private final boolean explained;

        Reason(boolean explained) {
            this.explained = explained;
        }

        /** False for what somebody should look at. */
        public boolean isExplained() {
            return explained;
        }
    }
}

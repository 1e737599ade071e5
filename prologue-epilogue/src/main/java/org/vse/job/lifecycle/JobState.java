package org.vse.job.lifecycle;

/**
 * Where a job attempt stands. The transition table:
 *
 * <pre>
 *   ADMITTED → STAGED → CREATED → READY → RUNNING → SETTLED
 *      any state before SETTLED → FAILED
 * </pre>
 *
 * A transition is durable before anybody can see it; a move that is not in the table throws ILLEGAL_TRANSITION.
 */
public enum JobState {
    /** The plan is fixed: image digest, machines, cores. */
    ADMITTED,
    /** The node holds the image. */
    STAGED,
    /** The machines exist. */
    CREATED,
    /** The guests answer and are set up. */
    READY,
    /** The script has been started, or may have been. */
    RUNNING,
    /** Ended, everything undone, exit code known. */
    SETTLED,
    /** Its machines were saved and everything was undone: the job goes on in another attempt, or as another job. */
    CHECKPOINTED,
    /** Ended by an error or a cancel, everything undone. */
    FAILED;

    /** Nothing follows this state. */
    public boolean isFinal() {
        return this == SETTLED || this == CHECKPOINTED || this == FAILED;
    }

    /** True when the table above has this move. */
    public boolean mayBecome(JobState next) {
        if (next == FAILED) {
            return !isFinal();
        }
        return switch (this) {
            case ADMITTED -> next == STAGED;
            case STAGED -> next == CREATED;
            case CREATED -> next == READY;
            case READY -> next == RUNNING;
            case RUNNING -> next == SETTLED || next == CHECKPOINTED;
            case SETTLED, CHECKPOINTED, FAILED -> false;
        };
    }
}

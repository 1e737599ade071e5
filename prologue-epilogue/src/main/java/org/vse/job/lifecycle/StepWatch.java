package org.vse.job.lifecycle;

import java.time.Duration;

/** Who is told how the steps of jobs end. */
@FunctionalInterface
public interface StepWatch {
    /** Nobody. */
    StepWatch NONE = (job, step, end, took) -> {};

    /**
     * A step has ended; told on the job's thread, after the journal knows.
     *
     * @param took of a step that was applied since it first began, be it under an earlier daemon; of one that was undone
     *     the undoing alone
     */
    void ended(Job job, String step, End end, Duration took);

    /** Tells this one, then another. */
    default StepWatch and(StepWatch next) {
        return (job, step, end, took) -> {
            ended(job, step, end, took);
            next.ended(job, step, end, took);
        };
    }

    /** How a step ends. */
    enum End {
        /** Applied. */
        DONE,
        /** Not applied: the job goes back. */
        FAILED,
        /** Taken back. */
        UNDONE
    }
}

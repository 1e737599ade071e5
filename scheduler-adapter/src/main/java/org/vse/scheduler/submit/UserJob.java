package org.vse.scheduler.submit;

import java.util.OptionalInt;

/**
 * A job as its batch system lists it.
 *
 * @param nodes where it runs, as the batch system writes it; empty while it does not
 */
public record UserJob(String id, State state, String name, String queue, String nodes) {
    /** Where a job stands, in words that mean the same under every batch system. */
    public enum State {
        QUEUED,
        HELD,
        RUNNING,
        SUSPENDED,
        ENDED
    }

    /**
     * What a batch system says about one job.
     *
     * @param exitCode of an ended job: its script's, 128 + signal when a signal ended it, 1 when it ended otherwise
     */
    public record Status(State state, OptionalInt exitCode) {
        static final Status GOING = new Status(State.RUNNING, OptionalInt.empty());

        static Status ended(int exitCode) {
            return new Status(State.ENDED, OptionalInt.of(exitCode));
        }
    }
}

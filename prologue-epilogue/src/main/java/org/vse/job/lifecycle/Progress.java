package org.vse.job.lifecycle;

import java.time.Instant;

/** Where a step says what it does; heard by the job's user. */
public interface Progress {
    /** Says what the step now waits for and when it gives up. */
    void waiting(String what, Instant until);

    /** Says something that the user should know. */
    void notice(String text);
}

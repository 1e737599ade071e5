package org.vse.scheduler;

import java.util.OptionalInt;

/**
 * Which job a call is about.
 *
 * @param job the batch system's own id, any text
 * @param attempt from 1 on; empty where the batch system does not say
 */
public record AttemptId(String job, OptionalInt attempt) {
    public AttemptId {
        if (job.isBlank() || attempt.orElse(1) < 1) {
            throw new IllegalArgumentException("not an attempt: '" + job + "', " + attempt);
        }
    }
}

package org.vse.job.lifecycle;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Since when the machines of a job stand still because somebody wanted it, and how long that has moved the end of its walltime.
 *
 * @param since null while they run
 * @param free whether the walltime stands still with them
 * @param freeMillis milliseconds of earlier times in which the walltime stood still
 */
public record Suspended(@Nullable Instant since, boolean free, long freeMillis) {
    /** A job that never was. */
    public static final Suspended NEVER = new Suspended(null, false, 0);

    @JsonIgnore
    public boolean isNow() {
        return since != null;
    }

    /** The machines are about to stand still. */
    public Suspended from(Instant now, boolean walltimeStands) {
        return new Suspended(now, walltimeStands, free(now).toMillis());
    }

    /** The machines run again. */
    public Suspended until(Instant now) {
        return new Suspended(null, false, free(now).toMillis());
    }

    /** How much later the walltime ends than it would have. */
    public Duration free(Instant now) {
        Duration before = Duration.ofMillis(freeMillis);
        return since != null && free && now.isAfter(since) ? before.plus(Duration.between(since, now)) : before;
    }
}

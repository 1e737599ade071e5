package org.vse.job.daemon;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.vse.policy.Continuation;
import org.vse.policy.OnWalltime;

/** What a running job is due for: a pure function of the clock and of what saving it would take. */
enum Due {
    NOTHING,
    /** Its machines are saved and go on. */
    SAVE,
    /** Its machines are saved, and the job stops with that. */
    SAVE_AND_STOP,
    /** Its script gets TERM. */
    SIGNAL,
    /** Its user learns that there is no time for a checkpoint before the walltime is over. */
    TELL_TOO_SHORT;

    /** Memory may be written faster than it was when the rate was measured. */
    private static final int SAFETY_PERCENT = 150;

    /** What taking the machines down and telling the batch system takes. */
    private static final Duration REQUEUE = Duration.ofSeconds(10);

    private static final Duration LONGEST_NOTICE = Duration.ofSeconds(60);
    private static final int NOTICE_PART = 10;

    /**
     * @param started when the script began or went on
     * @param limit when the walltime is over; null for never
     * @param saved when the machines were last saved, or {@code started}
     * @param save what saving takes, as measured
     */
    static Due of(
            Continuation wish, Instant started, @Nullable Instant limit, Instant saved, Duration save, Instant now) {
        if (limit != null && wish.onWalltime() != OnWalltime.KILL) {
            boolean signal = wish.onWalltime() == OnWalltime.SIGNAL;
            Duration whole = Duration.between(started, limit);
            Duration ahead = signal ? notice(whole) : needed(save);
            if (!signal && ahead.compareTo(whole) >= 0) {
                return TELL_TOO_SHORT;
            }
            if (!now.isBefore(limit.minus(ahead))) {
                return signal ? SIGNAL : SAVE_AND_STOP;
            }
        }
        Integer every = wish.everySeconds();
        boolean due = every != null && !now.isBefore(saved.plusSeconds(every));
        // A save that would still be going on when the last one has to begin is left out.
        return due
                        && (limit == null
                                || now.plus(needed(save)).plus(needed(save)).isBefore(limit))
                ? SAVE
                : NOTHING;
    }

    /** How long before the walltime is over a save has to begin. */
    static Duration needed(Duration save) {
        return save.multipliedBy(SAFETY_PERCENT).dividedBy(100).plus(REQUEUE);
    }

    private static Duration notice(Duration whole) {
        Duration part = whole.dividedBy(NOTICE_PART);
        return part.compareTo(LONGEST_NOTICE) < 0 ? part : LONGEST_NOTICE;
    }
}

package org.vse.job.daemon;

import java.time.Duration;

/** Since when nobody has been reached. Who never was is not missed: a site may be set up so that nobody can be. */
final class Contact {
    private final Duration lease;
    private boolean met;
    private long heard;

    /** @param lease how long nobody may be reached */
    Contact(Duration lease) {
        this.lease = lease;
    }

    /**
     * Takes the result of one look.
     *
     * @param now by a clock that nobody sets, nanoseconds
     * @return true when the lease has run out
     */
    boolean isLost(boolean reached, long now) {
        if (reached) {
            met = true;
            heard = now;
        }
        return met && now - heard > lease.toNanos();
    }
}

package org.vse.job.daemon;

import java.time.Duration;

/** Since when nobody has been reached. Who never was is not missed: a site may be set up so that nobody can be. */
final class Contact {
    /** One look that failed is no proof, however long ago the one before it was. */
    private static final int FEWEST_LOOKS = 3;

    private final Duration lease;
    private boolean met;
    private long heard;
    private int missed;

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
            missed = 0;
        } else {
            missed++;
        }
        return met && missed >= FEWEST_LOOKS && now - heard > lease.toNanos();
    }

    /** Nobody looks for a while: what was before tells nothing of what comes then. */
    void forget() {
        met = false;
        missed = 0;
    }
}

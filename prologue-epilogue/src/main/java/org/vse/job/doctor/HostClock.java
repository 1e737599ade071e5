package org.vse.job.doctor;

import java.time.Instant;
import java.time.ZoneOffset;

/** The clock is that of a living host, and something keeps it right: guests and the ledger take their time from it. */
final class HostClock implements Check {
    /** VSE is not older than this. */
    private static final int FIRST_YEAR = 2026;

    private static final int LAST_YEAR = 2100;

    @Override
    public String name() {
        return "clock";
    }

    @Override
    public Finding look(Host host) {
        Instant now = host.clock().instant();
        int year = now.atOffset(ZoneOffset.UTC).getYear();
        if (year < FIRST_YEAR || year > LAST_YEAR) {
            return Finding.failed("it shows " + now, "timedatectl set-ntp true");
        }
        return host.kernel().isClockSynchronised()
                ? Finding.ok("synchronised")
                : Finding.warning("nothing synchronises it", "timedatectl set-ntp true");
    }
}

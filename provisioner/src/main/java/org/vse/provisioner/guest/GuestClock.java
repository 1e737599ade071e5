package org.vse.provisioner.guest;

import java.math.BigDecimal;
import java.time.Instant;

/** Instants as date(1) takes them after an {@code @}. */
final class GuestClock {
    private GuestClock() {}

    /** Seconds since 1970 with nine decimals. */
    static String seconds(Instant instant) {
        return BigDecimal.valueOf(instant.getEpochSecond())
                .add(BigDecimal.valueOf(instant.getNano(), 9))
                .toPlainString();
    }
}

package org.vse.ledger;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Instants as the database keeps them: microseconds after 1970-01-01T00:00:00Z. */
final class Micros {
    private static final Instant EARLIEST = toInstant(Long.MIN_VALUE);
    private static final Instant LATEST = toInstant(Long.MAX_VALUE);

    private Micros() {}

    /** What lies beyond the reach of a long, 290 000 years away, becomes its end. */
    static long of(Instant instant) {
        if (instant.isBefore(EARLIEST)) {
            return Long.MIN_VALUE;
        }
        return instant.isAfter(LATEST) ? Long.MAX_VALUE : ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    static Instant toInstant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}

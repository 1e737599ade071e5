package org.vse.ledger;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a machine's run ended.
 *
 * @param ended kept in whole microseconds
 * @param cpuNanos CPU time of the machine on the host, nanoseconds; null when it could not be read any more
 * @param peakMemoryBytes largest resident memory on the host, bytes; null when it could not be read any more
 * @param bytesIn what the machine received from its network, bytes; null when unknown
 * @param bytesOut what it sent, bytes; null when unknown
 * @param evidence from what the end was concluded; null when somebody saw it
 */
public record Ending(
        Instant ended,
        VmEnd why,
        @Nullable Long cpuNanos,
        @Nullable Long peakMemoryBytes,
        @Nullable Long bytesIn,
        @Nullable Long bytesOut,
        @Nullable String evidence) {
    public Ending {
        ended = ended.truncatedTo(ChronoUnit.MICROS);
        Objects.requireNonNull(why);
        notNegative("CPU time", cpuNanos);
        notNegative("peak memory", peakMemoryBytes);
        notNegative("bytes in", bytesIn);
        notNegative("bytes out", bytesOut);
        Text.orNull("evidence", evidence);
    }

    /** Seen, with unknown traffic. */
    public Ending(Instant ended, VmEnd why, @Nullable Long cpuNanos, @Nullable Long peakMemoryBytes) {
        this(ended, why, cpuNanos, peakMemoryBytes, null, null, null);
    }

    /** What nobody saw. */
    static Ending concluded(Instant ended, String evidence) {
        return new Ending(ended, VmEnd.LOST, null, null, null, null, evidence);
    }

    private static void notNegative(String name, @Nullable Long number) {
        if (number != null && number < 0) {
            throw new IllegalArgumentException(name + ": " + number);
        }
    }
}

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
 */
public record Ending(
        Instant ended,
        VmEnd why,
        @Nullable Long cpuNanos,
        @Nullable Long peakMemoryBytes) {
    public Ending {
        ended = ended.truncatedTo(ChronoUnit.MICROS);
        Objects.requireNonNull(why);
        if (cpuNanos != null && cpuNanos < 0) {
            throw new IllegalArgumentException("CPU time: " + cpuNanos);
        }
        if (peakMemoryBytes != null && peakMemoryBytes < 0) {
            throw new IllegalArgumentException("peak memory: " + peakMemoryBytes);
        }
    }
}

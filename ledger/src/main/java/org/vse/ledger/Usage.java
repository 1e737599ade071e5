package org.vse.ledger;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the machines of a group have taken inside a time.
 *
 * @param key values of {@link Grouping#titles}; null for what is not known of the machines
 * @param vms machines of which some time lies inside
 * @param running those without an end
 * @param coreMicros microseconds times cores
 * @param cpuMicros CPU time of the machines that ended inside, microseconds
 * @param memoryMibMillis mebibytes times milliseconds
 * @param first begin of the first machine
 */
public record Usage(
        List<@Nullable String> key,
        long vms,
        long running,
        long coreMicros,
        long cpuMicros,
        long memoryMibMillis,
        Instant first) {
    public Usage {
        key = Collections.unmodifiableList(new ArrayList<>(key));
    }

    /** Both together. */
    Usage plus(Usage other) {
        return new Usage(
                key,
                vms + other.vms,
                running + other.running,
                coreMicros + other.coreMicros,
                cpuMicros + other.cpuMicros,
                memoryMibMillis + other.memoryMibMillis,
                first.isBefore(other.first) ? first : other.first);
    }
}

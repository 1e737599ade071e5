package org.vse.scheduler;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.vse.failure.SourcePosition;

/**
 * What a job script asks of a batch system.
 *
 * @param nodes nodes or chunks, at least 1
 * @param coresPerNode empty when the script does not say
 * @param memoryBytes of the whole job; empty when the script does not say
 * @param walltime positive; empty when the script does not say
 * @param name the job's name
 * @param provenance where each value that the script gives was written
 */
public record ResourceRequest(
        int nodes,
        OptionalInt coresPerNode,
        OptionalLong memoryBytes,
        Optional<Duration> walltime,
        Optional<String> name,
        Map<Resource, SourcePosition> provenance) {

    /** What a request can be about. */
    public enum Resource {
        NODES,
        CORES,
        MEMORY,
        WALLTIME,
        NAME
    }

    public ResourceRequest {
        provenance = Map.copyOf(provenance);
        boolean positive = nodes >= 1 && coresPerNode.orElse(1) >= 1 && memoryBytes.orElse(1) >= 1;
        if (!positive || walltime.filter(w -> w.isZero() || w.isNegative()).isPresent()) {
            throw new IllegalArgumentException(
                    "not a request: " + nodes + ", " + coresPerNode + ", " + memoryBytes + ", " + walltime);
        }
    }
}

package org.vse.scheduler.local;

import java.util.HashSet;
import java.util.List;

/**
 * Cores and memory of this node that belong to a job until it is finished.
 *
 * @param job the job's id
 * @param cores at least one, in the order in which the job's machines get them
 * @param memoryBytes memory of the job's machines with what serves them
 * @param shared the job agreed to share its cores with other jobs that did
 */
public record CoreLease(String job, List<Integer> cores, long memoryBytes, boolean shared) {
    public CoreLease {
        cores = List.copyOf(cores);
        if (job.isBlank() || cores.isEmpty() || new HashSet<>(cores).size() != cores.size() || memoryBytes < 0) {
            throw new IllegalArgumentException("not a lease: '" + job + "', " + cores + ", " + memoryBytes);
        }
    }

    /** A lease of cores alone, which nobody else has. */
    public CoreLease(String job, List<Integer> cores) {
        this(job, cores, 0, false);
    }
}

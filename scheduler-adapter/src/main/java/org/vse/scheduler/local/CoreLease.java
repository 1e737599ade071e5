package org.vse.scheduler.local;

import java.util.HashSet;
import java.util.List;

/**
 * Cores of this node that belong to a job until it is finished.
 *
 * @param job the job's id
 * @param cores at least one, in the order in which the job's machines get them
 * @param shared the job agreed to share them with other jobs that did
 */
public record CoreLease(String job, List<Integer> cores, boolean shared) {
    public CoreLease {
        cores = List.copyOf(cores);
        if (job.isBlank() || cores.isEmpty() || new HashSet<>(cores).size() != cores.size()) {
            throw new IllegalArgumentException("not a lease: '" + job + "', " + cores);
        }
    }
}

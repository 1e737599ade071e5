package org.vse.scheduler.local;

import java.util.HashSet;
import java.util.List;

/**
 * Cores of this node that belong to one job until it is finished.
 *
 * @param job the job's id
 * @param cores ascending, at least one
 */
public record CoreLease(String job, List<Integer> cores) {
    public CoreLease {
        cores = cores.stream().sorted().toList();
        if (job.isBlank() || cores.isEmpty() || new HashSet<>(cores).size() != cores.size()) {
            throw new IllegalArgumentException("not a lease: '" + job + "', " + cores);
        }
    }
}

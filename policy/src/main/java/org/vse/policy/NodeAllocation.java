package org.vse.policy;

import java.util.HashSet;
import java.util.List;

/**
 * Cores of one node that a batch system gave to a job as one unit: the whole of its node under most systems, one chunk of
 * the node where a job may have several.
 *
 * @param node the node's name as the batch system says it
 * @param cores numbers of the cores in the order in which they are used; never empty, no number twice
 */
public record NodeAllocation(String node, List<Integer> cores) {
    public NodeAllocation {
        cores = List.copyOf(cores);
        if (node.isBlank() || cores.isEmpty() || cores.stream().anyMatch(c -> c < 0)) {
            throw new IllegalArgumentException("not an allocation: '" + node + "', " + cores);
        }
        if (new HashSet<>(cores).size() != cores.size()) {
            throw new IllegalArgumentException("a core twice on '" + node + "': " + cores);
        }
    }
}

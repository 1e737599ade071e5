package org.vse.policy;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a batch system gave to a job.
 *
 * @param nodes the job's first node first; a node may appear more than once, with different cores
 */
public record Allocation(List<NodeAllocation> nodes) {
    public Allocation {
        nodes = List.copyOf(nodes);
        if (nodes.isEmpty()) {
            throw new IllegalArgumentException("an allocation without nodes");
        }
        Map<String, Set<Integer>> taken = new HashMap<>();
        for (NodeAllocation node : nodes) {
            Set<Integer> cores = taken.computeIfAbsent(node.node(), n -> new HashSet<>());
            for (int core : node.cores()) {
                if (!cores.add(core)) {
                    throw new IllegalArgumentException("core " + core + " of '" + node.node() + "' twice");
                }
            }
        }
    }
}

package org.vse.process.cgroup;

import java.util.List;

/**
 * What the processes of a group may have.
 *
 * @param memoryBytes memory and swap together; beyond it the kernel kills the group's processes and no others
 * @param cores cores that they may run on; empty for all of the group above
 */
public record Bounds(long memoryBytes, List<Integer> cores) {
    public Bounds {
        cores = List.copyOf(cores);
        if (memoryBytes < 1) {
            throw new IllegalArgumentException("memory: " + memoryBytes);
        }
    }
}

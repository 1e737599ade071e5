package org.vse.policy;

import java.util.List;
import java.util.OptionalLong;

/**
 * One VM of a job, before it exists.
 *
 * @param name host name in the job's own network: {@code vm0}, {@code vm1}, …
 * @param index 0 for the job's first VM, which runs the script
 * @param node the node that it runs on
 * @param cores the host core of each virtual processor, in order
 * @param memoryBytes guest memory, a multiple of 1 MiB
 * @param diskBytes size of the disk; empty: the size of the image
 * @param addressIndex which of the addresses of the job's network, from 0; the same in every attempt
 */
public record PlannedVm(
        String name,
        int index,
        String node,
        List<Integer> cores,
        int vcpus,
        long memoryBytes,
        OptionalLong diskBytes,
        int addressIndex) {
    public PlannedVm {
        cores = List.copyOf(cores);
        if (index < 0 || addressIndex < 0 || vcpus < 1 || cores.size() != vcpus) {
            throw new IllegalArgumentException(
                    "not a VM: " + name + ", " + vcpus + " virtual processors on cores " + cores);
        }
    }
}

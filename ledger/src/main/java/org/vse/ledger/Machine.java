package org.vse.ledger;

import java.util.List;

/**
 * One virtual machine of a job, where it runs and what it booted.
 *
 * @param name the machine's name on its node
 * @param index 0 for the job's first machine
 * @param node host name of the node
 * @param cores host core of each virtual processor in order; empty when nothing is pinned
 * @param vcpus virtual processors
 * @param memoryBytes guest memory, bytes
 * @param image the image's name as resolved at admission
 * @param digest what the name stood for
 * @param accelerator what executes the guest's instructions: {@code KVM} or {@code TCG}
 */
public record Machine(
        String name,
        int index,
        String node,
        List<Integer> cores,
        int vcpus,
        long memoryBytes,
        String image,
        String digest,
        String accelerator) {
    public Machine {
        Text.of("machine name", name);
        Text.of("node", node);
        Text.of("image", image);
        Text.of("digest", digest);
        Text.of("accelerator", accelerator);
        cores = List.copyOf(cores);
        if (index < 0) {
            throw new IllegalArgumentException("index: " + index);
        }
        if (vcpus < 1) {
            throw new IllegalArgumentException("vcpus: " + vcpus);
        }
        if (memoryBytes < 1) {
            throw new IllegalArgumentException("memory: " + memoryBytes);
        }
        if (cores.stream().anyMatch(core -> core < 0)) {
            throw new IllegalArgumentException("cores: " + cores);
        }
    }

    /** Cores that the machine occupies: the distinct ones it is pinned to, or one for each virtual processor. */
    public int coreCount() {
        return cores.isEmpty() ? vcpus : (int) cores.stream().distinct().count();
    }
}

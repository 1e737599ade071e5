package org.vse.ledger;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import java.util.List;

/**
 * One virtual machine of a job, where it runs and what it booted.
 *
 * @param name the machine's name on its node
 * @param index 0 for the job's first machine
 * @param node host name of the node
 * @param cores host core of each virtual processor in order; empty when nothing is pinned
 * @param numaNodes NUMA nodes of these cores, ascending; empty when unknown or when the host has only one
 * @param vcpus virtual processors
 * @param memoryBytes guest memory, bytes
 * @param image the image's name as resolved at admission
 * @param digest what the name stood for
 * @param accelerator what executes the guest's instructions: {@code KVM} or {@code TCG}; {@code UNKNOWN} of a machine whose
 *     daemon died as it was started
 */
public record Machine(
        String name,
        int index,
        String node,
        List<Integer> cores,
        @JsonSetter(nulls = Nulls.AS_EMPTY) List<Integer> numaNodes,
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
        numaNodes = List.copyOf(numaNodes);
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

    /** Of unknown NUMA nodes. */
    public Machine(
            String name,
            int index,
            String node,
            List<Integer> cores,
            int vcpus,
            long memoryBytes,
            String image,
            String digest,
            String accelerator) {
        this(name, index, node, cores, List.of(), vcpus, memoryBytes, image, digest, accelerator);
    }

    /** What the machine is to its job: {@code first}, where the script runs, or {@code other}. */
    @JsonIgnore
    public String role() {
        return index == 0 ? "first" : "other";
    }

    /** Cores that the machine occupies: the distinct ones it is pinned to, or one for each virtual processor. */
    public int coreCount() {
        return cores.isEmpty() ? vcpus : (int) cores.stream().distinct().count();
    }
}

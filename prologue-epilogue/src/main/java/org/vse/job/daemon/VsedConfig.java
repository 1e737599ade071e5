package org.vse.job.daemon;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.vse.job.Standing;
import org.vse.job.peer.PeerNodes;
import org.vse.job.step.Node;
import org.vse.provisioner.VmSpec.Accelerator;

/**
 * What the daemon is told about its node; every value is checked.
 *
 * @param node name of this node
 * @param memories host cores that jobs may have, by NUMA node, in the order in which they are given away
 * @param sharers most jobs on a core, when all of them agreed to share
 * @param memory memory that jobs may have together, bytes
 * @param accelerator what executes the instructions of guests; empty when a probe is to find out
 * @param state lasting files
 * @param run files that end with the machine
 * @param standing what the daemon may do; machines of an ordinary user's run as that user and use no pool
 * @param firstQemuUid first uid of the pool for machines
 * @param qemuUids size of the pool
 * @param qemuGid group of the machines' processes
 * @param reap between two looks for what has no living job
 * @param checkpoints where saved machines are kept
 * @param checkpointKey file of the key that tells this site's from others
 * @param peers how this node speaks to others; empty when it speaks to none
 */
record VsedConfig(
        String node,
        List<List<Integer>> memories,
        int sharers,
        long memory,
        Optional<Accelerator> accelerator,
        Path state,
        Path run,
        Standing standing,
        int firstQemuUid,
        int qemuUids,
        int qemuGid,
        Duration boot,
        Duration setup,
        Duration start,
        Duration grace,
        Duration reap,
        Node.Limits limits,
        Path checkpoints,
        Path checkpointKey,
        Optional<Peers> peers) {
    VsedConfig {
        memories = memories.stream().map(List::copyOf).toList();
    }

    /**
     * How a node speaks to others.
     *
     * @param listen where it listens for them
     * @param nodes where they listen
     * @param certificates directory of what it proves itself with
     * @param lease how long a part of a job lives without a word from the job's first node
     * @param headQuestion a command that succeeds while the batch system's head is reached; empty for the batch system's own
     */
    record Peers(
            InetSocketAddress listen, PeerNodes nodes, Path certificates, Duration lease, List<String> headQuestion) {
        Peers {
            headQuestion = List.copyOf(headQuestion);
        }
    }

    /** Host cores that jobs may have, ascending. */
    List<Integer> cores() {
        return memories.stream().flatMap(List::stream).sorted().toList();
    }
}

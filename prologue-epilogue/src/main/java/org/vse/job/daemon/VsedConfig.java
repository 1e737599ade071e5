package org.vse.job.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.vse.provisioner.VmSpec.Accelerator;

/**
 * What the daemon is told about its node; every value is checked.
 *
 * @param node name of this node
 * @param cores host cores that jobs may have
 * @param accelerator what executes the instructions of guests
 * @param state lasting files
 * @param run files that end with the machine
 * @param firstQemuUid first uid of the pool for machines
 * @param qemuUids size of the pool
 * @param qemuGid group of the machines' processes
 */
record VsedConfig(
        String node,
        List<Integer> cores,
        Accelerator accelerator,
        Path state,
        Path run,
        int firstQemuUid,
        int qemuUids,
        int qemuGid,
        Duration boot,
        Duration setup,
        Duration start,
        Duration grace) {
    VsedConfig {
        cores = List.copyOf(cores);
    }
}

package org.vse.job.step;

import java.time.Clock;
import org.vse.imagestore.ImageStore;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.ledger.Ledger;
import org.vse.process.CommandRunner;
import org.vse.process.cgroup.Cgroups;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.accelerator.AcceleratorChoice;
import org.vse.provisioner.checkpoint.CheckpointStore;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.share.ShareServer;

/**
 * What the steps work with on this node.
 *
 * @param name this node, as schedulers call it
 * @param owner id of this installation; part of every label
 * @param accelerators what executes the instructions of guests
 * @param timeouts how long each step may take
 * @param limits what a job may make the host hold
 * @param differences images that are made for jobs
 * @param cgroups the groups of this installation's jobs
 * @param checkpoints where saved machines are kept, perhaps with those of other nodes
 * @param sisters the parts of jobs on other nodes
 */
public record Node(
        String name,
        String owner,
        AcceleratorChoice accelerators,
        Timeouts timeouts,
        Limits limits,
        Cgroups cgroups,
        ImageStore images,
        Differences differences,
        VmDriver driver,
        JobNetwork network,
        Sisters sisters,
        ShareServer shares,
        Ledger ledger,
        CheckpointStore checkpoints,
        CommandRunner commands,
        GrowthWatch growth,
        Clock clock) {

    /**
     * Bounds of what steps wait for.
     *
     * @param boot from the start of a machine until its guest answers
     * @param setup of a guest that answers
     * @param start from the order to start the script until it runs
     * @param grace between TERM and KILL when a job is cancelled
     */
    public record Timeouts(
            java.time.Duration boot, java.time.Duration setup, java.time.Duration start, java.time.Duration grace) {}

    /**
     * Bounds of what a job may make the host hold, bytes.
     *
     * @param machineOverhead memory of a machine's QEMU beside the guest's own
     * @param share memory of a job's share server
     * @param output of one standard stream of a job
     * @param console of one machine
     */
    public record Limits(long machineOverhead, long share, long output, long console) {
        /**
         * Memory that a job holds, the largest number for more than that.
         *
         * @param machines how many it has
         * @param memoryBytes RAM of each
         * @param served whether it has a share server
         */
        public long memory(long machines, long memoryBytes, boolean served) {
            long each = memoryBytes + machineOverhead;
            long rest = served ? share : 0;
            return machines > (Long.MAX_VALUE - rest) / each ? Long.MAX_VALUE : machines * each + rest;
        }
    }
}

package org.vse.job.step;

import java.time.Clock;
import org.vse.imagestore.ImageStore;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.ledger.Ledger;
import org.vse.process.CommandRunner;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.share.ShareServer;

/**
 * What the steps work with on this node.
 *
 * @param name this node, as schedulers call it
 * @param owner id of this installation; part of every label
 * @param timeouts how long each step may take
 */
public record Node(
        String name,
        String owner,
        Accelerator accelerator,
        Timeouts timeouts,
        ImageStore images,
        VmDriver driver,
        JobNetwork network,
        ShareServer shares,
        Ledger ledger,
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
}

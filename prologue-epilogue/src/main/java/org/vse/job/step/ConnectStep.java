package org.vse.job.step;

import java.util.List;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;
import org.vse.policy.Network;
import org.vse.provisioner.network.JobNetwork;

/** A network that joins the machines of this job, and its share server, and nobody else. */
final class ConnectStep implements Step {
    private final Node node;

    ConnectStep(Node node) {
        this.node = node;
    }

    @Override
    public String name() {
        return "connect";
    }

    @Override
    public void apply(Job job, Progress progress) {
        if (job.record().network() == Network.JOB) {
            node.network().openSwitch(job.record().networkPlan(), taps(node, job.record()));
            List<String> others = node.sisters().underlays(job.record());
            if (!others.isEmpty()) {
                node.network().span(job.record().networkPlan(), others);
            }
        }
    }

    @Override
    public void undo(Job job) {
        if (job.record().network() == Network.JOB) {
            node.network().closeSwitch(job.record().networkPlan(), taps(node, job.record()));
        }
    }

    static List<JobNetwork.Tap> taps(Node node, JobRecord record) {
        return record.machinesOn(node.name()).stream()
                .map(machine -> new JobNetwork.Tap(record.networkPlan().tap(machine.index()), record.qemuUid()))
                .toList();
    }
}

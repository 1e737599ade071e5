package org.vse.job.step;

import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;

/** The job's other nodes begin to bring up their machines, while this one creates its own. */
final class PartsStep implements Step {
    private final Node node;

    PartsStep(Node node) {
        this.node = node;
    }

    @Override
    public String name() {
        return "parts";
    }

    @Override
    public void apply(Job job, Progress progress) {
        if (job.record().nodes().size() > 1) {
            progress.waiting(
                    "the daemons of " + (job.record().nodes().size() - 1) + " other node(s)",
                    node.clock().instant().plus(node.timeouts().setup()));
            node.sisters()
                    .begin(job, JobKeys.ensure(node.commands(), job.files().key()));
        }
    }

    @Override
    public void undo(Job job) {
        if (job.record().nodes().size() > 1) {
            node.sisters().end(job);
        }
    }
}

package org.vse.job.step;

import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;

/** The control group of this job attempt: made with its first process, removed with whatever is left in it. */
final class GroupStep implements Step {
    private final Node node;

    GroupStep(Node node) {
        this.node = node;
    }

    @Override
    public String name() {
        return "group";
    }

    @Override
    public void apply(Job job, Progress progress) {}

    @Override
    public void undo(Job job) {
        node.cgroups().remove(job.record().tag());
    }
}

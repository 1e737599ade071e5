package org.vse.job.daemon;

import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.step.Node;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmStatus;

/** A batch system suspends a job, or lets it go on: its machines stand still meanwhile. */
final class Suspension {
    private Suspension() {}

    /**
     * Pauses or resumes every machine of a running job, and tells its user when that changed something.
     *
     * @throws VseException JOB_STATE when the job is not running; NOT_SUPPORTED when it is on several nodes
     */
    static void change(Node node, Job job, boolean run) {
        if (job.state() != JobState.RUNNING || job.outcome().isPresent()) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + job.record().id() + "' is not running")
                    .fact("state", job.state());
        }
        boolean changed = false;
        if (job.record().nodes().size() > 1) {
            throw VseException.of(ErrorCode.NOT_SUPPORTED, "a job on several nodes cannot be suspended")
                    .fact("nodes", String.join(", ", job.record().nodes()))
                    .next("cancel it, or let it run");
        }
        for (JobRecord.Machine machine : job.record().machines()) {
            VmName name = job.record().vmName(machine.index());
            boolean paused = node.driver()
                    .find(name)
                    .filter(status -> status.state() == VmStatus.State.PAUSED)
                    .isPresent();
            // Batch systems send CONT also to what never stopped.
            if (paused && run) {
                node.driver().resume(name);
            } else if (!paused && !run) {
                node.driver().pause(name);
            }
            changed |= paused == run;
        }
        if (changed) {
            job.notice(run ? "the machines go on" : "the machines are paused");
        }
    }
}

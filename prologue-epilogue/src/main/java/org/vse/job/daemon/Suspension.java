package org.vse.job.daemon;

import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Suspended;
import org.vse.job.step.AllMachines;
import org.vse.job.step.Node;
import org.vse.job.step.SaveWord;

/** A batch system or the user suspends a job, or lets it go on: its machines stand still meanwhile, on all its nodes. */
final class Suspension {
    private Suspension() {}

    /**
     * Pauses or resumes every machine of a running job, and tells its user when that changed something. What is so already
     * stays so: batch systems send CONT also to what never stopped.
     *
     * @param walltimeStands whether the job's walltime does not go on meanwhile
     * @throws VseException JOB_STATE when the job is not running, or is being saved; what a machine or a node fails with
     */
    static void change(Node node, Job job, boolean run, boolean walltimeStands) {
        if (job.state() != JobState.RUNNING || job.outcome().isPresent()) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + job.record().id() + "' is not running")
                    .fact("state", job.state());
        }
        if (job.pauses().saving().isPresent()) {
            throw VseException.of(
                            ErrorCode.JOB_STATE,
                            "the machines of job '" + job.record().id() + "' are being saved")
                    .next("wait for that, then ask again");
        }
        Suspended before = job.pauses().suspended();
        if (before.isNow() != run) {
            return;
        }
        AllMachines machines = AllMachines.of(node, job);
        if (run) {
            machines.say(SaveWord.GO_ON);
            job.pauses().suspend(before.until(node.clock().instant()));
            machines.say(SaveWord.WAKE);
            job.notice("the machines go on");
        } else {
            job.pauses().suspend(before.from(node.clock().instant(), walltimeStands));
            try {
                machines.say(SaveWord.PAUSE);
            } catch (VseException e) {
                job.pauses().suspend(before);
                throw e;
            }
            job.notice("the machines are paused");
        }
    }
}

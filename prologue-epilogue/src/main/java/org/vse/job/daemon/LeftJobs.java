package org.vse.job.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.hook.EndedJobs;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.step.JobGroup;
import org.vse.job.step.Node;

/** What an earlier daemon left: jobs whose script may be running go on, all others are taken down. */
final class LeftJobs {
    private static final Logger LOG = LoggerFactory.getLogger(LeftJobs.class);

    private LeftJobs() {}

    /** Takes up every job that has not ended. */
    static void takeUp(Node node, List<Job> kept, JobRunner runner) {
        for (Job job : kept) {
            if (job.state().isFinal()) {
                // The end may have been durable before it was told.
                job.feed().publish(EventFeed.LAST);
                job.close();
            } else {
                node.growth().add(job.files().directory());
                takeUp(node, job, runner);
            }
        }
    }

    /**
     * Fails every job that its batch system has ended while no daemon was there.
     *
     * @param run the directory where hooks leave word of that
     */
    static void endWhatEnded(Path run, List<Job> kept) {
        try {
            for (EndedJobs.Ended ended : EndedJobs.read(run)) {
                for (Job job : kept) {
                    JobRecord record = job.record();
                    if (!job.state().isFinal()
                            && job.outcome().isEmpty()
                            && ended.covers(record.scheduler(), record.id(), record.attempt())) {
                        job.fail(VseException.of(
                                ErrorCode.JOB_CANCELLED,
                                "the batch system has ended job '" + record.id() + "' while no daemon was there"));
                    }
                }
                Files.deleteIfExists(ended.file());
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "what hooks have left cannot be read")
                    .at(run.toString())
                    .because(e);
        }
    }

    private static void takeUp(Node node, Job job, JobRunner runner) {
        String id = job.record().id();
        if (job.failure().isPresent()
                || job.outcome().isPresent()
                || job.pauses().saved().isPresent()) {
            LOG.info("job {} is over and is taken down", id);
            runner.finish(job);
        } else if (job.state() == JobState.RUNNING && !job.journal().isGoingBack()) {
            LOG.info("job {} goes on", id);
            for (JobRecord.Machine machine : job.record().machinesOn(node.name())) {
                // A machine that was being saved is in its file, perhaps.
                if (job.pauses().saving().isEmpty()
                        && node.driver()
                                .find(job.record().vmName(machine.index()))
                                .isEmpty()) {
                    JobGroup.ended(node, job, job.record().vmName(machine.index()), "ended while no daemon was there");
                }
            }
            job.notice("the daemon was restarted; the job goes on");
            runner.drive(job);
        } else {
            LOG.info("job {} is undone: its script did not run yet", id);
            runner.takeBack(
                    job,
                    VseException.of(
                                    ErrorCode.STEP_INTERRUPTED,
                                    "the daemon ended before the script of job '" + id + "' ran; everything was undone")
                            .next("run the job again"));
        }
    }
}

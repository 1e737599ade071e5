package org.vse.job.step;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Outcome;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;

/** The machines of a part are there for the script on the first node until that node releases them. */
final class HoldStep implements Step {
    private static final long LOOK_MILLIS = 500;
    private static final Duration SHARE_LOOK = Duration.ofSeconds(5);

    private final Node node;
    private final ShareStep share;
    private final PartLeases leases;

    HoldStep(Node node, ShareStep share, PartLeases leases) {
        this.node = node;
        this.share = share;
        this.leases = leases;
    }

    @Override
    public String name() {
        return "hold";
    }

    @Override
    public void apply(Job job, Progress progress) {
        if (job.state() != JobState.RUNNING) {
            job.journal().enter(JobState.RUNNING);
            job.feed().publish("held");
        }
        Path directory = job.files().directory();
        Instant look = node.clock().instant();
        try {
            while (!leases.isReleased(job)) {
                long version = node.growth().version(directory);
                Guests.requireSound(node, job);
                if (node.clock().instant().isAfter(look)) {
                    share.revive(job);
                    look = node.clock().instant().plus(SHARE_LOOK);
                }
                node.growth().await(directory, version, LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the part was interrupted")
                    .because(e);
        }
        job.end(new Outcome(0, null, node.clock().instant(), 0, 0, false));
    }

    @Override
    public void undo(Job job) {
        leases.forget(job);
    }
}

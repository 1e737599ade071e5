package org.vse.job.step;

import java.time.Duration;
import java.time.Instant;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;

/** Sees to it that the node holds the very image that was admitted. */
final class StageStep implements Step {
    private final Node node;

    StageStep(Node node) {
        this.node = node;
    }

    @Override
    public String name() {
        return "stage";
    }

    @Override
    public void apply(Job job, Progress progress) {
        boolean wasHere = node.images().byDigest(job.record().digest()).isPresent();
        Instant begin = node.clock().instant();
        if (!wasHere) {
            progress.waiting(
                    "image " + job.record().image() + " to arrive",
                    node.clock().instant().plusSeconds(600));
        }
        Image image = node.images().bring(job.record().digest());
        if (!node.images().quickVerified(image)) {
            progress.waiting(
                    "every byte of image " + image.reference() + " to be compared with its digest",
                    node.clock().instant().plusSeconds(600));
            node.images().verify(image);
        }
        if (!wasHere) {
            Duration took = Duration.between(begin, node.clock().instant());
            node.ledger().record(VmAccount.fetched(node, job, image.virtualSizeBytes(), took));
        }
        if (!job.record().additions().changes().isNone()) {
            Image different = node.differences().image(node, job, image, progress);
            if (!node.images().quickVerified(different)) {
                node.images().verify(different);
            }
        }
        job.journal().enter(JobState.STAGED);
    }

    /** The image that the job was admitted with, whatever its tag means by now, or what was made of it for the job. */
    static Image image(Node node, Job job) {
        return node.images()
                .byDigest(job.booted())
                .orElseThrow(() -> VseException.of(
                                ErrorCode.IMAGE_UNKNOWN,
                                "image '" + job.record().image() + "' is no longer on this node")
                        .fact("digest", job.booted())
                        .next("vse image ls"));
    }

    /** The image stays: other jobs use it. What is left of the making of one goes. */
    @Override
    public void undo(Job job) {
        if (!job.record().additions().changes().isNone()) {
            DifferenceBuild.remove(node, job);
        }
    }
}

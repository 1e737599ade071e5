package org.vse.job.step;

import java.util.List;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.job.lifecycle.Step;

/** The life of a job on one page. */
public final class Steps {
    private Steps() {}

    /**
     * The literal list.
     *
     * <p>Before it, {@code admit} has parsed the directives, pinned the image to a digest and planned machines to cores;
     * the result is the job's record. After it, {@code settle} undoes everything in reverse and writes the ledger.
     */
    public static JobLifecycle lifecycle(Node node) {
        ShareStep share = new ShareStep(node);
        List<Step> steps = List.of(
                new GroupStep(node), // every process that serves the job is in its group
                new StageStep(node), // the node holds the image, digest verified
                share, // the user's directories are served to this job only
                new ConnectStep(node), // a network of this job only
                new CreateStep(node), // overlay and domain of every machine, in parallel
                new ReadyStep(node, share), // guests answer; clock, names, user, network, share are set
                new RunStep(node, share)); // the script, in the first machine
        return new JobLifecycle(steps);
    }
}

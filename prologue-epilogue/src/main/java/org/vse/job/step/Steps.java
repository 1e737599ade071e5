package org.vse.job.step;

import java.util.List;
import java.util.function.Function;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.job.lifecycle.JobRecord;
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
                new PartsStep(node), // the job's other nodes bring up their parts
                new CreateStep(node), // overlay and domain of every machine, in parallel
                new ReadyStep(node, share), // guests answer; clock, names, user, network, share are set
                new RunStep(node, share)); // the script, in the first machine
        return new JobLifecycle(steps);
    }

    /** Which list is a job's on this node: the whole one where its first machine is, else that of a part. */
    public static Function<JobRecord, JobLifecycle> of(Node node, PartLeases leases) {
        JobLifecycle whole = lifecycle(node);
        JobLifecycle part = part(node, leases);
        return record -> record.coordinator().equals(node.name()) ? whole : part;
    }

    /** The part of a job on a node that is not its first: the same list, with a hold in the place of the run. */
    public static JobLifecycle part(Node node, PartLeases leases) {
        ShareStep share = new ShareStep(node);
        List<Step> steps = List.of(
                new GroupStep(node),
                new StageStep(node),
                share,
                new ConnectStep(node),
                new CreateStep(node),
                new ReadyStep(node, share),
                new HoldStep(node, share, leases)); // there for the first node while that holds its lease
        return new JobLifecycle(steps);
    }
}

package org.vse.job.step;

import org.vse.job.lifecycle.JobRecord;

/** What a job is called in the store of checkpoints. */
public final class SetName {
    private SetName() {}

    /** The same for all attempts of a job, on all nodes of the site. */
    public static String of(Node node, JobRecord record) {
        return of(node, record.scheduler(), record.id());
    }

    /** The name of a job of that batch system; numbers of the embedded scheduler are this installation's own. */
    public static String of(Node node, String scheduler, String id) {
        String site = scheduler.equals(JobRecord.EMBEDDED) ? node.owner() : "";
        return JobRecord.tagOf(site, scheduler, id, 0);
    }
}

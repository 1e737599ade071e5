package org.vse.job.step;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;
import org.vse.policy.Network;
import org.vse.policy.Share;
import org.vse.process.NamespaceMembers;
import org.vse.provisioner.network.NetworkPlan;
import org.vse.provisioner.share.NfsShare;

/** Serves the user's directories to the machines of this job and to nobody else. */
final class ShareStep implements Step {
    private static final Duration UP = Duration.ofSeconds(20);

    private final Node node;
    private final Map<String, Process> starting = new ConcurrentHashMap<>();

    ShareStep(Node node) {
        this.node = node;
    }

    @Override
    public String name() {
        return "share";
    }

    /** Starts the server and goes on; {@link #awaitUp} is called when guests are about to mount. */
    @Override
    public void apply(Job job, Progress progress) {
        if (job.record().network() != Network.JOB) {
            return;
        }
        NetworkPlan plan = job.record().networkPlan();
        JobRecord.Resume resume = job.record().resume();
        if (resume != null) {
            MachinesHere.restoreShare(
                    node, job.record(), node.checkpoints().open(resume.set(), resume.number()), home(job));
        }
        node.network().openService(plan);
        if (job.record().share() == Share.NFS) {
            starting.put(job.record().tag(), start(job));
        }
    }

    private Process start(Job job) {
        NetworkPlan plan = job.record().networkPlan();
        NfsShare share = new NfsShare(
                plan.serviceNamespace(),
                plan.serviceAddress(),
                job.record().user().uid(),
                job.record().user().gid(),
                job.record().user().groups().stream().map(JobRecord.Group::gid).toList(),
                job.record().shared().stream()
                        .map(JobRecord.SharedPath::source)
                        .map(Path::of)
                        .toList(),
                job.record().additions().mounts().stream()
                        .map(mount -> new NfsShare.Mount(Path.of(mount.path()), mount.writable()))
                        .toList());
        Process server = node.shares().start(share, home(job));
        JobGroup.share(node, job, server);
        return server;
    }

    /**
     * Starts the server again when it has ended; what the guests have open they open again by themselves.
     *
     * @return false when it was there
     */
    boolean revive(Job job) {
        if (job.record().share() != Share.NFS
                || !NamespaceMembers.of(
                                NetworkPlan.file(job.record().networkPlan().serviceNamespace()))
                        .isEmpty()) {
            return false;
        }
        node.shares().awaitUp(start(job), home(job), UP);
        return true;
    }

    /** Waits until the server that this process started answers. */
    void awaitUp(Job job) {
        Process server = starting.remove(job.record().tag());
        if (server != null) {
            node.shares().awaitUp(server, home(job), UP);
        }
    }

    @Override
    public void undo(Job job) {
        starting.remove(job.record().tag());
        if (job.record().network() == Network.JOB) {
            node.network().closeService(job.record().networkPlan());
        }
        Tree.delete(home(job));
    }

    private static Path home(Job job) {
        return job.files().share();
    }
}

package org.vse.job.step;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.HostMount;
import org.vse.policy.Network;
import org.vse.policy.PlugIn;
import org.vse.provisioner.guest.GuestControl.GuestResult;
import org.vse.provisioner.guest.GuestExport;
import org.vse.provisioner.network.NetworkPlan;

/** The plug-in {@code nfs-server}: a directory of the head that every worker has at the same path, with the job's user's rights. */
public final class NfsServer {
    /** For one guest. */
    static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Node node;

    /** For the machines of that node. */
    public NfsServer(Node node) {
        this.node = node;
    }

    /**
     * Serves the directory from the head, which is here, to the workers wherever they are; returns when each has it.
     *
     * @throws VseException PLUG_IN_FAILED naming the machine and what it said
     */
    void serve(Job job, PlugIn plugIn) {
        JobRecord record = job.record();
        requireApart(record, plugIn.argument());
        JobRecord.Machine head = record.machines().get(0);
        List<String> workers = record.machines().stream()
                .skip(1)
                .map(machine -> record.networkPlan().address(machine.index()))
                .toList();
        require(
                head,
                GuestExport.serve(
                        Guests.control(node, job, 0),
                        plugIn.argument(),
                        record.user().uid(),
                        record.user().gid(),
                        workers,
                        TIMEOUT));
        join(job);
        node.sisters().join(job);
    }

    /**
     * The workers on this node mount what the head serves. Doing it again changes nothing.
     *
     * @throws VseException PLUG_IN_FAILED as above, or when the job has no such plug-in
     */
    public void join(Job job) {
        JobRecord record = job.record();
        String directory = of(record)
                .orElseThrow(() -> VseException.of(ErrorCode.PLUG_IN_FAILED, "the head of the job serves nothing"))
                .argument();
        List<JobRecord.Machine> workers = record.machinesOn(node.name()).stream()
                .filter(machine -> machine.index() > 0)
                .toList();
        NetworkPlan plan = record.networkPlan();
        InParallel.each(
                workers,
                machine -> require(
                        machine,
                        GuestExport.mount(
                                Guests.control(node, job, machine.index()),
                                plan.address(0),
                                plan.address(machine.index()),
                                directory,
                                TIMEOUT)));
    }

    private static Optional<PlugIn> of(JobRecord record) {
        return record.additions().plugIns().stream()
                .filter(plugIn -> plugIn.name().equals(PlugIn.NFS_SERVER))
                .findFirst();
    }

    /**
     * A directory that the head has from its node cannot be served once more, and must not be hidden from the workers.
     *
     * @throws VseException PLUG_IN_FAILED
     */
    static void requireApart(JobRecord record, String directory) {
        if (record.machines().size() > 1 && record.network() != Network.JOB) {
            throw failed().fact("reason", "network=" + record.network().word() + " joins no machines")
                    .next("remove network=" + record.network().word());
        }
        Path asked = Path.of(directory);
        Stream.concat(
                        record.shared().stream().map(JobRecord.SharedPath::target),
                        record.additions().mounts().stream().map(HostMount::path))
                .map(Path::of)
                .filter(shared -> shared.startsWith(asked) || asked.startsWith(shared))
                .findFirst()
                .ifPresent(shared -> {
                    throw failed().fact(
                                    "reason", "'" + shared + "' comes from the node, and every machine has it already")
                            .next("name a directory of the head's own disk, such as nfs-server:/scratch/shared");
                });
    }

    private static void require(JobRecord.Machine machine, GuestResult result) {
        if (result.exitCode() != 0) {
            throw failed().fact("machine", machine.name())
                    .fact("exit code", result.exitCode())
                    .fact("said", result.stderr().strip());
        }
    }

    private static VseException failed() {
        return VseException.of(ErrorCode.PLUG_IN_FAILED, "plug-in '" + PlugIn.NFS_SERVER + "' failed");
    }
}

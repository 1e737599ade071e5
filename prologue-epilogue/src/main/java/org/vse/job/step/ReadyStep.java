package org.vse.job.step;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;
import org.vse.policy.HostMount;
import org.vse.policy.Network;
import org.vse.policy.Share;
import org.vse.provisioner.guest.GuestAccount;
import org.vse.provisioner.guest.GuestConfigurator;
import org.vse.provisioner.guest.GuestControl;
import org.vse.provisioner.guest.GuestMount;
import org.vse.provisioner.guest.GuestNic;
import org.vse.provisioner.guest.GuestSetup;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.network.NetworkPlan;
import org.vse.provisioner.share.NfsShare;

/** The guests answer and know the job: clock, names, user, network, share, key. */
final class ReadyStep implements Step {
    private static final int MTU = 1500;

    /** What another node may need on top, to fetch the image and to compare it with its digest. */
    private static final Duration STAGING = Duration.ofMinutes(10);

    private final Node node;
    private final ShareStep share;

    ReadyStep(Node node, ShareStep share) {
        this.node = node;
        this.share = share;
    }

    @Override
    public String name() {
        return "ready";
    }

    @Override
    public void apply(Job job, Progress progress) {
        Integer asked = job.record().additions().bootSeconds();
        Instant deadline =
                node.clock().instant().plus(asked == null ? node.timeouts().boot() : Duration.ofSeconds(asked));
        List<JobRecord.Machine> here = job.record().machinesOn(node.name());
        int count = here.size();
        progress.waiting(count == 1 ? "the guest to answer" : count + " guests to answer", deadline);
        // The work that does not need the guest is done while it boots.
        GuestSetup.SshKey key = JobKeys.ensure(node.commands(), job.files().key());
        share.awaitUp(job);
        // Guests that go on from their saved memory are what they were, and stand still until the script may go on.
        if (job.record().resume() == null) {
            InParallel.each(here, machine -> configure(job, machine, key, deadline));
        }
        node.sisters().awaitReady(job, deadline.plus(node.timeouts().setup()).plus(STAGING), progress);
        if (job.record().resume() == null && job.record().coordinator().equals(node.name())) {
            new PlugIns(node).apply(job, progress);
        }
        job.journal().enter(JobState.READY);
    }

    private void configure(Job job, JobRecord.Machine machine, GuestSetup.SshKey key, Instant deadline) {
        GuestControl guest = Guests.control(node, job, machine.index());
        guest.awaitReady(deadline);
        new GuestConfigurator(node.timeouts().setup(), node.timeouts().setup())
                .apply(guest, setup(job.record(), machine, key, node.clock().instant()));
    }

    /** What the guest of that machine is told: a pure function of the record, the key and the time. */
    static GuestSetup setup(JobRecord record, JobRecord.Machine machine, GuestSetup.SshKey key, Instant now) {
        NetworkPlan plan = record.networkPlan();
        boolean joined = record.network() == Network.JOB;
        List<GuestSetup.Host> hosts = new ArrayList<>();
        if (joined) {
            for (JobRecord.Machine each : record.machines()) {
                hosts.add(new GuestSetup.Host(plan.address(each.index()), List.of(each.name())));
            }
        }
        String address = plan.address(machine.index());
        return new GuestSetup(
                now,
                machine.name(),
                hosts,
                account(record.user()),
                joined
                        ? Optional.of(new GuestNic(
                                record.mac(machine.index()),
                                address + "/" + plan.prefix(),
                                Optional.empty(),
                                record.nodes().size() == 1 ? MTU : MTU - JobNetwork.TUNNEL_BYTES))
                        : Optional.empty(),
                mounts(record, plan, address),
                List.of(record.cwd()),
                LaunchPlan.nodes(record),
                Optional.of(key),
                machine.role(),
                record.additions().servicesOf(machine.index()));
    }

    private static GuestAccount account(JobRecord.User user) {
        return new GuestAccount(
                user.name(),
                user.uid(),
                user.groups().stream()
                        .map(group -> new GuestAccount.Group(group.name(), group.gid()))
                        .toList(),
                user.home(),
                user.shell());
    }

    private static List<GuestMount> mounts(JobRecord record, NetworkPlan plan, String address) {
        List<GuestMount> mounts = new ArrayList<>();
        for (int i = 0; i < record.shared().size(); i++) {
            String target = Path.of(record.shared().get(i).target()).toString();
            if (record.share() == Share.NFS) {
                mounts.add(new GuestMount.Nfs(plan.serviceAddress(), address, NfsShare.export(i), target, List.of()));
            } else if (record.share() == Share.P9) {
                mounts.add(new GuestMount.NineP("vse" + i, target));
            }
        }
        for (HostMount mount : record.additions().mounts()) {
            mounts.add(new GuestMount.Nfs(
                    plan.serviceAddress(),
                    address,
                    NfsShare.export(mounts.size()),
                    mount.path(),
                    mount.writable() ? List.of() : List.of("ro")));
        }
        return mounts;
    }

    /** What was set up in a guest goes with the guest; the key opens nothing any more. */
    @Override
    public void undo(Job job) {
        JobKeys.delete(job.files().key());
    }
}

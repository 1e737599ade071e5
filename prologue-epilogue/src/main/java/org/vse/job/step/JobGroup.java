package org.vse.job.step;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.process.ProcessIdentity;
import org.vse.process.cgroup.Bounds;
import org.vse.process.cgroup.GroupUsage;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.VmUsage;

/** The control groups of a job attempt: one for each machine, one for the share server. */
public final class JobGroup {
    private static final String SHARE = "share";
    private static final String BUILD = "build";

    private JobGroup() {}

    /** Binds a machine that was just started; one without a process is left alone. */
    static void machine(Node node, Job job, JobRecord.Machine machine, VmStatus status) {
        if (!status.process().isEmpty()) {
            node.cgroups()
                    .put(
                            job.record().tag(),
                            cores(node, job),
                            member(machine.index()),
                            new Bounds(bound(node, machine), machine.cores()),
                            ProcessIdentity.ofText(status.process()));
        }
    }

    /** Binds the machine in which a job's image is changed. */
    static void build(Node node, Job job, JobRecord.Machine machine, VmStatus status) {
        if (!status.process().isEmpty()) {
            node.cgroups()
                    .put(
                            job.record().tag(),
                            cores(node, job),
                            BUILD,
                            new Bounds(bound(node, machine), machine.cores()),
                            ProcessIdentity.ofText(status.process()));
        }
    }

    /** Binds a share server that was just started. */
    static void share(Node node, Job job, Process server) {
        ProcessIdentity.of(server.pid())
                .ifPresent(process -> node.cgroups()
                        .put(
                                job.record().tag(),
                                cores(node, job),
                                SHARE,
                                new Bounds(node.limits().share(), List.of()),
                                process));
    }

    /** What a machine used, from its group where that knows, else as the hypervisor said; empty for what nobody knows. */
    static Total total(Node node, Job job, JobRecord.Machine machine, Optional<VmUsage> told) {
        Optional<GroupUsage> group = node.cgroups().usage(job.record().tag(), member(machine.index()));
        OptionalLong cpu = group.map(GroupUsage::cpuNanos).orElse(OptionalLong.empty());
        OptionalLong peak = group.map(GroupUsage::peakBytes).orElse(OptionalLong.empty());
        return new Total(
                // The hypervisor counts from the start of the process, the group to its end.
                told.isEmpty() ? cpu : OptionalLong.of(Math.max(told.get().cpuNanos(), cpu.orElse(0))),
                told.isEmpty() || peak.isPresent()
                        ? peak
                        : OptionalLong.of(told.get().memoryBytes()));
    }

    /** CPU time and largest memory of a machine over its life. */
    record Total(OptionalLong cpuNanos, OptionalLong memoryBytes) {}

    /**
     * Notes that a machine has ended by itself, and whether the kernel ended it for its memory.
     *
     * @param why the hypervisor's word
     */
    public static void ended(Node node, Job job, VmName name, String why) {
        for (JobRecord.Machine machine : job.record().machines()) {
            if (job.record().vmName(machine.index()).equals(name)) {
                boolean killed = node.cgroups()
                        .usage(job.record().tag(), member(machine.index()))
                        .filter(usage -> usage.oomKills() > 0)
                        .isPresent();
                if (killed) {
                    job.machineExceeded(name, bound(node, machine));
                } else {
                    job.machineEnded(name, why);
                }
            }
        }
    }

    private static long bound(Node node, JobRecord.Machine machine) {
        return machine.memoryBytes() + node.limits().machineOverhead();
    }

    private static List<Integer> cores(Node node, Job job) {
        return job.record().machinesOn(node.name()).stream()
                .flatMap(machine -> machine.cores().stream())
                .distinct()
                .toList();
    }

    private static String member(int machine) {
        return "vm" + machine;
    }
}

package org.vse.job.step;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.vse.imagestore.Boot;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.Provides;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.Network;
import org.vse.policy.Share;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.guest.ControlRecords;
import org.vse.provisioner.guest.GuestJob;

/** What the machines of a job are started with: a pure function of the record, so that they can be started again. */
final class MachineSpecs {
    /** Ports whose bytes are appended to files of the host. */
    static final List<String> PORTS = List.of(GuestJob.STDOUT_PORT, GuestJob.STDERR_PORT, ControlRecords.PORT);

    private MachineSpecs() {}

    static VmSpec of(
            String owner,
            JobRecord record,
            JobFiles files,
            Boot boot,
            Accelerator accelerator,
            JobRecord.Machine machine) {
        VmName name = record.vmName(machine.index());
        String mac = record.mac(machine.index());
        boolean isFirst = machine.index() == 0;
        List<VmSpec.SharedDirectory> shares = new ArrayList<>();
        if (record.share() == Share.P9) {
            for (int i = 0; i < record.shared().size(); i++) {
                shares.add(new VmSpec.SharedDirectory(
                        "vse" + i, Path.of(record.shared().get(i).source())));
            }
        }
        return new VmSpec(
                name,
                UUID.nameUUIDFromBytes(name.value().getBytes(StandardCharsets.UTF_8)),
                new VmLabel(owner, record.tag(), record.attempt(), machine.index()),
                accelerator,
                machine.vcpus(),
                machine.cores(),
                machine.memoryBytes(),
                files.disk(machine.index()),
                boot(boot, record),
                record.qemuUid(),
                record.qemuGid(),
                List.of(
                        record.network() == Network.JOB
                                ? new VmSpec.Nic.Tap(record.networkPlan().tap(machine.index()), mac)
                                : new VmSpec.Nic.Isolated(mac)),
                PORTS.stream()
                        .map(port -> new VmSpec.Channel(port, channel(files, machine.index(), port)))
                        .toList(),
                shares,
                files.console(machine.index()),
                isFirst && record.isInteractive() ? files.terminal() : null,
                machine.equals(record.machinesOn(machine.node()).get(0))
                        ? record.additions().devices()
                        : List.of());
    }

    /** The job's own words go to a kernel; a disk that boots itself cannot be told any. */
    private static VmSpec.Boot boot(Boot boot, JobRecord record) {
        if (!(boot instanceof Kernel kernel)) {
            return new VmSpec.Boot.Loader();
        }
        String line = Stream.concat(Stream.of(kernel.commandLine()), record.additions().boot().stream())
                .collect(Collectors.joining(" "));
        return new VmSpec.Boot.Direct(kernel.vmlinuz(), kernel.initrd(), line);
    }

    /** What the machines boot. */
    static Boot boot(Image image, JobRecord record) {
        return image.bootFor(
                switch (record.share()) {
                    case NFS -> Set.of(Provides.NFS);
                    case P9 -> Set.of(Provides.NINE_P);
                    case NONE -> Set.of();
                });
    }

    /** The file of a port. */
    static Path channel(JobFiles files, int machine, String port) {
        if (machine != 0) {
            return files.channel(machine, port);
        }
        return switch (port) {
            case GuestJob.STDOUT_PORT -> files.stdout();
            case GuestJob.STDERR_PORT -> files.stderr();
            default -> files.control();
        };
    }
}

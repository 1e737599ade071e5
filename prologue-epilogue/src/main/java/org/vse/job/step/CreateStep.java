package org.vse.job.step;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.OverlayDisk;
import org.vse.imagestore.Provides;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.VmEnd;
import org.vse.policy.Network;
import org.vse.policy.Share;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.VmUsage;
import org.vse.provisioner.accelerator.ProbeGuest;
import org.vse.provisioner.guest.ControlRecords;
import org.vse.provisioner.guest.GuestJob;
import org.vse.provisioner.network.JobNetwork;

/** Overlay disk and domain of every machine, in parallel; from here on the ledger knows them. */
final class CreateStep implements Step {
    /** Ports whose bytes are appended to files of the host. */
    static final List<String> PORTS = List.of(GuestJob.STDOUT_PORT, GuestJob.STDERR_PORT, ControlRecords.PORT);

    static final String NAME = "create";

    private final Node node;

    CreateStep(Node node) {
        this.node = node;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void apply(Job job, Progress progress) {
        Image image = StageStep.image(node, job);
        Kernel kernel = image.kernelFor(needs(job.record().share()));
        Accelerator accelerator = node.accelerators().choose(probe(job.record(), image, kernel), progress::waiting);
        InParallel.each(
                job.record().machinesOn(node.name()), machine -> create(job, image, kernel, accelerator, machine));
        if (job.record().network() == Network.JOB) {
            node.network().plug(job.record().networkPlan(), ConnectStep.taps(node, job.record()));
        }
        job.journal().enter(JobState.CREATED);
    }

    /** The kernel that the machines boot, as the user that they get, on the cores of the job. */
    private ProbeGuest probe(JobRecord record, Image image, Kernel kernel) {
        return new ProbeGuest(
                image.digest() + " " + kernel.name(),
                kernel.vmlinuz(),
                kernel.initrd(),
                kernel.commandLine(),
                record.qemuUid(),
                record.qemuGid(),
                record.machinesOn(node.name()).stream()
                        .flatMap(machine -> machine.cores().stream())
                        .distinct()
                        .toList());
    }

    private void create(Job job, Image image, Kernel kernel, Accelerator accelerator, JobRecord.Machine machine) {
        JobRecord record = job.record();
        JobFiles files = job.files();
        Path disk = files.disk(machine.index());
        OverlayDisk.create(node.commands(), image, disk, machine.disk());
        own(disk, record);
        List<VmSpec.Channel> channels = new ArrayList<>();
        for (String port : PORTS) {
            Path file = channel(files, machine.index(), port);
            makeEmpty(file, record);
            channels.add(new VmSpec.Channel(port, file));
        }
        makeSockets(files, record);
        makeEmpty(files.console(machine.index()), record);
        VmStatus started =
                node.driver().start(spec(record, files, kernel, accelerator, machine, channels), new Origin.Cold());
        JobGroup.machine(node, job, machine, started);
        node.ledger().record(VmAccount.opened(node, job, machine, accelerator));
    }

    private VmSpec spec(
            JobRecord record,
            JobFiles files,
            Kernel kernel,
            Accelerator accelerator,
            JobRecord.Machine machine,
            List<VmSpec.Channel> channels) {
        VmName name = record.vmName(machine.index());
        String mac = record.networkPlan().mac(machine.index());
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
                new VmLabel(node.owner(), record.tag(), record.attempt(), machine.index()),
                accelerator,
                machine.vcpus(),
                machine.cores(),
                machine.memoryBytes(),
                files.disk(machine.index()),
                kernel.vmlinuz(),
                kernel.initrd(),
                Stream.concat(Stream.of(kernel.commandLine()), record.additions().boot().stream())
                        .collect(Collectors.joining(" ")),
                record.qemuUid(),
                record.qemuGid(),
                List.of(
                        record.network() == Network.JOB
                                ? new VmSpec.Nic.Tap(record.networkPlan().tap(machine.index()), mac)
                                : new VmSpec.Nic.Isolated(mac)),
                channels,
                shares,
                files.console(machine.index()),
                isFirst && record.isInteractive() ? files.terminal() : null,
                machine.equals(record.machinesOn(machine.node()).get(0))
                        ? record.additions().devices()
                        : List.of());
    }

    private static Set<Provides> needs(Share share) {
        return switch (share) {
            case NFS -> Set.of(Provides.NFS);
            case P9 -> Set.of(Provides.NINE_P);
            case NONE -> Set.of();
        };
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

    private static void makeSockets(JobFiles files, JobRecord record) {
        try {
            Files.createDirectories(files.sockets());
            Files.setPosixFilePermissions(files.sockets(), PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw unwritable(files.sockets(), e);
        }
        own(files.sockets(), record);
    }

    private static void makeEmpty(Path file, JobRecord record) {
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (IOException e) {
            throw unwritable(file, e);
        }
        own(file, record);
    }

    private static void own(Path file, JobRecord record) {
        try {
            if (!Files.getAttribute(file, "unix:uid").equals(record.qemuUid())) {
                Files.setAttribute(file, "unix:gid", record.qemuGid());
                Files.setAttribute(file, "unix:uid", record.qemuUid());
            }
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    private static VseException unwritable(Path file, IOException e) {
        return VseException.storage("a file of the machine cannot be made", file, e);
    }

    /** Ends the machines and removes their disks; what they have written to output and console stays. */
    @Override
    public void undo(Job job) {
        InParallel.each(job.record().machinesOn(node.name()), machine -> remove(job, machine));
        Tree.delete(job.files().sockets());
    }

    private void remove(Job job, JobRecord.Machine machine) {
        VmName name = job.record().vmName(machine.index());
        boolean lives = node.driver().find(name).isPresent();
        Optional<VmUsage> usage = lives ? usage(job, name) : Optional.empty();
        Optional<JobNetwork.Traffic> traffic = traffic(job, machine);
        node.driver().destroy(name);
        HostBytes.cut(node.limits(), job, machine);
        try {
            Files.deleteIfExists(job.files().disk(machine.index()));
            if (machine.index() != 0) {
                for (String port : PORTS) {
                    Files.deleteIfExists(channel(job.files(), machine.index(), port));
                }
            }
        } catch (IOException e) {
            throw unwritable(job.files().disk(machine.index()), e);
        }
        // After the disk, which may be what fills the file system of the ledger. A machine without an opened interval
        // leaves
        // an end that ends nothing.
        List<LedgerEvent> told = new ArrayList<>();
        if (lives && !job.journal().applied().contains(NAME)) {
            told.add(VmAccount.found(node, job, machine));
        }
        told.add(VmAccount.closed(
                node, job, machine, why(job, lives), JobGroup.total(node, job, machine, usage), traffic));
        node.ledger().record(told);
    }

    /** A machine that cannot be asked what it used must end all the same. */
    private Optional<VmUsage> usage(Job job, VmName name) {
        try {
            return Optional.of(node.driver().usage(name));
        } catch (VseException e) {
            job.notice("what machine " + name + " used is unknown: " + e.what());
            return Optional.empty();
        }
    }

    private Optional<JobNetwork.Traffic> traffic(Job job, JobRecord.Machine machine) {
        return job.record().network() == Network.JOB
                ? node.network()
                        .traffic(
                                job.record().networkPlan(),
                                job.record().networkPlan().tap(machine.index()))
                : Optional.empty();
    }

    private static VmEnd why(Job job, boolean lives) {
        if (job.isCancelled()) {
            return VmEnd.CANCELLED;
        }
        if (job.outcome().isPresent()) {
            return VmEnd.FINISHED;
        }
        if (lives) {
            return VmEnd.FAILED;
        }
        return job.anyMachineEnded() ? VmEnd.DIED : VmEnd.LOST;
    }
}

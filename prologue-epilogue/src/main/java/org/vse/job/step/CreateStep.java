package org.vse.job.step;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Boot;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.OverlayDisk;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.VmEnd;
import org.vse.policy.Network;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.VmUsage;
import org.vse.provisioner.accelerator.ProbeGuest;
import org.vse.provisioner.checkpoint.CheckpointStore.CheckpointSet;
import org.vse.provisioner.checkpoint.SavedVm;
import org.vse.provisioner.network.JobNetwork;

/** Overlay disk and domain of every machine, in parallel; from here on the ledger knows them. */
final class CreateStep implements Step {
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
        Boot boot = MachineSpecs.boot(image, job.record());
        JobRecord.Resume resume = job.record().resume();
        Accelerator accelerator = resume == null
                ? node.accelerators().choose(() -> probe(job.record(), image, boot), progress::waiting)
                : resume.accelerator();
        job.keepAccelerator(accelerator);
        Optional<CheckpointSet> set =
                Optional.ofNullable(resume).map(from -> node.checkpoints().open(from.set(), from.number()));
        InParallel.each(
                job.record().machinesOn(node.name()), machine -> create(job, image, boot, accelerator, machine, set));
        if (job.record().network() == Network.JOB) {
            node.network().plug(job.record().networkPlan(), ConnectStep.taps(node, job.record()));
        }
        job.journal().enter(JobState.CREATED);
    }

    /** The kernel that the machines boot, or another for a disk that boots itself, as their user, on the cores of the job. */
    private ProbeGuest probe(JobRecord record, Image image, Boot boot) {
        Image tried = node.images().withKernel(image);
        return ProbeGuest.of(
                tried,
                boot instanceof Kernel kernel ? kernel : tried.kernels().get(0),
                record.qemuUid(),
                record.qemuGid(),
                record.machinesOn(node.name()).stream()
                        .flatMap(machine -> machine.cores().stream())
                        .distinct()
                        .toList());
    }

    private void create(
            Job job,
            Image image,
            Boot boot,
            Accelerator accelerator,
            JobRecord.Machine machine,
            Optional<CheckpointSet> set) {
        JobRecord record = job.record();
        JobFiles files = job.files();
        Optional<SavedVm> saved = set.map(from -> from.manifest().vms().get(machine.index()));
        if (set.isPresent() && saved.isPresent()) {
            requireOfThisJob(set.get(), job);
            set.get().verify(saved.get());
            OverlayDisk.copy(node.commands(), image, set.get().file(saved.get().disk()), files.disk(machine.index()));
        } else {
            OverlayDisk.create(node.commands(), image, files.disk(machine.index()), machine.disk());
        }
        own(files.disk(machine.index()), record);
        for (String port : MachineSpecs.PORTS) {
            Path file = MachineSpecs.channel(files, machine.index(), port);
            makeEmpty(file, record);
            if (machine.index() == 0) {
                set.ifPresent(from -> SavedStreams.restore(from, file));
            }
        }
        makeSockets(files, record);
        makeEmpty(files.console(machine.index()), record);
        VmStatus started = node.driver()
                .start(
                        MachineSpecs.of(node.owner(), record, files, boot, accelerator, machine),
                        set.isPresent() && saved.isPresent()
                                ? new Origin.Checkpoint(
                                        set.get().file(saved.get().memory()),
                                        saved.get().state())
                                : new Origin.Cold());
        JobGroup.machine(node, job, machine, started);
        node.ledger().record(VmAccount.opened(node, job, machine, accelerator));
    }

    /** A difference that was made again has other bytes, under which the saved disk means nothing. */
    private static void requireOfThisJob(CheckpointSet set, Job job) {
        if (set.manifest().uid() != job.record().user().uid()) {
            throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "the checkpoint is another user's");
        }
        if (!set.manifest().image().equals(job.booted())) {
            throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "the saved disks belong to another image")
                    .fact("saved", set.manifest().image())
                    .fact("here", job.booted())
                    .next("resume the job on the node that made its packages, files and run into an image");
        }
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
        Optional<Instant> last = lives || job.anyMachineEnded() || job.pauses().areMachinesSaved()
                ? Optional.empty()
                : lastSign(job, machine);
        List<LedgerEvent> told = new ArrayList<>();
        if (lives && !job.journal().applied().contains(NAME)) {
            told.add(VmAccount.found(node, job, machine));
            tellWhileItIsThere(job, told);
        }
        node.driver().destroy(name);
        HostBytes.cut(node.limits(), job, machine);
        try {
            Files.deleteIfExists(job.files().disk(machine.index()));
            if (machine.index() != 0) {
                for (String port : MachineSpecs.PORTS) {
                    Files.deleteIfExists(MachineSpecs.channel(job.files(), machine.index(), port));
                }
            }
        } catch (IOException e) {
            throw unwritable(job.files().disk(machine.index()), e);
        }
        // After the disk, which may be what fills the file system of the ledger. A machine without an opened interval
        // leaves an end that ends nothing.
        told.add(VmAccount.closed(
                node, job, machine, why(job, lives), last, JobGroup.total(node, job, machine, usage), traffic));
        node.ledger().record(told);
    }

    /** Nobody finds a machine that is gone: after a crash from here on, its beginning could not be told any more. */
    private void tellWhileItIsThere(Job job, List<LedgerEvent> found) {
        try {
            node.ledger().record(found);
        } catch (VseException e) {
            job.notice("the beginning of a machine is told to the ledger later: " + e.what());
        }
    }

    /** When a machine that has ended unseen was last known to be there: it was started or has written something. */
    private static Optional<Instant> lastSign(Job job, JobRecord.Machine machine) {
        JobFiles files = job.files();
        Stream<Path> written = Stream.concat(
                Stream.of(files.console(machine.index()), files.disk(machine.index())),
                MachineSpecs.PORTS.stream().map(port -> MachineSpecs.channel(files, machine.index(), port)));
        return Stream.concat(
                        job.journal().began(NAME).stream(),
                        written.filter(Files::exists).map(CreateStep::lastWritten))
                .max(Comparator.naturalOrder());
    }

    private static Instant lastWritten(Path file) {
        try {
            return Files.getLastModifiedTime(file).toInstant();
        } catch (IOException e) {
            throw VseException.storage("a file of a machine cannot be looked at", file, e);
        }
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
        if (job.pauses().areMachinesSaved()) {
            return VmEnd.CHECKPOINTED;
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

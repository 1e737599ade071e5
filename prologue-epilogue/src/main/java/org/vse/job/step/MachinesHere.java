package org.vse.job.step;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vse.failure.VseException;
import org.vse.imagestore.Boot;
import org.vse.imagestore.Image;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.Network;
import org.vse.policy.Share;
import org.vse.process.Command;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.checkpoint.CheckpointStore.CheckpointSet;
import org.vse.provisioner.checkpoint.CheckpointStore.Draft;
import org.vse.provisioner.checkpoint.JointSave;
import org.vse.provisioner.checkpoint.SavedFile;
import org.vse.provisioner.checkpoint.SavedVm;
import org.vse.provisioner.guest.GuestConfigurator;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.share.ShareServer;

/**
 * The machines that a job has on this node, while they are saved: {@link SaveWord#PAUSE}, {@link SaveWord#SAVE}, then either
 * {@link SaveWord#SEAL} and the end of the job, or {@link SaveWord#GO_ON} first. Whatever failed, {@link SaveWord#GO_ON} brings
 * them back to where they were.
 */
public final class MachinesHere {
    private static final int ENTROPY_BYTES = 64;
    private static final Duration COPY = Duration.ofMinutes(30);
    private static final Duration SYNC = Duration.ofSeconds(60);
    private static final int NO_OUTPUT = 4096;

    private final Node node;
    private final Job job;
    private final List<JobRecord.Machine> machines;
    private final JointSave joint;
    private List<JointSave.Saved> saved = List.of();

    /** The machines of a job that runs here. */
    public MachinesHere(Node node, Job job) {
        this.node = node;
        this.job = job;
        this.machines = job.record().machinesOn(node.name());
        Image image = StageStep.image(node, job);
        Boot boot = MachineSpecs.boot(image, job.record());
        Accelerator accelerator = job.accelerator();
        this.joint = new JointSave(
                node.driver(),
                machines.stream()
                        .map(machine ->
                                MachineSpecs.of(node.owner(), job.record(), job.files(), boot, accelerator, machine))
                        .toList(),
                new Again());
    }

    /** A machine that is started again finds its tap in the host, where it opens it. */
    private final class Again implements JointSave.Restarts {
        @Override
        public void begin(List<VmSpec> specs) {
            if (job.record().network() == Network.JOB) {
                node.network().unplug(job.record().networkPlan(), taps(specs));
            }
        }

        @Override
        public void started(VmSpec spec, VmStatus status) {
            JobGroup.machine(node, job, machine(spec.name()), status);
        }

        @Override
        public void end(List<VmSpec> specs) {
            if (job.record().network() == Network.JOB) {
                node.network().plug(job.record().networkPlan(), taps(specs));
            }
        }

        private List<JobNetwork.Tap> taps(List<VmSpec> specs) {
            return specs.stream()
                    .map(spec -> new JobNetwork.Tap(
                            job.record().networkPlan().tap(machine(spec.name()).index()),
                            job.record().qemuUid()))
                    .toList();
        }
    }

    private JobRecord.Machine machine(VmName name) {
        return machines.stream()
                .filter(each -> job.record().vmName(each.index()).equals(name))
                .findFirst()
                .orElseThrow();
    }

    /**
     * Does what a word says.
     *
     * @param set the job's name in the store of checkpoints
     * @param number of the set
     * @return this node's files, for {@link SaveWord#SEAL}
     * @throws VseException CHECKPOINT_FAILED, DISK_FULL or STORAGE_FAILED; {@link SaveWord#GO_ON} is to be said then
     */
    public Optional<Sealed> say(SaveWord word, String set, int number) {
        switch (word) {
            case SYNC -> sync();
            case PAUSE -> joint.pause();
            case SAVE -> save(node.checkpoints().join(set, number));
            case GO_ON -> {
                job.pauses().machinesAreSaved(false);
                joint.restart();
                joint.resume();
            }
            case SEAL -> {
                return Optional.of(seal(node.checkpoints().join(set, number)));
            }
            case WAKE -> wake();
            case BEGIN -> {
                machines.forEach(machine -> node.driver().resume(job.record().vmName(machine.index())));
                wake();
            }
        }
        return Optional.empty();
    }

    private void sync() {
        InParallel.each(machines, machine -> {
            var unused =
                    Guests.control(node, job, machine.index()).exec(List.of("/bin/sync"), new byte[0], SYNC, NO_OUTPUT);
        });
    }

    private void save(Draft draft) {
        saved = joint.save(spec -> draft.file(memory(machine(spec.name()))));
        job.pauses().machinesAreSaved(true);
        InParallel.each(
                machines,
                machine -> copy(List.of(
                        "cp",
                        "--reflink=auto",
                        "--sparse=always",
                        "--",
                        job.files().disk(machine.index()).toString(),
                        draft.file(disk(machine)).toString())));
        if (job.record().share() == Share.NFS) {
            copy(List.of(
                    "tar",
                    "-C",
                    job.files().share().toString(),
                    "-cf",
                    draft.file(share(job.record(), node.name())).toString(),
                    String.valueOf(ShareServer.recovery(job.files().share()).getFileName())));
        }
    }

    private void copy(List<String> argv) {
        node.commands().run(Command.of(argv).withTimeout(COPY)).orThrow("saving what belongs to the machines");
    }

    /** As {@link SaveWord#GO_ON}, after whoever saved them has died. */
    void recover(Draft draft) {
        joint.recover(spec -> draft.file(memory(machine(spec.name()))));
    }

    /** Notes each machine that could not be brought back, so that the job ends with it. */
    void noteLost() {
        for (JobRecord.Machine machine : machines) {
            VmName name = job.record().vmName(machine.index());
            if (node.driver().find(name).isEmpty()) {
                JobGroup.ended(node, job, name, "it did not come back after it could not be saved");
            }
        }
    }

    private void wake() {
        InParallel.each(machines, machine -> {
            byte[] entropy = new byte[ENTROPY_BYTES];
            new SecureRandom().nextBytes(entropy);
            new GuestConfigurator(node.timeouts().setup(), node.timeouts().setup())
                    .wake(
                            Guests.control(node, job, machine.index()),
                            node.clock().instant(),
                            entropy);
        });
    }

    private Sealed seal(Draft draft) {
        List<SavedVm> vms = new ArrayList<>();
        for (JointSave.Saved one : saved) {
            JobRecord.Machine machine = machine(one.spec().name());
            vms.add(new SavedVm(
                    machine.index(),
                    machine.node(),
                    machine.vcpus(),
                    machine.memoryBytes(),
                    draft.seal(memory(machine), one.state()),
                    one.state(),
                    draft.seal(disk(machine), 0)));
        }
        vms.sort(Comparator.comparing(SavedVm::index));
        return new Sealed(
                vms, job.record().share() == Share.NFS ? draft.seal(share(job.record(), node.name()), 0) : null);
    }

    /**
     * The files of a node.
     *
     * @param share recovery state of its share server; null where there is none
     */
    public record Sealed(List<SavedVm> vms, @Nullable SavedFile share) {
        /** All of them. */
        List<SavedFile> files() {
            return Stream.concat(
                            vms.stream().flatMap(vm -> Stream.of(vm.memory(), vm.disk())), Stream.ofNullable(share))
                    .toList();
        }
    }

    /**
     * Brings back what the share server of this node's part knew.
     *
     * @param home of the server that is to be started
     */
    static void restoreShare(Node node, JobRecord record, CheckpointSet set, Path home) {
        String name = share(record, node.name());
        Optional<SavedFile> kept = set.manifest().files().stream()
                .filter(file -> file.name().equals(name))
                .findFirst();
        if (kept.isEmpty() || Files.exists(ShareServer.recovery(home))) {
            return;
        }
        set.verify(kept.get());
        try {
            Files.createDirectories(home);
        } catch (IOException e) {
            throw VseException.storage("the share server's files cannot be written", home, e);
        }
        node.commands()
                .run(Command.of(List.of(
                        "tar",
                        "-C",
                        home.toString(),
                        "-xf",
                        set.file(kept.get()).toString())))
                .orThrow("bringing back what the share server knew");
    }

    private static String memory(JobRecord.Machine machine) {
        return "vm-" + machine.index() + ".memory";
    }

    private static String disk(JobRecord.Machine machine) {
        return "vm-" + machine.index() + ".disk";
    }

    private static String share(JobRecord record, String node) {
        return "share-" + record.nodes().indexOf(node) + ".tar";
    }
}

package org.vse.job.step;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.SaveOrder;
import org.vse.job.lifecycle.SavedAs;
import org.vse.job.lifecycle.Saving;
import org.vse.policy.Share;
import org.vse.provisioner.checkpoint.CheckpointStore;
import org.vse.provisioner.checkpoint.CheckpointStore.Draft;
import org.vse.provisioner.checkpoint.SavedFile;
import org.vse.provisioner.checkpoint.SavedVm;
import org.vse.provisioner.checkpoint.SetManifest;

/**
 * Saves all machines of a running job together: a set that is good, or none, and machines that run as before.
 *
 * <pre>
 * pause all -> save all, in parallel -> (let them go on) -> digests -> manifest
 *      |            |                                          |
 *      +------------+----- failed: all go on, no set ----------+
 * </pre>
 */
final class Saver {
    private final Node node;

    Saver(Node node) {
        this.node = node;
    }

    /**
     * Carries out an order. Its outcome is told to whoever gave it, and to the job's user.
     *
     * @return true when the job stops here
     */
    boolean save(Job job, SaveOrder order) {
        try {
            SavedAs saved = saved(job, order.stop());
            job.notice("the machines were saved as checkpoint " + saved.number() + ", " + (saved.bytes() >> 20)
                    + " MiB, and stood still for " + saved.still().toMillis() + " ms");
            order.done().complete(saved);
            return order.stop();
        } catch (RuntimeException e) {
            VseException failure = known(job, e);
            job.notice("the machines were not saved: " + failure.what());
            order.done().completeExceptionally(failure);
            return false;
        } finally {
            job.pauses().ordered();
        }
    }

    /**
     * Says whether the machines of a job can be saved at all.
     *
     * @throws VseException NOT_SUPPORTED with the reason
     */
    static void requireSavable(JobRecord record) {
        String reason = null;
        if (record.share() == Share.P9) {
            reason = "its directories come by 9p, with which QEMU saves nothing";
        } else if (record.isInteractive()) {
            reason = "its terminal would be gone";
        } else if (!record.additions().devices().isEmpty()) {
            reason = "it has devices of the node";
        }
        if (reason != null) {
            throw VseException.of(ErrorCode.NOT_SUPPORTED, "the machines of job '" + record.id() + "' cannot be saved")
                    .fact("reason", reason)
                    .next("write share=nfs or share=none, without hostdev, and no interactive job");
        }
    }

    private SavedAs saved(Job job, boolean stop) {
        requireSavable(job.record());
        Instant paused = job.pauses().suspended().since();
        if (!stop && paused != null) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + job.record().id() + "' is paused")
                    .fact("since", paused)
                    .next("save it with --stop, or let it go on first");
        }
        CheckpointStore store = node.checkpoints();
        String set = SetName.of(node, job.record());
        int number = store.numbers(set).stream().max(Comparator.naturalOrder()).orElse(0) + 1;
        Draft draft = store.begin(set, number);
        AllMachines machines = new AllMachines(node, job, new MachinesHere(node, job), set, number);
        boolean running = true;
        try {
            if (!stop) {
                machines.say(SaveWord.SYNC);
            }
            Instant taken = node.clock().instant();
            long begin = System.nanoTime();
            running = false;
            job.pauses().savingBegins(new Saving(set, number, stop));
            machines.say(SaveWord.PAUSE);
            machines.say(SaveWord.SAVE);
            SavedStreams.copy(job.files(), draft);
            if (!stop) {
                machines.say(SaveWord.GO_ON);
                running = true;
                job.pauses().savingEnds();
            }
            Duration still = Duration.ofNanos(System.nanoTime() - begin);
            SetManifest manifest = manifest(job, set, number, taken, seal(job, draft, machines));
            draft.commit(manifest);
            // Every byte of the new set was just read for its digest: it takes the place of those before.
            store.numbers(set).stream().filter(older -> older < number).forEach(older -> store.remove(set, older));
            JobRecord.Resume from = job.record().resume();
            if (from != null && !from.set().equals(set)) {
                store.remove(from.set());
            }
            SavedAs saved = savedAs(job, manifest, still);
            node.ledger().record(VmAccount.checkpointed(node, job, saved));
            if (stop) {
                job.pauses().stopAs(saved);
                job.pauses().savingEnds();
            } else {
                machines.say(SaveWord.WAKE);
            }
            return saved;
        } catch (RuntimeException e) {
            if (!running) {
                bringBack(machines, e);
            }
            abandon(draft, e);
            throw e;
        }
    }

    /**
     * Puts in order what a daemon has left that died while it saved: a set that is there is one, whose job stops or runs; else the
     * machines go on from wherever they are.
     *
     * @return true when the job has stopped with that set
     */
    boolean recover(Job job, Saving left) {
        CheckpointStore store = node.checkpoints();
        if (left.stop() && store.numbers(left.set()).contains(left.number())) {
            SetManifest made = store.open(left.set(), left.number()).manifest();
            job.pauses().stopAs(savedAs(job, made, Duration.ZERO));
            job.pauses().savingEnds();
            return true;
        }
        MachinesHere here = new MachinesHere(node, job);
        Draft draft = store.join(left.set(), left.number());
        try {
            here.recover(draft);
            job.pauses().savingEnds();
            here.say(SaveWord.WAKE, left.set(), left.number());
            job.notice("the daemon ended while the machines were being saved: they were not, and go on");
        } catch (VseException e) {
            job.notice("machines did not go on: " + e.what());
            here.noteLost();
        }
        draft.abandon();
        return false;
    }

    private static SavedAs savedAs(Job job, SetManifest made, Duration still) {
        return new SavedAs(
                made.tag(),
                made.number(),
                made.taken(),
                still,
                made.bytes(),
                bytes(made, job.files().stdout()),
                bytes(made, job.files().stderr()));
    }

    private static long bytes(SetManifest made, Path stream) {
        return made.files().stream()
                .filter(file -> file.name().equals(String.valueOf(stream.getFileName())))
                .mapToLong(SavedFile::bytes)
                .sum();
    }

    private static VseException known(Job job, RuntimeException e) {
        return e instanceof VseException known
                ? known
                : VseException.of(
                                ErrorCode.CHECKPOINT_FAILED,
                                "the machines of job '" + job.record().id() + "' could not be saved")
                        .fact("reason", e)
                        .because(e);
    }

    /** The files of all nodes, which must have written them into the same directory. */
    private static Files seal(Job job, Draft draft, AllMachines machines) {
        List<MachinesHere.Sealed> sealed = machines.say(SaveWord.SEAL);
        sealed.forEach(each -> each.files().forEach(draft::requireHere));
        List<SavedVm> vms = sealed.stream()
                .flatMap(each -> each.vms().stream())
                .sorted(Comparator.comparing(SavedVm::index))
                .toList();
        List<SavedFile> files = new ArrayList<>(SavedStreams.seal(job.files(), draft));
        sealed.stream().flatMap(each -> Stream.ofNullable(each.share())).forEach(files::add);
        return new Files(vms, files);
    }

    private record Files(List<SavedVm> vms, List<SavedFile> files) {}

    private static void bringBack(AllMachines machines, RuntimeException failure) {
        try {
            machines.say(SaveWord.GO_ON);
            machines.job().pauses().savingEnds();
            machines.say(SaveWord.WAKE);
        } catch (VseException e) {
            failure.addSuppressed(e);
            machines.job().notice("machines did not go on: " + e.what());
            machines.here().noteLost();
        }
    }

    private static void abandon(Draft draft, RuntimeException failure) {
        try {
            draft.abandon();
        } catch (VseException e) {
            failure.addSuppressed(e);
        }
    }

    private SetManifest manifest(Job job, String set, int number, Instant taken, Files files) {
        JobRecord record = job.record();
        return new SetManifest(
                SetManifest.VERSION,
                set,
                number,
                record.scheduler(),
                record.id(),
                record.user().uid(),
                record.attempt(),
                taken,
                record.addresses(),
                job.booted(),
                String.valueOf(record.scriptSha256()),
                node.driver().hypervisor(),
                job.accelerator().name(),
                files.vms(),
                files.files(),
                job.journal()
                        .entered(JobState.RUNNING)
                        .map(start -> Duration.between(start, taken).toSeconds())
                        .orElse(0L));
    }
}

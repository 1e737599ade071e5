package org.vse.job.step;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.JournalEntry;
import org.vse.job.lifecycle.SaveOrder;
import org.vse.job.lifecycle.SavedAs;
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
            job.ordered();
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
        CheckpointStore store = node.checkpoints();
        String set = SetName.of(node, job.record());
        int number = store.numbers(set).stream().max(Comparator.naturalOrder()).orElse(0) + 1;
        Draft draft = store.begin(set, number);
        MachinesHere here = new MachinesHere(node, job);
        boolean running = true;
        try {
            if (!stop) {
                here.sync();
            }
            Instant taken = node.clock().instant();
            long begin = System.nanoTime();
            running = false;
            here.pause();
            here.save(draft);
            SavedStreams.copy(job.files(), draft);
            long stdout = size(draft.file("stdout"));
            long stderr = size(draft.file("stderr"));
            if (!stop) {
                here.goOn();
                running = true;
            }
            Duration still = Duration.ofNanos(System.nanoTime() - begin);
            MachinesHere.Sealed sealed = here.seal(draft);
            List<SavedFile> files = new ArrayList<>(SavedStreams.seal(job.files(), draft));
            sealed.share().ifPresent(files::add);
            SetManifest manifest = manifest(job, set, number, taken, sealed.vms(), files);
            draft.commit(manifest);
            // Every byte of the new set was just read for its digest: it takes the place of those before.
            store.numbers(set).stream().filter(older -> older < number).forEach(older -> store.remove(set, older));
            JobRecord.Resume from = job.record().resume();
            if (from != null && !from.set().equals(set)) {
                store.remove(from.set());
            }
            SavedAs saved = new SavedAs(set, number, taken, still, manifest.bytes(), stdout, stderr);
            node.ledger().record(VmAccount.checkpointed(node, job, saved));
            if (stop) {
                job.stopAs(saved);
            } else {
                here.wake();
            }
            return saved;
        } catch (RuntimeException e) {
            if (!running) {
                bringBack(job, here, e);
            }
            abandon(draft, e);
            throw e;
        }
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

    private static void bringBack(Job job, MachinesHere here, RuntimeException failure) {
        try {
            here.goOn();
            here.wake();
        } catch (VseException e) {
            failure.addSuppressed(e);
            job.notice("machines did not go on: " + e.what());
            here.noteLost();
        }
    }

    private static void abandon(Draft draft, RuntimeException failure) {
        try {
            draft.abandon();
        } catch (VseException e) {
            failure.addSuppressed(e);
        }
    }

    private SetManifest manifest(
            Job job, String set, int number, Instant taken, List<SavedVm> vms, List<SavedFile> files) {
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
                vms,
                Map.of(),
                files,
                runSeconds(job, taken));
    }

    private static long runSeconds(Job job, Instant taken) {
        return job.journal().entries().stream()
                .filter(entry -> entry.state() == JobState.RUNNING)
                .map(JournalEntry::at)
                .findFirst()
                .map(start -> Duration.between(start, taken).toSeconds())
                .orElse(0L);
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw VseException.storage("the saved output cannot be read", file, e);
        }
    }
}

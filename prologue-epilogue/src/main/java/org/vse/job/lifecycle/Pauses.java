package org.vse.job.lifecycle;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * When and why the machines of a job do not run: they are to be saved, are being saved, were saved when the job stopped, or stand
 * still because somebody wanted it. What has to outlive the daemon is on the disk.
 */
public final class Pauses {
    private final JobRecord record;
    private final JobFiles files;
    private final ObjectMapper json;
    private final AtomicReference<@Nullable SaveOrder> order = new AtomicReference<>();
    private volatile boolean away;

    Pauses(JobRecord record, JobFiles files, ObjectMapper json) {
        this.record = record;
        this.files = files;
        this.json = json;
    }

    /** Keeps that the machines are being saved; durable when this returns. */
    public void savingBegins(Saving saving) {
        DurableFile.write(files.saving(), json, saving);
    }

    /** The machines run again, or have ended for good. */
    public void savingEnds() {
        try {
            Files.deleteIfExists(files.saving());
        } catch (IOException e) {
            throw DurableFile.unreadable(files.saving(), e);
        }
    }

    /** What a process was doing that died while it saved the machines. */
    public Optional<Saving> saving() {
        return Files.exists(files.saving())
                ? Optional.of(DurableFile.read(files.saving(), json, Saving.class))
                : Optional.empty();
    }

    /** Keeps since when the machines stand still, or that they run; durable when this returns. */
    public void suspend(Suspended suspended) {
        DurableFile.write(files.suspended(), json, suspended);
    }

    /** Since when the machines stand still because somebody wanted it. */
    public Suspended suspended() {
        return Files.exists(files.suspended())
                ? DurableFile.read(files.suspended(), json, Suspended.class)
                : Suspended.NEVER;
    }

    /** Keeps that the job stops with its machines saved; durable when this returns. */
    public void stopAs(SavedAs saved) {
        DurableFile.write(files.saved(), json, saved);
    }

    /** What the machines were saved as when the job stopped; empty unless it did. */
    public Optional<SavedAs> saved() {
        return Files.exists(files.saved())
                ? Optional.of(DurableFile.read(files.saved(), json, SavedAs.class))
                : Optional.empty();
    }

    /**
     * Gives whoever drives the job the word to save its machines.
     *
     * @throws VseException JOB_STATE when there is such a word already
     */
    public void order(SaveOrder save) {
        if (!order.compareAndSet(null, save)) {
            throw VseException.of(ErrorCode.JOB_STATE, "the machines of job '" + record.id() + "' are being saved")
                    .next("wait for that, then ask again");
        }
    }

    /** The word to save the machines; it stands until {@link #ordered}. */
    public Optional<SaveOrder> order() {
        return Optional.ofNullable(order.get());
    }

    /** The order was carried out, or could not be. */
    public void ordered() {
        order.set(null);
    }

    /** Notes that the machines of this node are not there because they were saved, or that they are there again. */
    public void machinesAreSaved(boolean saved) {
        away = saved;
    }

    /** True when the machines of this node, or those of the whole job, have ended because they were saved. */
    public boolean areMachinesSaved() {
        return away || saved().isPresent();
    }
}

package org.vse.job.step;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.SavedAs;
import org.vse.ledger.Ending;
import org.vse.ledger.JobKey;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.Submitter;
import org.vse.ledger.VmEnd;
import org.vse.provisioner.HostTopology;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.network.JobNetwork;
import org.vse.scheduler.JobFacts;

/**
 * What the ledger is told of a job's machines. The ids of events follow from the job attempt and the machine, so that an
 * event that is told again after a crash counts once.
 */
public final class VmAccount {
    /** Id of a job that was refused before it got one; the first of them has 1. */
    private static final String NO_ID = "local-0";

    private static final Path DEVICES = Path.of("/sys/devices/system");

    private VmAccount() {}

    /** An attempt of a job begins on this node, its first. */
    public static LedgerEvent admitted(Node node, Job job) {
        JobRecord record = job.record();
        return new LedgerEvent.JobAdmitted(
                uuid(record.tag() + " admitted"),
                node.clock().instant(),
                key(record),
                submitter(record),
                record.image(),
                record.digest(),
                record.nodes());
    }

    /** A job's image has come to this node. */
    static LedgerEvent fetched(Node node, Job job, long bytes, Duration took) {
        JobRecord record = job.record();
        return new LedgerEvent.ImageFetched(
                uuid(record.tag() + " " + node.name() + " fetched"),
                node.clock().instant(),
                key(record),
                node.name(),
                record.image(),
                record.digest(),
                bytes,
                took);
    }

    /**
     * Records that a job of a batch system was refused: nothing of it ran.
     *
     * @return the reason, which a ledger that fails does not hide
     */
    public static VseException refused(Node node, String scheduler, JobFacts facts, VseException why) {
        return recorded(
                node,
                why,
                new LedgerEvent.JobRefused(
                        uuid(scheduler + " " + facts.job() + " " + facts.attempt() + " " + node.name() + " refused"),
                        node.clock().instant(),
                        new JobKey(scheduler, scheduler, facts.job(), facts.attempt()),
                        new Submitter(
                                facts.owner().name(),
                                facts.owner().uid(),
                                null,
                                facts.queue(),
                                facts.account().orElse(null),
                                facts.arrayIndex().isPresent()
                                        ? facts.arrayIndex().getAsInt()
                                        : null),
                        why.code()));
    }

    /** The same of a job of the embedded scheduler, which never got an id. */
    public static VseException refused(Node node, JobRecord.User user, VseException why) {
        return recorded(
                node,
                why,
                new LedgerEvent.JobRefused(
                        UUID.randomUUID(),
                        node.clock().instant(),
                        new JobKey(node.name(), JobRecord.EMBEDDED, NO_ID, 1),
                        submitter(user, null),
                        why.code()));
    }

    private static VseException recorded(Node node, VseException why, LedgerEvent refusal) {
        try {
            node.ledger().record(refusal);
        } catch (VseException e) {
            why.addSuppressed(e);
        }
        return why;
    }

    /** A machine has begun to run. */
    static LedgerEvent opened(Node node, Job job, JobRecord.Machine machine, Accelerator accelerator) {
        return opened(node, job, machine, accelerator.name(), node.clock().instant());
    }

    /**
     * A machine is there whose beginning nobody may have told: the daemon died while machines were started. Where it was told
     * after all, that counts.
     */
    static LedgerEvent found(Node node, Job job, JobRecord.Machine machine) {
        Instant begun = job.journal()
                .began(CreateStep.NAME)
                .orElseGet(() -> node.clock().instant());
        return opened(node, job, machine, "UNKNOWN", begun);
    }

    private static LedgerEvent opened(
            Node node, Job job, JobRecord.Machine machine, String accelerator, Instant started) {
        JobRecord record = job.record();
        return new LedgerEvent.VmOpened(
                id(record, machine, "opened"),
                node.clock().instant(),
                key(record),
                submitter(record),
                new org.vse.ledger.Machine(
                        machine.name(),
                        machine.index(),
                        machine.node(),
                        machine.cores(),
                        HostTopology.read(DEVICES).memoriesOf(machine.cores()),
                        machine.vcpus(),
                        machine.memoryBytes(),
                        record.image(),
                        job.booted(),
                        accelerator),
                started);
    }

    /**
     * A machine runs no more.
     *
     * @param lastSign of a machine that nobody saw end, after which it is taken to have ended; empty when it ended just now
     */
    static LedgerEvent closed(
            Node node,
            Job job,
            JobRecord.Machine machine,
            VmEnd why,
            Optional<Instant> lastSign,
            JobGroup.Total used,
            Optional<JobNetwork.Traffic> traffic) {
        JobRecord record = job.record();
        return new LedgerEvent.VmClosed(
                id(record, machine, "closed"),
                node.clock().instant(),
                key(record),
                id(record, machine, "opened"),
                new Ending(
                        lastSign.orElseGet(() -> node.clock().instant()),
                        why,
                        orNull(used.cpuNanos()),
                        orNull(used.memoryBytes()),
                        traffic.map(JobNetwork.Traffic::bytesIn).orElse(null),
                        traffic.map(JobNetwork.Traffic::bytesOut).orElse(null),
                        lastSign.map(at -> "the machine wrote last then and was gone afterwards")
                                .orElse(null)));
    }

    private static @Nullable Long orNull(OptionalLong number) {
        return number.isPresent() ? number.getAsLong() : null;
    }

    /** The machines of a job were saved together. */
    static LedgerEvent checkpointed(Node node, Job job, SavedAs saved) {
        JobRecord record = job.record();
        return new LedgerEvent.Checkpointed(
                uuid(record.tag() + " checkpointed " + saved.number()),
                node.clock().instant(),
                key(record),
                node.name(),
                saved.set() + "/" + saved.number(),
                saved.bytes(),
                saved.still());
    }

    /** The machines of a job go on from where they were saved. */
    static LedgerEvent restored(Node node, Job job, JobRecord.Resume from, long bytes, Duration took) {
        JobRecord record = job.record();
        return new LedgerEvent.Restored(
                uuid(record.tag() + " restored"),
                node.clock().instant(),
                key(record),
                node.name(),
                from.set() + "/" + from.number(),
                bytes,
                took);
    }

    /** Everything of a job has been taken down. */
    public static LedgerEvent settled(Node node, Job job) {
        JobRecord record = job.record();
        UUID id = uuid(record.tag() + " settled");
        Optional<Integer> exitCode = job.outcome().map(outcome -> outcome.exitCode());
        if (job.failure().isEmpty() && exitCode.isPresent()) {
            return new LedgerEvent.JobSettled(
                    id, node.clock().instant(), key(record), submitter(record), exitCode.get());
        }
        return new LedgerEvent.JobFailed(
                id,
                node.clock().instant(),
                key(record),
                submitter(record),
                job.failure().map(failure -> failure.code()).orElse(org.vse.failure.ErrorCode.INTERNAL));
    }

    private static JobKey key(JobRecord record) {
        boolean ours = record.scheduler().equals(JobRecord.EMBEDDED);
        // Our own ids are a node's; those of a batch system are the same on all its nodes.
        return new JobKey(
                ours ? record.coordinator() : record.scheduler(), record.scheduler(), record.id(), record.attempt());
    }

    private static Submitter submitter(JobRecord record) {
        return submitter(record.user(), record.charged());
    }

    private static Submitter submitter(JobRecord.User user, JobRecord.@Nullable Charged charged) {
        String group = user.groups().stream()
                .filter(each -> each.gid() == user.gid())
                .map(JobRecord.Group::name)
                .findFirst()
                .orElse(null);
        return new Submitter(
                user.name(),
                user.uid(),
                group,
                charged == null ? null : charged.queue(),
                charged == null ? null : charged.account(),
                charged == null ? null : charged.arrayIndex());
    }

    /** Id of the interval of a machine, which is that of the event that opens it. */
    public static UUID interval(VmLabel label) {
        return id(label.job(), label.index(), "opened");
    }

    private static UUID id(JobRecord record, JobRecord.Machine machine, String what) {
        return id(record.tag(), machine.index(), what);
    }

    private static UUID id(String tag, int machine, String what) {
        return uuid(tag + " " + machine + " " + what);
    }

    private static UUID uuid(String text) {
        return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}

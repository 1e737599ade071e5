package org.vse.job.step;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.ledger.Ending;
import org.vse.ledger.JobKey;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.Submitter;
import org.vse.ledger.VmEnd;
import org.vse.provisioner.VmSpec.Accelerator;

/**
 * What the ledger is told of a job's machines. The ids of events follow from the job attempt and the machine, so that an
 * event that is told again after a crash counts once.
 */
public final class VmAccount {
    private VmAccount() {}

    /** A machine has begun to run. */
    static LedgerEvent opened(Node node, Job job, JobRecord.Machine machine, Accelerator accelerator) {
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
                        machine.vcpus(),
                        machine.memoryBytes(),
                        record.image(),
                        job.booted(),
                        accelerator.name()),
                node.clock().instant());
    }

    /** A machine runs no more. */
    static LedgerEvent closed(Node node, Job job, JobRecord.Machine machine, VmEnd why, JobGroup.Total used) {
        JobRecord record = job.record();
        return new LedgerEvent.VmClosed(
                id(record, machine, "closed"),
                node.clock().instant(),
                key(record),
                id(record, machine, "opened"),
                new Ending(node.clock().instant(), why, orNull(used.cpuNanos()), orNull(used.memoryBytes())));
    }

    private static @Nullable Long orNull(OptionalLong number) {
        return number.isPresent() ? number.getAsLong() : null;
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
        return new JobKey(record.coordinator(), record.scheduler(), record.id(), record.attempt());
    }

    private static Submitter submitter(JobRecord record) {
        return new Submitter(record.user().name(), record.user().uid(), null);
    }

    private static UUID id(JobRecord record, JobRecord.Machine machine, String what) {
        return uuid(record.tag() + " " + machine.index() + " " + what);
    }

    private static UUID uuid(String text) {
        return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}

package org.vse.job.daemon;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.step.Node;
import org.vse.job.step.SetName;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.checkpoint.SavedVm;
import org.vse.provisioner.checkpoint.SetManifest;

/** What a job goes on from: the newest set of an earlier attempt of it, or of the job that its script names. */
final class Resumptions {
    private final Node node;

    Resumptions(Node node) {
        this.node = node;
    }

    /**
     * The record with the set that the job goes on from; as it is when its machines boot.
     *
     * @throws VseException CHECKPOINT_INVALID when there is a set, or the script names one, and it is not for this job
     */
    JobRecord of(JobRecord record) {
        String named = record.continuation().resume();
        String set = named == null ? SetName.of(node, record) : SetName.of(node, record.scheduler(), named);
        Optional<Integer> newest = node.checkpoints().numbers(set).stream().max(Comparator.naturalOrder());
        if (newest.isEmpty()) {
            if (named == null) {
                return record;
            }
            throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "there is no checkpoint of job '" + named + "'")
                    .next("vse checkpoint ls");
        }
        SetManifest manifest = node.checkpoints().open(set, newest.get()).manifest();
        if (named == null && !isOfThisJob(manifest, record)) {
            return record;
        }
        requireFits(manifest, record);
        return record.resuming(new JobRecord.Resume(
                set, manifest.number(), manifest.addresses(), Accelerator.valueOf(manifest.cpu())));
    }

    /** Batch systems give their numbers again one day: another script, or another's, is another job. */
    private static boolean isOfThisJob(SetManifest manifest, JobRecord record) {
        return manifest.uid() == record.user().uid()
                && manifest.scriptSha256().equals(String.valueOf(record.scriptSha256()));
    }

    private void requireFits(SetManifest manifest, JobRecord record) {
        // Another user's checkpoint is as if it did not exist.
        if (manifest.uid() != record.user().uid()) {
            throw VseException.of(
                            ErrorCode.CHECKPOINT_INVALID, "there is no checkpoint of job '" + manifest.job() + "'")
                    .next("vse checkpoint ls");
        }
        List<String> differences = new ArrayList<>();
        if (record.additions().changes().isNone()) {
            differ(differences, "image", manifest.image(), record.digest());
        }
        differ(differences, "hypervisor", manifest.hypervisor(), node.driver().hypervisor());
        differ(
                differences,
                "machines",
                manifest.vms().stream().map(Resumptions::shape).toList(),
                record.machines().stream().map(Resumptions::shape).toList());
        differ(
                differences,
                "machines on each node",
                together(manifest.vms().stream().map(SavedVm::node).toList()),
                together(record.machines().stream().map(JobRecord.Machine::node).toList()));
        if (!differences.isEmpty()) {
            throw VseException.of(
                            ErrorCode.CHECKPOINT_INVALID,
                            "checkpoint " + manifest.number() + " of job '" + manifest.job()
                                    + "' does not fit this job on this node")
                    .fact("differs", String.join("; ", differences))
                    .next("ask for the same VMs again, or 'vse checkpoint rm " + manifest.job()
                            + "' to start from the beginning");
        }
    }

    private static void differ(List<String> differences, String what, Object saved, @Nullable Object here) {
        if (!saved.equals(here)) {
            differences.add(what + " was " + saved + ", is " + here);
        }
    }

    private static String shape(SavedVm vm) {
        return vm.vcpus() + " vcpus, " + (vm.memoryBytes() >> 20) + " MiB";
    }

    private static String shape(JobRecord.Machine machine) {
        return machine.vcpus() + " vcpus, " + (machine.memoryBytes() >> 20) + " MiB";
    }

    /** Which machines were together, whatever their nodes are called. */
    private static List<Integer> together(List<String> nodes) {
        List<String> each = nodes.stream().distinct().toList();
        return nodes.stream().map(each::indexOf).toList();
    }
}

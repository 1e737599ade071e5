package org.vse.provisioner.checkpoint;

import java.time.Instant;
import java.util.List;

/**
 * What a checkpoint set holds. Without it the set does not exist; it is written last.
 *
 * @param version of this form
 * @param tag the job's, the same for all of its attempts
 * @param number of the set in the job, from 1
 * @param scheduler of the job
 * @param job id in the scheduler
 * @param uid whose job it is: nobody else resumes it
 * @param attempt that was saved
 * @param taken when all machines stood still
 * @param addresses tag of the attempt that was booted: hardware addresses of the machines follow from it
 * @param image digest of what they were booted from
 * @param scriptSha256 digest of the job's script
 * @param hypervisor name and version
 * @param cpu what the guests were told their processor is
 * @param vms in the order of their numbers
 * @param files everything else: both output streams from their first byte, what the guests have told, the share server's recovery state
 * @param runSeconds from the begin of the script in that attempt to {@code taken}
 */
public record SetManifest(
        int version,
        String tag,
        int number,
        String scheduler,
        String job,
        long uid,
        int attempt,
        Instant taken,
        String addresses,
        String image,
        String scriptSha256,
        String hypervisor,
        String cpu,
        List<SavedVm> vms,
        List<SavedFile> files,
        long runSeconds) {
    /** The form that this program writes and reads. */
    public static final int VERSION = 1;

    public SetManifest {
        vms = List.copyOf(vms);
        files = List.copyOf(files);
        for (int i = 0; i < vms.size(); i++) {
            if (vms.get(i).index() != i) {
                throw new IllegalArgumentException("machine " + vms.get(i).index() + " in the place of " + i);
            }
        }
        if (vms.isEmpty() || number < 1 || attempt < 1) {
            throw new IllegalArgumentException("not a set: " + tag + " " + number);
        }
    }

    /** Bytes of all files. */
    public long bytes() {
        long machines = vms.stream()
                .mapToLong(vm -> vm.memory().bytes() + vm.disk().bytes())
                .sum();
        return machines + files.stream().mapToLong(SavedFile::bytes).sum();
    }
}

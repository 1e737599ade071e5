package org.vse.job.step;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.lifecycle.JobRecord;
import org.vse.provisioner.guest.ControlRecords;
import org.vse.provisioner.guest.GuestJob;

/**
 * The files that QEMU appends whatever a guest says to: streams, control port, console. QEMU knows no bound; who waits for a
 * guest looks at their sizes, and a job over a cap ends. What came beyond the cap meanwhile is cut off.
 */
final class HostBytes {
    private HostBytes() {}

    private record Capped(Path file, long cap, String what, ErrorCode code) {}

    /**
     * Looks at every file of the job's machines on this node.
     *
     * @throws VseException OUTPUT_LIMIT or, for a control port, GUEST_PROTOCOL naming the first file that is over its cap
     */
    static void require(String node, Node.Limits limits, Job job) {
        for (JobRecord.Machine machine : job.record().machinesOn(node)) {
            for (Capped capped : files(limits, job.files(), machine)) {
                if (capped.file().toFile().length() > capped.cap()) {
                    throw VseException.of(capped.code(), capped.what() + " of the job is over its cap")
                            .at(capped.file().toString())
                            .fact("machine", machine.name())
                            .fact("cap", capped.cap() + " bytes")
                            .next("write large results to files, or ask for another cap in vsed.yaml");
                }
            }
        }
    }

    /** Cuts the files of a machine that has ended at their caps. A file that is not there is none too large. */
    static void cut(Node.Limits limits, Job job, JobRecord.Machine machine) {
        for (Capped capped : files(limits, job.files(), machine)) {
            // One byte more, so that whoever reads it sees that it was too much.
            long most = capped.cap() + 1;
            if (capped.file().toFile().length() > most) {
                try (FileChannel file = FileChannel.open(capped.file(), StandardOpenOption.WRITE)) {
                    file.truncate(most);
                } catch (IOException e) {
                    throw VseException.of(ErrorCode.STORAGE_FAILED, "a file over its cap cannot be cut")
                            .at(capped.file().toString())
                            .because(e);
                }
            }
        }
    }

    private static List<Capped> files(Node.Limits limits, JobFiles files, JobRecord.Machine machine) {
        List<Capped> capped = new ArrayList<>();
        for (String port : MachineSpecs.PORTS) {
            Path file = MachineSpecs.channel(files, machine.index(), port);
            capped.add(
                    port.equals(ControlRecords.PORT)
                            ? new Capped(file, ControlRecords.MAX_BYTES, "the control port", ErrorCode.GUEST_PROTOCOL)
                            : new Capped(
                                    file,
                                    limits.output(),
                                    port.equals(GuestJob.STDOUT_PORT) ? "standard output" : "standard error",
                                    ErrorCode.OUTPUT_LIMIT));
        }
        capped.add(new Capped(files.console(machine.index()), limits.console(), "the console", ErrorCode.OUTPUT_LIMIT));
        return capped;
    }
}

package org.vse.job.step;

import java.io.File;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.provisioner.VmName;
import org.vse.provisioner.guest.AgentGuestControl;
import org.vse.provisioner.guest.GuestControl;

/** The way into a job's guests. */
public final class Guests {
    private Guests() {}

    /** @throws VseException USAGE when the machine is on another node */
    public static void requireHere(Node node, JobRecord.Machine machine) {
        if (!machine.node().equals(node.name())) {
            throw VseException.of(ErrorCode.USAGE, "machine " + machine.name() + " is on node '" + machine.node() + "'")
                    .next("run the command there");
        }
    }

    /**
     * Looks whether every machine of a job lives and none has said more than it may.
     *
     * @throws VseException GUEST_DIED, MACHINE_MEMORY, OUTPUT_LIMIT or GUEST_PROTOCOL
     */
    static void requireSound(Node node, Job job) {
        job.requireMachinesAlive();
        HostBytes.require(node.name(), node.limits(), job);
    }

    /**
     * Control of one guest; every call fails at once with GUEST_DIED when a machine of the job has ended.
     *
     * @throws VseException USAGE when the machine is on another node
     */
    public static GuestControl control(Node node, Job job, int machine) {
        requireHere(node, job.record().machines().get(machine));
        VmName name = job.record().vmName(machine);
        File told = job.files().control(machine).toFile();
        return new AgentGuestControl(
                (json, timeout) -> {
                    requireSound(node, job);
                    return node.driver().agent(name, json, timeout);
                },
                told::length);
    }
}

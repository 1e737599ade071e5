package org.vse.job.step;

import java.io.File;
import org.vse.job.lifecycle.Job;
import org.vse.provisioner.VmName;
import org.vse.provisioner.guest.AgentGuestControl;
import org.vse.provisioner.guest.GuestControl;

/** The way into a job's guests. */
public final class Guests {
    private Guests() {}

    /** Control of one guest; every call fails at once with GUEST_DIED when a machine of the job has ended. */
    public static GuestControl control(Node node, Job job, int machine) {
        VmName name = job.record().vmName(machine);
        File told = job.files().control(machine).toFile();
        return new AgentGuestControl(
                (json, timeout) -> {
                    job.requireMachinesAlive();
                    return node.driver().agent(name, json, timeout);
                },
                told::length);
    }
}

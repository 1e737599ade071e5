package org.vse.job.lifecycle;

import java.nio.file.Path;
import org.vse.provisioner.guest.ControlRecords;

/**
 * Where the files of a job attempt are.
 *
 * @param directory lasting files; traversable by the machines' uid, listable by nobody else
 * @param sockets files that end with the job, on a short path (unix(7): 107 bytes)
 */
public record JobFiles(Path directory, Path sockets) {
    /**
     * The files of an attempt.
     *
     * @param state the daemon's lasting directory
     * @param run the daemon's directory of things that end with the machine
     * @param tag see {@link JobRecord#tag}
     */
    public static JobFiles of(Path state, Path run, String tag) {
        return new JobFiles(state.resolve("jobs").resolve(tag), run.resolve("j").resolve(tag));
    }

    public Path record() {
        return directory.resolve("job.json");
    }

    public Path script() {
        return directory.resolve("script");
    }

    public Path environment() {
        return directory.resolve("environment.json");
    }

    /** What the plug-ins add to the environment; there once they have run. */
    public Path plugIns() {
        return directory.resolve("plug-ins.json");
    }

    /** Digest of what the job's machines boot here; there once it differs from the image that was admitted. */
    public Path booted() {
        return directory.resolve("booted.json");
    }

    /** What the starter came with; there once it has come. */
    public Path launch() {
        return directory.resolve("launch.json");
    }

    public Path journal() {
        return directory.resolve("journal");
    }

    public Path events() {
        return directory.resolve("events");
    }

    /** What executes the guests' instructions; there once that was chosen. */
    public Path accelerator() {
        return directory.resolve("accelerator.json");
    }

    /** What the machines were saved as; there once the job has stopped at that. */
    public Path saved() {
        return directory.resolve("saved.json");
    }

    /** That machines are being saved; there only meanwhile. */
    public Path saving() {
        return directory.resolve("saving.json");
    }

    /** Since when its machines stand still, and how long they did; there once somebody wanted that. */
    public Path suspended() {
        return directory.resolve("suspended.json");
    }

    public Path outcome() {
        return directory.resolve("outcome.json");
    }

    /** What the script has written to its standard output. */
    public Path stdout() {
        return directory.resolve("stdout");
    }

    /** What the script has written to its standard error. */
    public Path stderr() {
        return directory.resolve("stderr");
    }

    /** What the first guest's runner reports. */
    public Path control() {
        return control(0);
    }

    /** What a guest reports. */
    public Path control(int machine) {
        return machine == 0 ? directory.resolve("control") : channel(machine, ControlRecords.PORT);
    }

    /** Private half of the key that the job's machines and its user share. */
    public Path key() {
        return directory.resolve("id_ed25519");
    }

    /** The share server's home. */
    public Path share() {
        return directory.resolve("share");
    }

    /** Boot console of a machine. */
    public Path console(int machine) {
        return directory.resolve("console-" + machine);
    }

    /** Overlay disk of a machine. */
    public Path disk(int machine) {
        return directory.resolve("disk-" + machine + ".qcow2");
    }

    /** A channel of a machine other than the first, whose output nobody reads. */
    public Path channel(int machine, String name) {
        return directory.resolve(name + "-" + machine);
    }

    /** Socket of the first machine's terminal. */
    public Path terminal() {
        return sockets.resolve("tty");
    }
}

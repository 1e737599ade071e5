package org.vse.provisioner.guest;

/** What became of a job's script, as its guest says. */
public sealed interface JobStatus {
    /** Nothing was started in this guest. */
    record NotStarted() implements JobStatus {}

    /** The script runs, or its output is still being delivered. */
    record Running() implements JobStatus {}

    /**
     * The script has ended and the guest has handed over all of its output.
     *
     * @param exitCode 0 to 255, 128 + signal when a signal ended it
     * @param stdoutBytes length of the whole standard output; the host's file is complete when it has as many
     * @param stderrBytes likewise for standard error
     */
    record Exited(int exitCode, long stdoutBytes, long stderrBytes) implements JobStatus {}

    /**
     * How the script ended cannot be known.
     *
     * @param step what the guest could not do, or {@code runner} when the process that waits for the script was killed
     */
    record Lost(String step) implements JobStatus {}
}

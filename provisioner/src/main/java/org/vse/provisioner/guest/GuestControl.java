package org.vse.provisioner.guest;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.vse.failure.VseException;

/** Runs programs as root inside one guest. Every implementation passes {@code GuestControlContract}. */
public interface GuestControl {
    /** Most bytes of standard input for one program; in base64 it must fit into one libvirt string (4 MiB). */
    int MAX_STDIN_BYTES = 2 << 20;

    /**
     * Returns when the guest answers.
     *
     * @throws VseException BOOT_TIMEOUT when it does not by the deadline, GUEST_DIED when the machine ended
     */
    void awaitReady(Instant deadline);

    /**
     * Runs one program to its end. What is not UTF-8 in its output is replaced by U+FFFD.
     *
     * @param argv program with its absolute path, and arguments; never a shell line made of foreign text
     * @param stdin standard input, at most {@link #MAX_STDIN_BYTES}
     * @param timeout after which GUEST_UNRESPONSIVE is thrown; the program may go on
     * @param maxOutputBytes of each stream; more is an error of the guest, GUEST_PROTOCOL
     * @throws VseException GUEST_SETUP_FAILED when the guest refuses to run the program, GUEST_DIED when the machine
     *     ended, STEP_INTERRUPTED when this thread is interrupted, JOB_TOO_LARGE when arguments and input together are
     *     more than the guest can be sent (4 MiB in the form in which they travel)
     */
    GuestResult exec(List<String> argv, byte[] stdin, Duration timeout, int maxOutputBytes);

    /**
     * As {@link #exec}, for a program whose last act is to write to the port {@value ControlRecords#PORT}: an implementation
     * that sees what arrives there need not disturb the guest by asking while the program works.
     */
    default GuestResult execTelling(List<String> argv, byte[] stdin, Duration timeout, int maxOutputBytes) {
        return exec(argv, stdin, timeout, maxOutputBytes);
    }

    /** Sets the guest's clock. */
    void setClock(Instant now);

    /**
     * How a program in the guest ended.
     *
     * @param exitCode 0 to 255, 128 + signal when a signal ended it
     */
    record GuestResult(int exitCode, String stdout, String stderr) {}
}

package org.vse.provisioner.fake;

import java.nio.charset.StandardCharsets;
import org.vse.failure.VseException;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;

/** A machine of a {@link FakeDriver}, as its guest sees it. What it writes after its end goes nowhere. */
public interface FakeMachine {
    VmName name();

    VmLabel label();

    /** Kernel command line of the spec; empty for a disk that boots itself. */
    String commandLine();

    /**
     * Appends to the host file behind a channel.
     *
     * @throws VseException INTERNAL when the spec has no such channel
     */
    void write(String channel, byte[] bytes);

    /** Appends UTF-8 text to the host file behind the first serial port. */
    void print(String text);

    /** Ends the machine; {@code why} as in {@link org.vse.provisioner.VmDriver.EndListener}. */
    void end(String why);

    /** {@link #write} of UTF-8 text. */
    default void write(String channel, String text) {
        write(channel, text.getBytes(StandardCharsets.UTF_8));
    }
}

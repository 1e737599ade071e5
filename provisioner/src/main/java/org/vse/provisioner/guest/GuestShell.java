package org.vse.provisioner.guest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.guest.GuestControl.GuestResult;

/**
 * Runs the fixed scripts of {@link GuestScripts}. An image may offer {@value #FAST}, a shell with the usual programs built
 * in: where starting a program is dear, as under emulation, that is most of the time that a script takes.
 */
final class GuestShell {
    static final String FAST = "/usr/lib/vse/sh";
    static final String ORDINARY = "/bin/sh";

    private GuestShell() {}

    /**
     * Runs a script to its end.
     *
     * @param arguments the script's {@code $0} and what follows it
     * @throws VseException as {@link GuestControl#exec}
     */
    static GuestResult run(
            GuestControl guest,
            String script,
            List<String> arguments,
            byte[] stdin,
            Duration timeout,
            int maxOutputBytes) {
        try {
            return guest.exec(argv(FAST, script, arguments), stdin, timeout, maxOutputBytes);
        } catch (VseException e) {
            if (e.code() != ErrorCode.GUEST_SETUP_FAILED) {
                throw e;
            }
            // The agent refused to start it: the image has no such shell.
            return guest.exec(argv(ORDINARY, script, arguments), stdin, timeout, maxOutputBytes);
        }
    }

    private static List<String> argv(String shell, String script, List<String> arguments) {
        List<String> argv = new ArrayList<>(List.of(shell, "-c", script));
        argv.addAll(arguments);
        return argv;
    }
}

package org.vse.provisioner.guest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
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
        return run(argv -> guest.exec(argv, stdin, timeout, maxOutputBytes), script, arguments);
    }

    /** As {@link #run}, for a script whose last act is to write to the control port. */
    static GuestResult runTelling(
            GuestControl guest,
            String script,
            List<String> arguments,
            byte[] stdin,
            Duration timeout,
            int maxOutputBytes) {
        return run(argv -> guest.execTelling(argv, stdin, timeout, maxOutputBytes), script, arguments);
    }

    private static GuestResult run(Function<List<String>, GuestResult> exec, String script, List<String> arguments) {
        try {
            return exec.apply(argv(FAST, script, arguments));
        } catch (VseException e) {
            if (e.code() != ErrorCode.GUEST_SETUP_FAILED) {
                throw e;
            }
            // The agent refused to start it: the image has no such shell.
            return exec.apply(argv(ORDINARY, script, arguments));
        }
    }

    private static List<String> argv(String shell, String script, List<String> arguments) {
        List<String> argv = new ArrayList<>(List.of(shell, "-c", script));
        argv.addAll(arguments);
        return argv;
    }
}

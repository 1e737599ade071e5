package org.vse.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A process that can be recognised later: a pid alone may be another process by then, pid and start time may not.
 *
 * @param pid process id
 * @param startTicks field 22 of {@code /proc/PID/stat} (proc(5)): clock ticks after boot
 */
public record ProcessIdentity(long pid, long startTicks) {
    /**
     * @return empty when there is no such process or it is a zombie
     * @throws VseException INTERNAL when {@code /proc} cannot be read: then nothing is known about the process
     */
    public static Optional<ProcessIdentity> of(long pid) {
        Path stat = Path.of("/proc", Long.toString(pid), "stat");
        try {
            // Bytes, not text: the program's name is in it and may be anything.
            return parse(pid, new String(Files.readAllBytes(stat), StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("No such process")) {
                // ESRCH: the process ended between open and read.
                return Optional.empty();
            }
            throw VseException.of(ErrorCode.INTERNAL, "cannot see process " + pid)
                    .at(stat.toString())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    /**
     * Reads {@code PID:TICKS}.
     *
     * @throws IllegalArgumentException for another text
     */
    public static ProcessIdentity ofText(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("not a process: '" + text + "'");
        }
        return new ProcessIdentity(Long.parseLong(text.substring(0, colon)), Long.parseLong(text.substring(colon + 1)));
    }

    /** The name, field 2, is in parentheses and may contain spaces and parentheses itself. */
    static Optional<ProcessIdentity> parse(long pid, String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        if (fields[0].equals("Z") || fields[0].equals("X")) {
            return Optional.empty();
        }
        return Optional.of(new ProcessIdentity(pid, Long.parseLong(fields[19])));
    }

    /** True while this very process lives; a zombie counts as ended. */
    public boolean alive() {
        return of(pid).filter(this::equals).isPresent();
    }

    /**
     * Sends a signal to this very process through a pidfd, so that a recycled pid is never hit.
     *
     * @return false when it has already ended
     * @throws VseException INTERNAL when the kernel refuses, NOT_SUPPORTED before Linux 5.3
     */
    public boolean signal(int signal) {
        Optional<PidFd> pinned = PidFd.open(pid);
        if (pinned.isEmpty()) {
            return false;
        }
        try (PidFd process = pinned.get()) {
            // The pidfd pins the process that has this pid now; the start time says whether it is ours.
            return alive() && process.send(signal);
        }
    }
}

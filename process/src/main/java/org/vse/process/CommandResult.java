package org.vse.process;

import java.time.Duration;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * How a program ended.
 *
 * @param argv what was run
 * @param exitCode its exit code, 128 + signal when a signal ended it
 * @param stdout the last bytes of standard output as UTF-8, malformed bytes replaced
 * @param stderr the last bytes of standard error, likewise
 * @param took wall time
 */
public record CommandResult(List<String> argv, int exitCode, String stdout, String stderr, Duration took) {
    /** @throws VseException COMMAND_FAILED, or DISK_FULL, with the program's own words, when the exit code is not 0 */
    public CommandResult orThrow(String doing) {
        if (exitCode != 0) {
            String said = lastLines(stderr.isBlank() ? stdout : stderr, 12);
            boolean full = VseException.saysFull(said);
            VseException failure = VseException.of(
                            full ? ErrorCode.DISK_FULL : ErrorCode.COMMAND_FAILED,
                            doing + " failed: " + argv.get(0) + " exited " + exitCode)
                    .fact("command", String.join(" ", argv))
                    .fact("said", said);
            throw full ? failure.next("make room, 'df' shows which file system is full") : failure;
        }
        return this;
    }

    private static String lastLines(String text, int count) {
        List<String> lines = text.strip().lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - count), lines.size()));
    }
}

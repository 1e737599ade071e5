package org.vse.provisioner.guest;

import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What the guest has written to its port {@value #PORT}: {@value #PREPARED} whenever it was prepared, then
 * {@code started PID}, then {@code exit CODE STDOUT STDERR} or {@code failed STEP}, each of these at most once, each a line
 * of its own. The last line may still be incomplete.
 *
 * @param started the script's process in the guest; empty before it began
 */
public record ControlRecords(OptionalInt started, JobStatus status) {
    /** Name of the virtio-serial port. */
    public static final String PORT = "org.vse.control";
    /** Most bytes that a well-behaved guest writes; nobody needs to read more of the file. */
    public static final int MAX_BYTES = 256;

    private static final String PREPARED = "prepared";
    private static final Pattern STARTED = Pattern.compile("started ([1-9][0-9]{0,6})");
    private static final Pattern END =
            Pattern.compile("exit (0|[1-9][0-9]{0,2}) (0|[1-9][0-9]{0,17}) (0|[1-9][0-9]{0,17})");
    private static final Pattern FAILED = Pattern.compile("failed ([a-z]{1,16})");

    /**
     * @param content the whole content of the port's file, or its first {@link #MAX_BYTES} + 1 bytes
     * @throws VseException GUEST_PROTOCOL when it is anything else than what is described here
     */
    public static ControlRecords parse(byte[] content) {
        String text = new String(content, StandardCharsets.ISO_8859_1);
        if (content.length > MAX_BYTES) {
            throw malformed("at most " + MAX_BYTES + " bytes", text);
        }
        OptionalInt started = OptionalInt.empty();
        JobStatus status = new JobStatus.NotStarted();
        int begin = 0;
        for (int end; (end = text.indexOf('\n', begin)) >= 0; begin = end + 1) {
            String line = text.substring(begin, end);
            Matcher start = STARTED.matcher(line);
            if (status instanceof JobStatus.NotStarted && line.equals(PREPARED)) {
                continue;
            }
            if (status instanceof JobStatus.NotStarted && start.matches()) {
                started = OptionalInt.of(Integer.parseInt(start.group(1)));
                status = new JobStatus.Running();
            } else if (status instanceof JobStatus.Exited || status instanceof JobStatus.Lost) {
                throw malformed("nothing after the end of the script", text);
            } else {
                status = end(line);
            }
        }
        return new ControlRecords(started, status);
    }

    /** @throws VseException GUEST_PROTOCOL when the line is neither {@code exit …} nor {@code failed …} */
    static JobStatus end(String line) {
        Matcher exit = END.matcher(line);
        if (exit.matches() && Integer.parseInt(exit.group(1)) <= 255) {
            return new JobStatus.Exited(
                    Integer.parseInt(exit.group(1)), Long.parseLong(exit.group(2)), Long.parseLong(exit.group(3)));
        }
        Matcher failed = FAILED.matcher(line);
        if (failed.matches()) {
            return new JobStatus.Lost(failed.group(1));
        }
        throw malformed("'started PID', then 'exit CODE STDOUT STDERR' or 'failed STEP'", line);
    }

    private static VseException malformed(String expected, String found) {
        return VseException.of(
                        ErrorCode.GUEST_PROTOCOL,
                        "the guest wrote something else than expected to its port '" + PORT + "'")
                .fact("expected", expected)
                .fact("found", Excerpt.of(found));
    }
}

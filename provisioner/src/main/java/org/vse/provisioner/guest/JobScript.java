package org.vse.provisioner.guest;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** A job's script, byte for byte. */
public final class JobScript {
    /** Largest script, bytes. */
    public static final int MAX_BYTES = 512 << 10;
    /** NAME_MAX of Linux. */
    private static final int MAX_NAME = 255;
    /** Linux looks at that much of a file for its interpreter (BINPRM_BUF_SIZE, execve(2)). */
    private static final int INTERPRETER_LINE = 256;

    private final String name;
    private final byte[] text;

    /**
     * @param path where the user has the script; its last element becomes the name
     * @param text bytes of the script
     * @throws VseException JOB_TOO_LARGE
     */
    public JobScript(String path, byte[] text) {
        if (text.length > MAX_BYTES) {
            throw VseException.of(
                            ErrorCode.JOB_TOO_LARGE,
                            "the script '" + Excerpt.of(path) + "' is larger than a job may be")
                    .fact("limit", MAX_BYTES + " bytes")
                    .fact("found", text.length + " bytes");
        }
        this.name = nameOf(path);
        this.text = text.clone();
    }

    /**
     * Name of the file in the guest: the last element of the user's path, in which what env(1) would take for a variable
     * and what a terminal would not show is replaced by '_'.
     */
    public String name() {
        return name;
    }

    public byte[] text() {
        return text.clone();
    }

    /** The program named by the first line as execve(2) reads it; empty when there is no such line. */
    public Optional<String> interpreter() {
        int end = 2;
        int most = Math.min(text.length, INTERPRETER_LINE);
        while (end < most && text[end] != '\n') {
            end++;
        }
        if (text.length < 2 || text[0] != '#' || text[1] != '!') {
            return Optional.empty();
        }
        String line = new String(text, 2, end - 2, StandardCharsets.UTF_8);
        String[] words = line.replaceFirst("^[ \t]+", "").split("[ \t\0]", 2);
        return words[0].isEmpty() ? Optional.empty() : Optional.of(words[0]);
    }

    private static String nameOf(String path) {
        String last = path.substring(path.lastIndexOf('/') + 1);
        String safe = last.replaceAll("[=\\p{Cntrl}]", "_");
        while (safe.getBytes(StandardCharsets.UTF_8).length > MAX_NAME) {
            safe = safe.substring(0, safe.length() - 1);
        }
        return safe.isEmpty() || safe.equals(".") || safe.equals("..") ? "script" : safe;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof JobScript script && name.equals(script.name) && Arrays.equals(text, script.text);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(text);
    }

    @Override
    public String toString() {
        return "JobScript[" + name + ", " + text.length + " bytes]";
    }
}

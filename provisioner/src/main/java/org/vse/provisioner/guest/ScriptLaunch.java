package org.vse.provisioner.guest;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What runs in the first machine of a job, and as whom.
 *
 * @param script empty: the login shell, which needs a terminal
 * @param arguments of the script
 * @param environment the whole environment; names and values are any text without NUL
 * @param cwd absolute path in the guest
 * @param uid the job's user
 * @param groups numbers of the groups, the primary one first
 * @param umask as of umask(2)
 * @param shell login shell: runs scripts without an interpreter line; where the guest does not have it, bash, then sh
 * @param terminal empty: batch, output through the machine's ports; otherwise everything is on the machine's terminal
 */
public record ScriptLaunch(
        Optional<JobScript> script,
        List<String> arguments,
        Map<String, String> environment,
        String cwd,
        int uid,
        List<Integer> groups,
        int umask,
        String shell,
        Optional<Terminal> terminal) {
    /** Most bytes of arguments and environment together; Linux allows a quarter of the stack limit, 2 MiB. */
    public static final int MAX_DATA_BYTES = 1 << 20;
    /** MAX_ARG_STRLEN of Linux less the final NUL (execve(2)). */
    public static final int MAX_STRING_BYTES = (128 << 10) - 1;

    public ScriptLaunch {
        arguments = List.copyOf(arguments);
        environment = new TreeMap<>(environment);
        groups = List.copyOf(groups);
        if (script.isEmpty() && terminal.isEmpty()) {
            throw new IllegalArgumentException("neither a script nor a terminal");
        }
        if (uid < 0 || groups.isEmpty() || groups.stream().anyMatch(gid -> gid < 0)) {
            throw new IllegalArgumentException("uid " + uid + ", groups " + groups);
        }
        if (umask < 0 || umask > 0777) {
            throw new IllegalArgumentException("umask: " + Integer.toOctalString(umask));
        }
        GuestPath.require(cwd);
        GuestPath.require(shell);
        if (shell.indexOf('=') >= 0) {
            throw new IllegalArgumentException("env(1) would take '" + shell + "' for a variable");
        }
        long total = 0;
        for (String argument : arguments) {
            total += checkedLength("an argument", argument);
        }
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            String name = variable.getKey();
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw new IllegalArgumentException("not a name of a variable: '" + Excerpt.of(name) + "'");
            }
            total += checkedLength("the variable '" + Excerpt.of(name) + "'", name + "=" + variable.getValue());
        }
        if (total > MAX_DATA_BYTES) {
            throw tooLarge("the job's arguments and environment", MAX_DATA_BYTES, total);
        }
        environment = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    }

    /** The number of the primary group. */
    public int gid() {
        return groups.get(0);
    }

    /**
     * A terminal's size and kind.
     *
     * @param type value of TERM
     */
    public record Terminal(int rows, int columns, String type) {
        public Terminal {
            requireSize(rows, columns);
            if (!type.matches("[A-Za-z0-9._+-]{1,64}")) {
                throw new IllegalArgumentException("not a type of a terminal: '" + Excerpt.of(type) + "'");
            }
        }

        static void requireSize(int rows, int columns) {
            if (rows < 1 || rows > 32767 || columns < 1 || columns > 32767) {
                throw new IllegalArgumentException("terminal of " + rows + " rows and " + columns + " columns");
            }
        }
    }

    private static int checkedLength(String what, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(what + " contains NUL");
        }
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_STRING_BYTES) {
            throw tooLarge(what, MAX_STRING_BYTES, length);
        }
        return length + 1;
    }

    private static VseException tooLarge(String what, long limit, long found) {
        return VseException.of(ErrorCode.JOB_TOO_LARGE, what + " is more than a program can be given")
                .fact("limit", limit + " bytes")
                .fact("found", found + " bytes");
    }
}

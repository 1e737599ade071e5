package org.vse.process;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One program to run: an argument vector, never a shell line.
 *
 * @param argv program and arguments; the program is found on {@code PATH} unless it contains a slash
 * @param env the whole environment of the program except {@code PATH}, {@code LANG} and {@code HOME}, which are set
 * @param cwd working directory; {@code null} means {@code /}
 * @param stdin text for standard input, as UTF-8; empty means end of file at once
 * @param timeout after which the program and its children are killed
 * @param maxOutputBytes kept from the end of each output stream; what exceeds it is dropped from the front
 */
public record Command(
        List<String> argv,
        Map<String, String> env,
        @Nullable Path cwd,
        String stdin,
        Duration timeout,
        int maxOutputBytes) {
    public Command {
        argv = List.copyOf(argv);
        env = Map.copyOf(env);
        Objects.requireNonNull(stdin);
        Objects.requireNonNull(timeout);
        if (argv.isEmpty()) {
            throw new IllegalArgumentException("argv is empty");
        }
        if (maxOutputBytes < 0) {
            throw new IllegalArgumentException("negative output bound: " + maxOutputBytes);
        }
        for (String arg : argv) {
            if (arg.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("argument contains a NUL byte");
            }
        }
    }

    /** Defaults: empty environment and input, directory {@code /}, 30 s, 1 MiB of each stream. */
    public static Command of(String... argv) {
        return of(List.of(argv));
    }

    public static Command of(List<String> argv) {
        return new Command(argv, Map.of(), null, "", Duration.ofSeconds(30), 1 << 20);
    }

    public Command withEnv(Map<String, String> newEnv) {
        return new Command(argv, newEnv, cwd, stdin, timeout, maxOutputBytes);
    }

    public Command withCwd(Path newCwd) {
        return new Command(argv, env, newCwd, stdin, timeout, maxOutputBytes);
    }

    public Command withStdin(String newStdin) {
        return new Command(argv, env, cwd, newStdin, timeout, maxOutputBytes);
    }

    /** The same with another bound on what is kept of each output stream, bytes. */
    public Command withMaxOutput(int newMaxOutputBytes) {
        return new Command(argv, env, cwd, stdin, timeout, newMaxOutputBytes);
    }

    public Command withTimeout(Duration newTimeout) {
        return new Command(argv, env, cwd, stdin, newTimeout, maxOutputBytes);
    }

    @Override
    public String toString() {
        return String.join(" ", argv);
    }
}

package org.vse.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The only place that starts other programs. */
public final class CommandRunner {
    private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private static final ProcessBuilder.Redirect NOTHING =
            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile());

    /** Where a program without a slash in its name would be found; empty when it is not installed. */
    public static Optional<Path> find(String program) {
        return find(program, PATH);
    }

    /**
     * Runs a program to its end: until it has exited and both its output streams are closed.
     *
     * @throws VseException COMMAND_MISSING when there is no such program, COMMAND_FAILED when it cannot be started,
     *     COMMAND_TIMEOUT when it had to be killed or what it left behind holds its output, STEP_INTERRUPTED when this
     *     thread was interrupted (the program is killed)
     */
    public CommandResult run(Command command) {
        return run(command, StandardCharsets.UTF_8);
    }

    /**
     * The same for a program that does not speak UTF-8.
     *
     * @param charset of its output streams; ISO 8859-1 keeps every byte
     */
    public CommandResult run(Command command, Charset charset) {
        long begin = System.nanoTime();
        Process process = start(prepare(command), command);
        CompletableFuture<byte[]> out = tail(process.getInputStream(), command.maxOutputBytes());
        CompletableFuture<byte[]> err = tail(process.getErrorStream(), command.maxOutputBytes());
        feed(process.getOutputStream(), command.stdin());
        long timeout = TimeUnit.NANOSECONDS.convert(command.timeout());
        try {
            if (!process.waitFor(timeout, TimeUnit.NANOSECONDS)) {
                throw tooLate(command, "did not end");
            }
            CompletableFuture.allOf(out, err)
                    .get(Math.max(0, timeout - (System.nanoTime() - begin)), TimeUnit.NANOSECONDS);
            return new CommandResult(
                    command.argv(),
                    process.exitValue(),
                    new String(out.join(), charset),
                    new String(err.join(), charset),
                    Duration.ofNanos(System.nanoTime() - begin));
        } catch (TimeoutException e) {
            throw tooLate(command, "ended, but a process that it started did not close its output")
                    .because(e);
        } catch (InterruptedException e) {
            throw interrupted(command, e);
        } catch (ExecutionException e) {
            throw VseException.of(
                            ErrorCode.INTERNAL, "reading from " + command.argv().get(0) + " failed")
                    .because(e);
        } finally {
            killIfAlive(process);
        }
    }

    private static VseException interrupted(Command command, InterruptedException cause) {
        Thread.currentThread().interrupt();
        return VseException.of(ErrorCode.STEP_INTERRUPTED, command.argv().get(0) + " was interrupted")
                .because(cause);
    }

    private static VseException tooLate(Command command, String what) {
        return VseException.of(
                        ErrorCode.COMMAND_TIMEOUT,
                        command.argv().get(0) + " " + what + " within "
                                + command.timeout().toMillis() / 1e3 + " s")
                .fact("command", command);
    }

    /**
     * Starts a program that outlives the call, its output appended to a file.
     *
     * @return the process; the caller identifies it later by {@link ProcessIdentity}, never by pid alone
     */
    public Process start(Command command, Path log) {
        return start(
                prepare(command)
                        .redirectInput(NOTHING)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())),
                command);
    }

    /**
     * Starts a program that outlives the call and first says on its standard output how its start went.
     *
     * @param log what it says on standard error is appended here
     * @return the process, its standard output open for reading; it has no input
     */
    public Process startReporting(Command command, Path log) {
        return start(
                prepare(command).redirectInput(NOTHING).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())),
                command);
    }

    /**
     * Runs a program on this process's own standard streams, its terminal included; the timeout does not apply.
     *
     * @return its exit code, 128 + signal when a signal ended it
     * @throws VseException COMMAND_MISSING, COMMAND_FAILED, or STEP_INTERRUPTED when this thread was interrupted (the
     *     program is killed)
     */
    public int runInherited(Command command) {
        Process process = start(prepare(command).inheritIO(), command);
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            throw interrupted(command, e);
        } finally {
            killIfAlive(process);
        }
    }

    private static ProcessBuilder prepare(Command command) {
        Map<String, String> env = new HashMap<>(Map.of("PATH", PATH, "LANG", "C.UTF-8", "HOME", "/nonexistent"));
        env.putAll(command.env());
        Path cwd = command.cwd() == null ? Path.of("/") : command.cwd();
        List<String> argv = new ArrayList<>(command.argv());
        argv.set(0, located(command, cwd, env.getOrDefault("PATH", PATH)));
        ProcessBuilder builder = new ProcessBuilder(argv).directory(cwd.toFile());
        builder.environment().clear();
        builder.environment().putAll(env);
        return builder;
    }

    private static Process start(ProcessBuilder builder, Command command) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw VseException.of(
                            ErrorCode.COMMAND_FAILED,
                            "cannot start " + command.argv().get(0))
                    .fact("command", command)
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    /** Looks a program up in the command's own PATH; left to itself, Java would look in that of this process. */
    private static String located(Command command, Path cwd, String path) {
        String program = command.argv().get(0);
        if (program.contains("/") && Files.exists(cwd.resolve(program))) {
            return program;
        }
        return (program.contains("/") ? Optional.<Path>empty() : find(program, path))
                .map(Path::toString)
                .orElseThrow(() -> VseException.of(ErrorCode.COMMAND_MISSING, "there is no program '" + program + "'")
                        .fact("command", command)
                        .fact("searched", program.contains("/") ? cwd.resolve(program) : path));
    }

    /** Where a program would be found with that PATH; empty when it is nowhere there. */
    public static Optional<Path> find(String program, String path) {
        return Arrays.stream(path.split(":"))
                .map(directory -> Path.of(directory, program))
                .filter(at -> at.isAbsolute() && Files.isRegularFile(at) && Files.isExecutable(at))
                .findFirst();
    }

    /** In the background: a program may end, or wait for something else, without reading its input. */
    private static void feed(OutputStream to, String text) {
        CompletableFuture<Void> unused = onThread("stdin", () -> {
            try (to) {
                to.write(text.getBytes(StandardCharsets.UTF_8));
                return null;
            }
        });
    }

    private static CompletableFuture<byte[]> tail(InputStream from, int max) {
        return onThread("output", () -> {
            try (from) {
                return Tail.of(from, max);
            }
        });
    }

    private static <T> CompletableFuture<T> onThread(String name, java.util.concurrent.Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        result.complete(work.call());
                    } catch (Exception e) {
                        result.completeExceptionally(e);
                    }
                },
                "command-" + name);
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    private static void killIfAlive(Process process) {
        if (process.isAlive()) {
            killTree(process.toHandle());
        }
    }

    /** Kills a process and what descends from it. What has already been orphaned cannot be found any more. */
    private static void killTree(ProcessHandle process) {
        List<ProcessHandle> children = process.children().toList();
        process.destroyForcibly();
        children.forEach(CommandRunner::killTree);
    }
}

package org.vse.imagestore.foreign;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/**
 * qemu-img over bytes that nobody vouches for. It gets bounded memory, processor time and output, no new privileges, and
 * relative names in one directory. Started by root it is user nobody, has no capabilities, no network, no other process to
 * see, and whatever it starts ends with it. Started by anybody else it has that user's rights.
 */
final class CaptiveTool {
    private static final int NOBODY = 65_534;

    /** Its many threads reserve address space; by default 8 MiB of stack and 64 MiB of heap each. */
    private static final long STACK = 1 << 20;

    private static final Map<String, String> ARENAS = Map.of("MALLOC_ARENA_MAX", "2");

    private final CommandRunner runner;
    private final ImportLimits limits;

    CaptiveTool(CommandRunner runner, ImportLimits limits) {
        this.runner = runner;
        this.limits = limits;
    }

    /** A directory below another one into which the tool may write. */
    static Path writable(Path parent, String name) throws IOException {
        Path directory = Files.createDirectory(parent.resolve(name));
        lend(directory);
        return directory;
    }

    /** Lets the tool have a file or a directory. */
    static void lend(Path file) throws IOException {
        if (isRoot(file)) {
            Files.setAttribute(file, "unix:gid", NOBODY, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(file, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);
        }
    }

    /** Takes away from the tool what it has written. */
    static void reclaim(Path directory) throws IOException {
        if (Files.getAttribute(directory, "unix:uid").equals(NOBODY)) {
            Files.setAttribute(directory, "unix:uid", 0);
            Files.setAttribute(directory, "unix:gid", 0);
        }
    }

    /**
     * Runs qemu-img in a directory.
     *
     * @param outputBytes that one file written by it may have
     * @throws VseException IMAGE_REFUSED when it takes too long, DISK_FULL, COMMAND_MISSING
     */
    CommandResult run(Path directory, long outputBytes, List<String> arguments) {
        List<String> argv = new ArrayList<>();
        if (isRoot(directory)) {
            argv.addAll(List.of("unshare", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--"));
            argv.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
            argv.addAll(List.of("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"));
        } else {
            argv.addAll(List.of("setpriv", "--no-new-privs", "--"));
        }
        argv.addAll(List.of("prlimit", "--as=" + limits.toolMemoryBytes(), "--fsize=" + outputBytes));
        argv.addAll(List.of("--stack=" + STACK));
        argv.addAll(List.of("--cpu=" + seconds(limits.toolCpu()), "--core=0", "--nofile=64", "--", "qemu-img"));
        argv.addAll(arguments);
        try {
            CommandResult result = runner.run(
                    Command.of(argv).withCwd(directory).withEnv(ARENAS).withTimeout(limits.toolTime()));
            if (result.stderr().contains("No space left on device")) {
                throw VseException.of(ErrorCode.DISK_FULL, "the disk of the image store is full")
                        .fact("path", directory)
                        .next("vse image gc");
            }
            return result;
        } catch (VseException e) {
            if (e.code() != ErrorCode.COMMAND_TIMEOUT) {
                throw e;
            }
            throw VseException.of(
                            ErrorCode.IMAGE_REFUSED,
                            "the disk is refused: qemu-img was not done with it after "
                                    + limits.toolTime().toMillis() / 1e3 + " s")
                    .because(e);
        }
    }

    private static long seconds(Duration duration) {
        return Math.max(1, duration.toSeconds());
    }

    private static boolean isRoot(Path ours) {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "cannot find out who this process is")
                    .fact("for", ours)
                    .fact("reason", e)
                    .because(e);
        }
    }
}

package org.vse.job.doctor;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandResult;

/**
 * What checks look at. Every path of the host is found below {@link #root}.
 *
 * @param root {@code /}
 * @param state directory of lasting files
 * @param run directory of sockets
 * @param config directory of {@code vsed.yaml}
 * @param packages the file {@code packages.txt}, not below {@link #root}
 * @param isRoot this process may see everything
 * @param programs finds and runs programs
 * @param kernel tells what no file does
 */
public record Host(
        Path root,
        Path state,
        Path run,
        Path config,
        Path packages,
        boolean isRoot,
        Programs programs,
        Kernel kernel,
        Clock clock) {

    /** Other programs. */
    public interface Programs {
        /** Where a program is; empty when it is not installed. */
        Optional<Path> find(String program);

        /** Runs a program to its end. */
        CommandResult run(Command command);
    }

    /** System calls. */
    public interface Kernel {
        /** Bytes that this process may still write to the file system of a path. */
        long usableBytes(Path path) throws IOException;

        /** True when something keeps the clock right (adjtimex(2)). */
        boolean isClockSynchronised();
    }

    /** A path of the host, whether it exists or not. */
    Path at(Path absolute) {
        return root.resolve(Path.of("/").relativize(absolute));
    }

    Path at(String absolute) {
        return at(Path.of(absolute));
    }

    /** Runs a program that is there; empty when it is not installed. */
    Optional<CommandResult> run(String... argv) {
        return programs.find(argv[0]).map(found -> programs.run(Command.of(List.of(argv))));
    }

    /**
     * Goes on with a file's text; where this user may not read it, that is the finding.
     *
     * @param absent what it means that there is no such file
     */
    Finding reading(Path absolute, Function<String, Finding> text, Finding absent) {
        Path file = at(absolute);
        try {
            return text.apply(Files.readString(file));
        } catch (NoSuchFileException e) {
            return absent;
        } catch (AccessDeniedException e) {
            return Finding.forRoot(absolute.toString());
        } catch (IOException e) {
            throw unreadable(absolute, e);
        }
    }

    /** A file's text; empty when there is none. */
    Optional<String> text(String absolute) {
        try {
            return Optional.of(Files.readString(at(absolute)));
        } catch (NoSuchFileException | AccessDeniedException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw unreadable(Path.of(absolute), e);
        }
    }

    private static VseException unreadable(Path file, IOException e) {
        return VseException.of(ErrorCode.STORAGE_FAILED, "'" + file + "' cannot be read")
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }
}

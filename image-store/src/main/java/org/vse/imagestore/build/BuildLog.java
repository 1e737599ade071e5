package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/** Runs the commands of one build and writes down what was run and what it said. */
public final class BuildLog {
    private final CommandRunner runner;
    private final Path file;

    public BuildLog(CommandRunner runner, Path file) {
        this.runner = runner;
        this.file = file;
    }

    public Path file() {
        return file;
    }

    /** @throws VseException IMAGE_BUILD_FAILED when the exit code is not 0; COMMAND_MISSING, COMMAND_TIMEOUT */
    public CommandResult run(String doing, Command command) {
        note("$ " + command);
        CommandResult result = runner.run(command);
        note(result.stdout() + result.stderr());
        note("exit code " + result.exitCode() + " after " + result.took().toMillis() + " ms");
        if (result.exitCode() != 0) {
            try {
                result.orThrow(doing);
            } catch (VseException said) {
                VseException failed = failed(doing + " failed").because(said);
                said.facts().forEach(failed::fact);
                throw failed;
            }
        }
        return result;
    }

    public CommandResult run(String doing, Duration timeout, String... argv) {
        return run(doing, Command.of(argv).withTimeout(timeout));
    }

    /** Adds a line of text. */
    public void note(String text) {
        try {
            Files.writeString(file, text.stripTrailing() + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw VseException.storage("the build's log cannot be written", file, e);
        }
    }

    /** An error that names the log. */
    VseException failed(String what) {
        return VseException.of(ErrorCode.IMAGE_BUILD_FAILED, what).fact("log", file);
    }
}

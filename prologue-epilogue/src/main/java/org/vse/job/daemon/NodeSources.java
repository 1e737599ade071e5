package org.vse.job.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Function;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.scheduler.Source;

/** Reads what a batch system has written down on this node, or says when it is asked. */
final class NodeSources implements Function<Source, String> {
    private static final int MAX_BYTES = 1 << 20;
    private static final Duration QUESTION = Duration.ofSeconds(30);

    private final CommandRunner commands;

    NodeSources(CommandRunner commands) {
        this.commands = commands;
    }

    /** @throws VseException STORAGE_FAILED, COMMAND_MISSING, COMMAND_FAILED or COMMAND_TIMEOUT */
    @Override
    public String apply(Source source) {
        if (source instanceof Source.File file) {
            return text(Path.of(file.path()));
        }
        Source.Answer answer = (Source.Answer) source;
        return commands.run(
                        Command.of(answer.argv()).withEnv(answer.environment()).withTimeout(QUESTION))
                .orThrow("asking the batch system about the job")
                .stdout();
    }

    private static String text(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new IOException("more than " + MAX_BYTES + " bytes");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "what the batch system says about the job cannot be read")
                    .at(file.toString())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }
}

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
import org.vse.scheduler.SpooledText;

/** Reads what a batch system has written down on this node, or says when it is asked. */
final class NodeSources implements Function<Source, String> {
    /** Twice what Slurm takes as a job script unless a site says otherwise. */
    static final int MAX_BYTES = 8 << 20;

    private static final Duration QUESTION = Duration.ofSeconds(30);

    private final CommandRunner commands;

    NodeSources(CommandRunner commands) {
        this.commands = commands;
    }

    /**
     * The text of a source, see {@link SpooledText}.
     *
     * @throws VseException USAGE when it is larger than {@link #MAX_BYTES}, which only a script can be; STORAGE_FAILED,
     *     COMMAND_MISSING, COMMAND_FAILED or COMMAND_TIMEOUT
     */
    @Override
    public String apply(Source source) {
        if (source instanceof Source.File file) {
            return text(Path.of(file.path()));
        }
        Source.Answer answer = (Source.Answer) source;
        Command question = Command.of(answer.argv())
                .withEnv(answer.environment())
                .withTimeout(QUESTION)
                .withMaxOutput(MAX_BYTES + 1);
        return decoded(commands.run(question, StandardCharsets.ISO_8859_1)
                .orThrow("asking the batch system about the job")
                .stdout()
                .getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String text(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return decoded(in.readNBytes(MAX_BYTES + 1));
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "what the batch system says about the job cannot be read")
                    .at(file.toString())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    private static String decoded(byte[] bytes) {
        if (bytes.length > MAX_BYTES) {
            throw VseException.of(ErrorCode.USAGE, "the job script is larger than " + (MAX_BYTES >> 20) + " MiB")
                    .next("keep data and programs in files of their own");
        }
        return SpooledText.decode(bytes);
    }
}

package org.vse.test.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Objects;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * A directory covered by a file system that shows the same files, but does what root asks for with the rights of nobody, as
 * an NFS server does under root_squash (exports(5)). Needs FUSE and its Python module.
 */
public final class RootSquash implements AutoCloseable {
    private static final CommandRunner COMMANDS = new CommandRunner();
    private final Path directory;
    private final Path program;
    private final Path log;

    private RootSquash(Path directory, Path program, Path log) {
        this.directory = directory;
        this.program = program;
        this.log = log;
    }

    /** Covers a directory until it is closed. */
    public static RootSquash over(Path directory) {
        try {
            Path program = Files.createTempFile("root_squash", ".py");
            try (InputStream text =
                    Objects.requireNonNull(RootSquash.class.getResourceAsStream("/root_squash.py"), "root_squash.py")) {
                Files.copy(text, program, StandardCopyOption.REPLACE_EXISTING);
            }
            RootSquash squash = new RootSquash(directory, program, Files.createTempFile("root_squash", ".log"));
            Process server = COMMANDS.start(
                    Command.of("python3", program.toString(), directory.toString(), directory.toString()), squash.log);
            await("a file system over " + directory)
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> squash.isMounted(server));
            return squash;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is covered. */
    public Path directory() {
        return directory;
    }

    private boolean isMounted(Process server) {
        assertThat(server.isAlive()).as("the server: %s", Finished.text(log)).isTrue();
        return COMMANDS.run(Command.of("mountpoint", "-q", directory.toString()))
                        .exitCode()
                == 0;
    }

    @Override
    public void close() {
        COMMANDS.run(Command.of("umount", directory.toString())).orThrow("unmounting what refused root");
        try {
            Files.delete(program);
            Files.delete(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

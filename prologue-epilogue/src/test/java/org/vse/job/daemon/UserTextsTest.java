package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.layer.DescriptionFiles;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/** As root: files as another user sees them. As anybody else: as that user does. */
@Timeout(30)
class UserTextsTest {
    private static final JobRecord.User NOBODY =
            new JobRecord.User("nobody", 65_534, 65_534, List.of(), "/nonexistent", "/bin/sh");

    @TempDir
    Path dir;

    private final CommandRunner commands = new CommandRunner();
    private final UserTexts texts = new UserTexts(commands, NOBODY, "17");

    @BeforeEach
    void open() throws IOException {
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Path file(String name, String text, String mode) throws IOException {
        Path file = Files.writeString(dir.resolve(name), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        return file;
    }

    private VseException refused(Path file) {
        VseException refused = catchThrowableOfType(VseException.class, () -> texts.text(file));
        assertThat(refused).as(file.toString()).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.DESCRIPTION_INVALID);
        return refused;
    }

    @Test
    void whatTheUserCanReadIsRead() throws IOException {
        Path file = file("a.yaml", "memory: 1GiB # \u00fc\n", "rw-r--r--");
        assertThat(texts.text(file)).isEqualTo("memory: 1GiB # \u00fc\n");
        Path link = Files.createSymbolicLink(dir.resolve("-link.yaml"), file);
        assertThat(texts.text(link)).isEqualTo("memory: 1GiB # \u00fc\n");
    }

    @Test
    void whatOnlyAnotherCanReadIsNotReadThroughALinkEither() throws IOException {
        Path secret = file("secret.yaml", "memory: 1GiB\n", "---------");
        Path link = Files.createSymbolicLink(dir.resolve("link.yaml"), secret);
        for (Path each : List.of(secret, link)) {
            assertThat(refused(each))
                    .hasMessage(DescriptionFiles.unreadable(each, DescriptionFiles.DENIED)
                            .getMessage());
        }
        Path closed = Files.createDirectory(dir.resolve("closed"));
        Files.writeString(closed.resolve("a.yaml"), "");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        assertThat(refused(closed.resolve("a.yaml")).what()).startsWith("there is no file");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void whatIsNoFileIsNotOpened() {
        Path pipe = dir.resolve("pipe.yaml");
        commands.run(Command.of("mkfifo", pipe.toString())).orThrow("making a pipe");
        for (Path each : List.of(pipe, dir, Path.of("/dev/zero"))) {
            assertThat(refused(each).what()).isEqualTo("'" + each + "' is not a file");
        }
        Path missing = dir.resolve("$(id).yaml");
        assertThat(refused(missing).what()).isEqualTo("there is no file '" + missing + "'");
    }

    @Test
    void nothingIsReadBeyondWhatADescriptionMayHave() throws IOException {
        Path large = file("large.yaml", "x".repeat(10 << 20), "rw-r--r--");
        assertThat(texts.text(large)).hasSize(DescriptionFiles.MAX_BYTES + 1);
        Path binary = dir.resolve("binary.yaml");
        Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe});
        Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(catchThrowableOfType(VseException.class, () -> texts.text(binary)))
                .isNotNull();
    }
}

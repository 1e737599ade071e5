package org.vse.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Needs root: nobody else may act for another user. */
@Tag("system")
class UserDirectoryTest {
    private static final int STRANGER = 54321;

    @TempDir
    private Path top;

    @BeforeEach
    void openTheWay() throws IOException {
        mode(top, "rwxr-xr-x");
    }

    @Test
    void opensWhatTheUserCanEnter() throws IOException {
        Path directory = Files.createDirectory(top.resolve("open"));
        mode(directory, "rwxr-xr-x");
        try (UserDirectory opened = UserDirectory.open(directory, STRANGER, STRANGER, List.of())) {
            assertThat(Files.isSameFile(opened.path(), directory)).isTrue();
            assertThat(opened.fileSystem().device()).isEqualTo(Files.getAttribute(directory, "unix:dev"));
        }
    }

    @Test
    void whatIsMountedIsWhatWasOpened() throws IOException {
        Path directory = Files.createDirectory(top.resolve("opened"));
        mode(directory, "rwxr-xr-x");
        Files.createFile(directory.resolve("mine"));
        Path target = Files.createDirectory(top.resolve("target"));
        try (UserDirectory opened = UserDirectory.open(directory, STRANGER, STRANGER, List.of())) {
            Files.move(directory, top.resolve("moved"));
            Files.createFile(Files.createDirectory(directory).resolve("another"));
            CommandResult listed = new CommandRunner()
                    .run(Command.of(
                            "unshare",
                            "-m",
                            "sh",
                            "-c",
                            "mount --no-canonicalize --move \"$1\" \"$2\" && ls \"$2\"",
                            "sh",
                            opened.mount().toString(),
                            target.toString()));
            assertThat(listed.stdout()).isEqualTo("mine\n");
        }
        assertThat(target).isEmptyDirectory();
    }

    @Test
    void refusesADirectoryThatTheUserCannotEnter() throws IOException {
        Path directory = Files.createDirectory(top.resolve("closed"));
        mode(directory, "rwx------");
        refused(directory);
    }

    @Test
    void refusesADirectoryBehindOne() throws IOException {
        Path directory = Files.createDirectories(top.resolve("closed/open"));
        mode(directory, "rwxrwxrwx");
        mode(top.resolve("closed"), "rwx------");
        refused(directory);
    }

    @Test
    void aGroupOfTheUserOpensToo() throws IOException {
        Path directory = Files.createDirectory(top.resolve("group"));
        mode(directory, "rwxr-x---");
        Files.setAttribute(directory, "unix:gid", 777);
        refused(directory);
        UserDirectory.open(directory, STRANGER, STRANGER, List.of(777)).close();
    }

    private static void refused(Path directory) {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> UserDirectory.open(directory, STRANGER, STRANGER, List.of()))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.SHARE_UNSUPPORTED))
                .withMessageContaining(directory.toString());
    }

    private static void mode(Path path, String mode) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }
}

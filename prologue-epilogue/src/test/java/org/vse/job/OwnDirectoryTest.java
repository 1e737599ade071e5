package org.vse.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class OwnDirectoryTest {
    @TempDir
    Path dir;

    @Test
    void isMadeForItsUserAlone() throws IOException {
        Path own = dir.resolve("a/b");
        OwnDirectory.make(own, Standing.uid());
        assertThat(mode(own)).isEqualTo("rwx------");
    }

    @Test
    void oneThatIsThereIsClosedToOthers() throws IOException {
        Path own = Files.createDirectory(
                dir.resolve("a"), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        OwnDirectory.make(own, Standing.uid());
        assertThat(mode(own)).isEqualTo("rwx------");
    }

    @Test
    void aLinkAFileAndOneOpenToWritersAreRefused() throws IOException {
        Path target = Files.createDirectory(dir.resolve("target"));
        assertThat(refusal(Files.createSymbolicLink(dir.resolve("link"), target)))
                .contains("a link or no directory");
        assertThat(refusal(Files.createFile(dir.resolve("file")))).contains("a link or no directory");
        Path open = Files.createDirectory(dir.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThat(refusal(open)).contains("others may write");
        assertThat(mode(open)).as("left as it was").isEqualTo("rwxrwxrwx");
    }

    @Test
    void ownersAreTheUserOrRoot() {
        assertThat(OwnDirectory.doubt(true, 4321, Set.of(), 4321)).isEmpty();
        assertThat(OwnDirectory.doubt(true, 0, Set.of(), 4321)).isEmpty();
        assertThat(OwnDirectory.doubt(true, 4322, Set.of(), 4321)).isEqualTo("it belongs to uid 4322");
    }

    @Test
    void nothingThereIsNoReasonToDistrust() {
        OwnDirectory.require(dir.resolve("missing"), 4321);
        assertThat(dir.resolve("missing")).doesNotExist();
    }

    private static String refusal(Path directory) {
        VseException failure =
                catchThrowableOfType(VseException.class, () -> OwnDirectory.make(directory, Standing.uid()));
        assertThat(failure.code()).isEqualTo(ErrorCode.DAEMON_UNREACHABLE);
        return failure.render();
    }

    private static String mode(Path directory) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(directory));
    }
}

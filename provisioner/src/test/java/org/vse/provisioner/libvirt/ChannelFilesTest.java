package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.ProcessIdentity;

/** This very process stands for QEMU. */
class ChannelFilesTest {
    private static final ProcessIdentity SELF =
            ProcessIdentity.of(ProcessHandle.current().pid()).orElseThrow();

    @TempDir
    Path directory;

    @Test
    void aFileOpenForAppendIsHeldUnderEachOfItsNames() throws Exception {
        Path file = Files.createFile(directory.resolve("out"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        try (OutputStream held = Files.newOutputStream(file, StandardOpenOption.APPEND)) {
            assertThat(held).isNotNull();
            ChannelFiles.requireHeld("m", SELF, List.of(file, link));
        }
    }

    @Test
    void aFileThatNobodyHoldsIsNamed() throws Exception {
        Path file = Files.createFile(directory.resolve("out"));
        assertThatThrownBy(() -> ChannelFiles.requireHeld("m", SELF, List.of(file)))
                .isInstanceOfSatisfying(
                        VseException.class,
                        failure -> assertThat(failure.code()).isEqualTo(ErrorCode.LIBVIRT_LOG_HANDLER))
                .hasMessageContaining(file.toString());
    }

    @Test
    void aFileThatIsNotAppendedToIsNotHeld() throws Exception {
        Path file = Files.createFile(directory.resolve("out"));
        try (OutputStream held = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
            assertThat(held).isNotNull();
            assertThatThrownBy(() -> ChannelFiles.requireHeld("m", SELF, List.of(file)))
                    .isInstanceOf(VseException.class);
        }
    }
}

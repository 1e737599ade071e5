package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

class OverlayDiskTest {
    private final CommandRunner runner = new CommandRunner();

    @TempDir
    Path temp;

    private Image image;

    @BeforeEach
    void base() {
        assertThat(Path.of("/usr/bin/qemu-img")).as("./dev test installs it").isExecutable();
        Path disk = temp.resolve("base with, comma.qcow2");
        runner.run(Command.of("qemu-img", "create", "-q", "-f", "qcow2", disk.toString(), "64M"))
                .orThrow("creating a base");
        Kernel kernel = new Kernel("k", disk, disk, "quiet", Set.of());
        image = new Image("x", "latest", "sha256:0", disk, "qcow2", 64L << 20, List.of(kernel), Instant.EPOCH);
    }

    private String info(Path disk) {
        return runner.run(Command.of("qemu-img", "info", "--output=json", disk.toString()))
                .orThrow("reading the disk")
                .stdout();
    }

    @Test
    void namesItsBaseAndBothFormats() {
        Path overlay = temp.resolve("o.qcow2");
        OverlayDisk.create(runner, image, overlay, OptionalLong.empty());
        assertThat(info(overlay))
                .contains("\"virtual-size\": 67108864")
                .contains("\"backing-filename\": \"" + image.disk() + "\"")
                .contains("\"backing-filename-format\": \"qcow2\"");
    }

    @Test
    void belongsToItsOwnerAlone() throws IOException {
        Path overlay = temp.resolve("o.qcow2");
        OverlayDisk.create(runner, image, overlay, OptionalLong.empty());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(overlay)))
                .isEqualTo("rw-------");
    }

    @Test
    void growsButNeverShrinks() {
        Path overlay = temp.resolve("o.qcow2");
        OverlayDisk.create(runner, image, overlay, OptionalLong.of(1L << 30));
        assertThat(info(overlay)).contains("\"virtual-size\": 1073741824");
        Path small = temp.resolve("s.qcow2");
        assertThatThrownBy(() -> OverlayDisk.create(runner, image, small, OptionalLong.of((64L << 20) - 512)))
                .hasMessageContaining("DIRECTIVE_OUT_OF_RANGE")
                .hasMessageContaining("at least 64MiB");
        assertThat(small).doesNotExist();
    }
}

package org.vse.imagestore.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

class KernelFilesTest {
    @TempDir
    Path temp;

    private BuildLog log() {
        return new BuildLog(new CommandRunner(), temp.resolve("log"));
    }

    @Test
    void modulesComeAfterWhatTheyNeed() throws IOException {
        Files.writeString(temp.resolve("modules.dep"), """
                kernel/virtio-blk.ko: kernel/virtio.ko kernel/virtio_ring.ko
                kernel/virtio_net.ko.xz: kernel/net_failover.ko kernel/failover.ko kernel/virtio.ko kernel/virtio_ring.ko
                kernel/virtio.ko: kernel/virtio_ring.ko
                kernel/virtio_ring.ko:
                kernel/failover.ko:
                kernel/net_failover.ko: kernel/failover.ko
                """);
        Files.writeString(temp.resolve("modules.builtin"), "kernel/fs/ext4/ext4.ko\n");
        KernelModules modules = KernelModules.in(temp);
        assertThat(modules.closure(List.of("virtio_blk", "ext4", "virtio-net")))
                .extracting(path -> path.getFileName().toString())
                .containsExactly(
                        "virtio_ring.ko",
                        "virtio.ko",
                        "virtio-blk.ko",
                        "failover.ko",
                        "net_failover.ko",
                        "virtio_net.ko.xz");
        assertThat(modules.has("ext4")).isTrue();
        assertThat(modules.has("virtio_blk")).isTrue();
        assertThat(modules.has("9p")).isFalse();
    }

    @Test
    void aMetapackageBroughtTheKernelOfItsFlavour() throws IOException {
        for (String version : List.of("6.1.0-56-amd64", "6.1.0-56-cloud-amd64", "6.12.9+bpo-rt-amd64")) {
            Files.writeString(temp.resolve("vmlinuz-" + version), "");
        }
        assertThat(KernelModules.versions(temp, "linux-image-amd64")).containsExactly("6.1.0-56-amd64");
        assertThat(KernelModules.versions(temp, "linux-image-cloud-amd64")).containsExactly("6.1.0-56-cloud-amd64");
        assertThat(KernelModules.versions(temp, "linux-image-rt-amd64")).containsExactly("6.12.9+bpo-rt-amd64");
        assertThat(KernelModules.versions(temp, "linux-image-6.1.0-56-amd64")).containsExactly("6.1.0-56-amd64");
        assertThat(KernelModules.versions(temp, "linux-image-arm64")).isEmpty();
    }

    @Test
    void theArchiveIsWhatCpioReads() throws IOException {
        assertThat(Path.of("/usr/bin/cpio")).as("./dev test installs it").isExecutable();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new Cpio()
                .file("init", 0755, "#!".getBytes(StandardCharsets.US_ASCII))
                .link("bin/sh", "busybox")
                .directory("bin")
                .file("bin/busybox", 0755, new byte[4097])
                .writeTo(bytes);
        Path archive = Files.write(temp.resolve("a.cpio"), bytes.toByteArray());
        CommandResult listed = new CommandRunner()
                .run(Command.of("cpio", "-itv", "--numeric-uid-gid", "-F", archive.toString()))
                .orThrow("reading the archive");
        assertThat(listed.stdout().lines().map(line -> line.replaceAll("\\s+", " ")))
                .containsExactly(
                        "drwxr-xr-x 2 0 0 0 Jan 1 1970 bin",
                        "-rwxr-xr-x 1 0 0 4097 Jan 1 1970 bin/busybox",
                        "lrwxrwxrwx 1 0 0 7 Jan 1 1970 bin/sh -> busybox",
                        "-rwxr-xr-x 1 0 0 2 Jan 1 1970 init");
    }

    @Test
    void theElfKernelIsTakenOutOfTheBzImage() throws IOException {
        byte[] elf = elf(18);
        Path image = Files.write(temp.resolve("vmlinuz"), bzImage(gzip(elf)));
        UnpackedKernel.extract(image, temp.resolve("kernel"), temp, log());
        assertThat(Files.readAllBytes(temp.resolve("kernel"))).isEqualTo(elf);
    }

    @Test
    void aKernelThatCannotBeEnteredDirectlyIsRefused() throws IOException {
        Path image = Files.write(temp.resolve("vmlinuz"), bzImage(gzip(elf(6))));
        assertThatThrownBy(() -> UnpackedKernel.extract(image, temp.resolve("kernel"), temp, log()))
                .hasMessageContaining("no PVH entry: set 'unpacked: false'");
        Path unknown = Files.write(temp.resolve("vmlinuz2"), bzImage(new byte[64]));
        assertThatThrownBy(() -> UnpackedKernel.extract(unknown, temp.resolve("kernel2"), temp, log()))
                .hasMessageContaining("compressed in an unknown way");
        byte[] cut = java.util.Arrays.copyOf(bzImage(gzip(elf(18))), 0x480);
        Path short1 = Files.write(temp.resolve("vmlinuz3"), cut);
        assertThatThrownBy(() -> UnpackedKernel.extract(short1, temp.resolve("kernel3"), temp, log()))
                .hasMessageContaining("is not a Linux bzImage");
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.toByteArray();
    }

    /** One setup sector, then the payload at offset 0x100 of the protected-mode part, then its length. */
    private static byte[] bzImage(byte[] payload) {
        int begin = 2 * 512 + 0x100;
        ByteBuffer image = ByteBuffer.allocate(begin + payload.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 1);
        image.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
        image.putShort(0x206, (short) 0x20f);
        image.putInt(0x248, 0x100);
        image.putInt(0x24c, payload.length + 4);
        image.put(begin, payload);
        return image.array();
    }

    /** An ELF header, one PT_NOTE program header, one Xen note. */
    private static byte[] elf(int noteType) {
        ByteBuffer elf = ByteBuffer.allocate(64 + 56 + 20).order(ByteOrder.LITTLE_ENDIAN);
        elf.putInt(0, 0x464c457f).put(4, (byte) 2);
        elf.putLong(0x20, 64).putShort(0x36, (short) 56).putShort(0x38, (short) 1);
        elf.putInt(64, 4).putLong(64 + 8, 120).putLong(64 + 0x20, 20);
        elf.putInt(120, 4).putInt(124, 4).putInt(128, noteType).putInt(132, 0x6e6558);
        return elf.array();
    }
}

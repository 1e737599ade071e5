package org.vse.imagestore.foreign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Provides;
import org.vse.imagestore.Retag;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * Files that nobody should boot. Each ends in a named error, nothing of it is in the store, and every image that was there is
 * whole afterwards. {@code -Dvse.tables=DIRECTORY} writes what each got into {@code bad-images.md}.
 */
class BadImagesTest {
    private static final Map<String, VseException> GOT = new LinkedHashMap<>();
    private static final String FULL_DISK = "a good disk, on a file system that is full";

    @TempDir
    Path temp;

    private final CommandRunner runner = new CommandRunner();
    private ImageStore store;
    private Path root;

    /** Makes the file, at a path that is free, and says how it is imported. */
    @FunctionalInterface
    private interface Crafted {
        Path write(BadImagesTest test, Path file) throws IOException;
    }

    private record Case(String what, DiskFormat format, ErrorCode code, Crafted file) {
        @Override
        public String toString() {
            return what;
        }
    }

    @BeforeEach
    void aStoreWithAnImage() throws IOException {
        root = temp.resolve("store");
        store = new ImageStore(root);
        add(DiskFormat.RAW, raw(temp.resolve("good.raw"), 1 << 20), "good", ImportLimits.DEFAULT);
    }

    @AfterEach
    void theStoreIsIntact() {
        assertThat(new ImageStore(root).upkeep().verifyAll())
                .singleElement()
                .satisfies(verdict -> assertThat(verdict.damage()).isEmpty());
        assertThat(root.resolve("incoming")).isEmptyDirectory();
        assertThat(root.resolve("tags")).isDirectoryNotContaining("glob:**bad*");
    }

    private Image add(DiskFormat format, Path disk, String name, ImportLimits limits) throws IOException {
        Path kernel = Files.writeString(temp.resolve("kernel"), "kernel");
        ImageFile file = new ImageFile(
                disk,
                format,
                name,
                "latest",
                List.of(new ImageFile.KernelFile("k", kernel, kernel, "quiet", Set.of(Provides.NFS))),
                Map.of(),
                Retag.REFUSE);
        return new ImageImporter(runner, store, limits).add(file, (what, expected) -> {});
    }

    private VseException refused(String what, ErrorCode code, DiskFormat format, Path disk, ImportLimits limits) {
        VseException e = catchThrowableOfType(VseException.class, () -> add(format, disk, "bad", limits));
        assertThat(e).as(what).isNotNull();
        assertThat(e.code()).as(e.render()).isEqualTo(code);
        GOT.put(what, e);
        return e;
    }

    private static Path raw(Path file, int bytes) throws IOException {
        byte[] content = new byte[bytes];
        new java.util.Random(1).nextBytes(content);
        content[0] = 0;
        return Files.write(file, content);
    }

    private static Case qcow2(String what, CraftedQcow2 disk) {
        return new Case(
                what, DiskFormat.QCOW2, ErrorCode.IMAGE_REFUSED, (test, file) -> Files.write(file, disk.bytes()));
    }

    private static Case stated(DiskFormat format, String what, String begin) {
        return new Case(what, format, ErrorCode.IMAGE_REFUSED, (test, file) -> {
            byte[] bytes = new byte[1 << 20];
            byte[] head = begin.getBytes(StandardCharsets.ISO_8859_1);
            System.arraycopy(head, 0, bytes, 0, head.length);
            return Files.write(file, bytes);
        });
    }

    /** A disk of qemu-img's with 2 MiB of data, for tests that damage it. */
    private Path real(Path file) throws IOException {
        Path source = raw(temp.resolve("data.raw"), 2 << 20);
        runner.run(Command.of("qemu-img", "convert", "-f", "raw", "-O", "qcow2", source.toString(), file.toString()))
                .orThrow("making a disk");
        return file;
    }

    static Stream<Case> cases() {
        return Stream.of(
                qcow2("qcow2 with `/etc/shadow` as backing file", new CraftedQcow2().backing("/etc/shadow")),
                qcow2("qcow2 with `json:{…}` as backing file", new CraftedQcow2().backing("json:{\"driver\":\"nbd\"}")),
                qcow2("qcow2 with `nbd://host/` as backing file", new CraftedQcow2().backing("nbd://host/")),
                qcow2("qcow2 whose backing file's offset is beyond the file", new CraftedQcow2().large(8, 1L << 40)),
                qcow2("qcow2 with an external data file", new CraftedQcow2().large(72, 4)),
                qcow2("qcow2 that names a data file without the feature", new CraftedQcow2().number(112, 0x44415441)),
                qcow2("qcow2 with a backing format and no backing file", new CraftedQcow2().number(112, 0xe2792aca)),
                qcow2("qcow2 encrypted by AES", new CraftedQcow2().number(32, 1)),
                qcow2("qcow2 encrypted by LUKS", new CraftedQcow2().number(32, 2)),
                qcow2(
                        "qcow2 with snapshots",
                        new CraftedQcow2().number(60, 65536).large(64, 65536)),
                qcow2("qcow2 with bitmaps", new CraftedQcow2().number(112, 0x23852875)),
                qcow2("qcow2 marked corrupt", new CraftedQcow2().large(72, 2)),
                qcow2("qcow2 that was not closed", new CraftedQcow2().large(72, 1)),
                qcow2("qcow2 that needs an unknown feature", new CraftedQcow2().large(72, 1L << 40)),
                qcow2("qcow2 with an unknown header extension", new CraftedQcow2().number(112, 0x0badcafe)),
                qcow2(
                        "qcow2 whose header extensions do not end",
                        new CraftedQcow2().number(112, 0x6803f857).number(116, -8)),
                qcow2("qcow2 of version 99", new CraftedQcow2().number(4, 99)),
                qcow2("qcow2 of 8 EiB", new CraftedQcow2().large(24, Long.MAX_VALUE - 511)),
                qcow2("qcow2 of 0 bytes", new CraftedQcow2().large(24, 0)),
                qcow2("qcow2 with an L1 table of 2^32 entries", new CraftedQcow2().number(36, -1)),
                qcow2("qcow2 whose L1 table is outside of the file", new CraftedQcow2().large(40, 1L << 50)),
                qcow2("qcow2 whose L1 table is its header", new CraftedQcow2().large(40, 0)),
                qcow2("qcow2 with a refcount table of 2^32 clusters", new CraftedQcow2().number(56, -1)),
                qcow2("qcow2 with clusters of 2^63 bytes", new CraftedQcow2().number(20, 63)),
                qcow2(
                        "qcow2 whose L1 entry is outside of the file",
                        new CraftedQcow2().large(3 * CraftedQcow2.CLUSTER, 1L << 55)),
                qcow2(
                        "qcow2 whose L2 table is its own L1 table",
                        new CraftedQcow2()
                                .large(3 * CraftedQcow2.CLUSTER, (1L << 63) | 3 * CraftedQcow2.CLUSTER)
                                .large(3 * CraftedQcow2.CLUSTER + 8, 77)),
                stated(DiskFormat.QCOW2, "VMDK, stated to be qcow2", "KDMV"),
                stated(DiskFormat.RAW, "VMDK, stated to be raw", "KDMV"),
                stated(
                        DiskFormat.RAW,
                        "VMDK description that names `/etc/shadow`, stated to be raw",
                        "# Disk DescriptorFile\nRW 2048 FLAT \"/etc/shadow\" 0\n"),
                stated(DiskFormat.RAW, "qcow2, stated to be raw", "QFI\u00fb"),
                stated(DiskFormat.RAW, "LUKS volume, stated to be raw", "LUKS\u00ba\u00be"),
                stated(DiskFormat.QCOW2, "shell script, stated to be qcow2", "#!/bin/sh\n"),
                new Case("qcow2 cut off in the middle", DiskFormat.QCOW2, ErrorCode.IMAGE_REFUSED, (test, file) -> {
                    byte[] bytes = Files.readAllBytes(test.real(file));
                    return Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
                }),
                new Case(
                        "qcow2 with a flipped bit in its L1 table",
                        DiskFormat.QCOW2,
                        ErrorCode.IMAGE_REFUSED,
                        (test, file) -> {
                            byte[] bytes = Files.readAllBytes(test.real(file));
                            int l1 = (int) java.nio.ByteBuffer.wrap(bytes).getLong(40);
                            bytes[l1 + 2] ^= 0x40;
                            return Files.write(file, bytes);
                        }),
                new Case(
                        "qcow2 of 71 bytes",
                        DiskFormat.QCOW2,
                        ErrorCode.IMAGE_REFUSED,
                        (test, file) -> Files.write(file, java.util.Arrays.copyOf(new CraftedQcow2().bytes(), 71))),
                new Case(
                        "raw file of 1000 bytes",
                        DiskFormat.RAW,
                        ErrorCode.IMAGE_REFUSED,
                        (test, file) -> raw(file, 1000)),
                new Case("empty file", DiskFormat.RAW, ErrorCode.IMAGE_REFUSED, (test, file) -> Files.createFile(file)),
                new Case(
                        "symbolic link to a good disk",
                        DiskFormat.RAW,
                        ErrorCode.IMAGE_REFUSED,
                        (test, file) -> Files.createSymbolicLink(file, test.temp.resolve("good.raw"))),
                new Case(
                        "directory",
                        DiskFormat.RAW,
                        ErrorCode.IMAGE_REFUSED,
                        (test, file) -> Files.createDirectory(file)),
                new Case(
                        "device `/dev/zero`",
                        DiskFormat.RAW,
                        ErrorCode.IMAGE_REFUSED,
                        (test, file) -> Path.of("/dev/zero")),
                new Case("no file", DiskFormat.RAW, ErrorCode.IMAGE_REFUSED, (test, file) -> file));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyOneIsRefusedByName(Case bad) throws IOException {
        Path file = bad.file().write(this, temp.resolve("bad"));
        VseException e = refused(bad.what(), bad.code(), bad.format(), file, ImportLimits.DEFAULT);
        assertThat(e.where()).isEqualTo(file.toString());
        assertThat(e.next()).isNotBlank();
    }

    private static ImportLimits limits(long fileBytes, long virtualBytes, Duration time) {
        return new ImportLimits(fileBytes, virtualBytes, 1 << 20, 2L << 30, Duration.ofHours(1), time);
    }

    @Test
    void sizeAndTimeAreBounded() throws IOException {
        Path disk = raw(temp.resolve("large"), 3 << 20);
        ErrorCode code = ErrorCode.IMAGE_REFUSED;
        refused("file larger than allowed", code, DiskFormat.RAW, disk, limits(1 << 20, 1 << 20, Duration.ofHours(1)));
        Path virtual = Files.write(temp.resolve("virtual"), new CraftedQcow2().bytes());
        refused(
                "qcow2 larger for the guest than allowed",
                code,
                DiskFormat.QCOW2,
                virtual,
                limits(1 << 20, 1 << 20, Duration.ofHours(1)));
        refused(
                "disk on which qemu-img takes too long",
                code,
                DiskFormat.RAW,
                disk,
                limits(8 << 20, 8 << 20, Duration.ofMillis(1)));
    }

    @Test
    void aToolThatWantsTooMuchMemoryIsStopped() throws IOException {
        Path disk = raw(temp.resolve("large"), 3 << 20);
        ImportLimits little =
                new ImportLimits(8 << 20, 8 << 20, 1 << 20, 8 << 20, Duration.ofHours(1), Duration.ofMinutes(1));
        refused("disk for which qemu-img needs too much memory", ErrorCode.IMAGE_REFUSED, DiskFormat.RAW, disk, little);
    }

    @Test
    void aShortDiskIsSaidBeforeAnythingIsWritten() throws IOException {
        Path kernel = Files.writeString(temp.resolve("kernel"), "kernel");
        ImageFile file = new ImageFile(
                raw(temp.resolve("disk"), 1 << 20),
                DiskFormat.RAW,
                "bad",
                "latest",
                List.of(new ImageFile.KernelFile("k", kernel, kernel, "quiet", Set.of())),
                Map.of(),
                Retag.REFUSE);
        ImageImporter importer = new ImageImporter(runner, store, ImportLimits.DEFAULT, () -> 1 << 20);
        VseException e = catchThrowableOfType(VseException.class, () -> importer.add(file, (what, expected) -> {}));
        assertThat(e.code()).isEqualTo(ErrorCode.DISK_FULL);
        assertThat(e.facts()).containsEntry("needed", "65 MiB").containsEntry("free", "1 MiB");
    }

    @Test
    void goodDisksOfBothFormatsBecomeTheSameImage() throws IOException {
        Path qcow2 = real(temp.resolve("disk.qcow2"));
        Image one = add(DiskFormat.RAW, temp.resolve("data.raw"), "one", ImportLimits.DEFAULT);
        assertThat(one.virtualSizeBytes()).isEqualTo(2 << 20);
        String content = runner.run(Command.of(
                        "qemu-img",
                        "compare",
                        "-f",
                        "raw",
                        "-F",
                        "qcow2",
                        temp.resolve("data.raw").toString(),
                        one.disk().toString()))
                .orThrow("comparing")
                .stdout();
        assertThat(content).contains("identical");
        Image two = add(DiskFormat.QCOW2, qcow2, "one", ImportLimits.DEFAULT);
        assertThat(two.digest()).isEqualTo(one.digest());
        store.upkeep().remove("one", Map.of());
    }

    /** As root: a file system of 80 MiB that fills up while qemu-img writes. */
    @Test
    @Tag("system")
    void aFullDiskLeavesTheStoreIntact() throws IOException {
        Path small = Files.createDirectory(temp.resolve("small"));
        runner.run(Command.of("mount", "-t", "tmpfs", "-o", "size=80m,mode=755", "tmpfs", small.toString()))
                .orThrow("mounting");
        Path old = root;
        try {
            root = small.resolve("store");
            store = new ImageStore(root);
            add(DiskFormat.RAW, temp.resolve("good.raw"), "good", ImportLimits.DEFAULT);
            Path disk = raw(temp.resolve("large"), 40 << 20);
            ImportLimits limits = ImportLimits.DEFAULT;
            Path kernel = temp.resolve("kernel");
            ImageFile file = new ImageFile(
                    disk,
                    DiskFormat.RAW,
                    "bad",
                    "latest",
                    List.of(new ImageFile.KernelFile("k", kernel, kernel, "quiet", Set.of())),
                    Map.of(),
                    Retag.REFUSE);
            ImageImporter hopeful = new ImageImporter(runner, store, limits, () -> Long.MAX_VALUE);
            VseException e = catchThrowableOfType(VseException.class, () -> hopeful.add(file, (what, expected) -> {}));
            assertThat(e.code()).as(e.render()).isEqualTo(ErrorCode.DISK_FULL);
            GOT.put(FULL_DISK, e);
            theStoreIsIntact();
        } finally {
            runner.run(Command.of("umount", small.toString())).orThrow("unmounting");
            root = old;
        }
    }

    @AfterAll
    static void table() throws IOException {
        String directory = System.getProperty("vse.tables", "");
        if (directory.isEmpty()) {
            return;
        }
        assertThat(GOT).containsKey(FULL_DISK);
        StringBuilder text = new StringBuilder("""
                # What bad images get

                Written by `BadImagesTest` when `./dev test --full` runs. After each of these the store holds no trace of the file, and every
                byte of the image that was there before is as its digest says.

                | `vse image import` of | is told |
                |---|---|
                """);
        GOT.forEach((what, e) -> text.append("| ")
                .append(what)
                .append(" | ")
                .append(e.what().replace("|", "\\|").replaceAll("/\\S*/(?=[^/ ']+)", ""))
                .append(" [")
                .append(e.code())
                .append("] |\n"));
        Files.createDirectories(Path.of(directory));
        Files.writeString(Path.of(directory).resolve("bad-images.md"), text);
    }
}

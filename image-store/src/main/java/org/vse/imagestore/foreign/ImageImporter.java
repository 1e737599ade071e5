package org.vse.imagestore.foreign;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.NewImage;
import org.vse.imagestore.Origin;
import org.vse.imagestore.Staging;
import org.vse.imagestore.build.BuildProgress;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/**
 * Makes images of disks from elsewhere. A private copy of the file is made first, so that nobody changes it between being
 * looked at and being used; its header is read by {@link Qcow2Header}; only then does {@link CaptiveTool} open it, and what
 * comes out is looked at again. A disk that is refused leaves nothing.
 */
public final class ImageImporter {
    private static final int SECTOR = 512;
    private static final Duration COPYING = Duration.ofHours(2);
    private static final String IN = "in";
    private static final String OUT = "out";

    /** Free bytes that are left beside what is written. */
    private static final long SLACK = 64L << 20;

    private final ImageStore store;
    private final ImportLimits limits;
    private final CommandRunner runner;
    private final CaptiveTool tool;
    private final LongSupplier freeBytes;
    private final Clock clock;

    public ImageImporter(CommandRunner runner, ImageStore store, ImportLimits limits) {
        this(runner, store, limits, () -> store.logs().toFile().getUsableSpace());
    }

    ImageImporter(CommandRunner runner, ImageStore store, ImportLimits limits, LongSupplier freeBytes) {
        this.store = store;
        this.limits = limits;
        this.runner = runner;
        this.tool = new CaptiveTool(runner, limits);
        this.freeBytes = freeBytes;
        this.clock = Clock.systemUTC();
    }

    /**
     * Checks the disk, converts it to a compressed qcow2 file, and adds the image.
     *
     * @throws VseException IMAGE_REFUSED for a file that is not what was stated or may not be used, DISK_FULL before
     *     anything is written or when the disk is full all the same, IMAGE_EXISTS, COMMAND_MISSING, STORAGE_FAILED
     */
    public Image add(ImageFile file, BuildProgress progress) {
        requireBoot(file);
        try (Staging work = store.stage();
                Staging staging = store.stage()) {
            Path in = work.directory().resolve(IN);
            progress.step("copying " + file.disk(), Duration.ofSeconds(5));
            copy(file.disk(), in, limits.fileBytes());
            progress.step("looking at it", Duration.ofSeconds(1));
            long virtualBytes = examine(file, in);
            progress.step("converting it", Duration.ofSeconds(30));
            convert(file, work.directory(), virtualBytes, staging.directory().resolve(NewImage.DISK));
            for (ImageFile.KernelFile kernel : file.kernels()) {
                Path to = Files.createDirectories(
                        staging.directory().resolve(NewImage.KERNELS).resolve(kernel.name()));
                copy(kernel.kernel(), to.resolve("kernel"), limits.kernelBytes());
                copy(kernel.initrd(), to.resolve("initrd"), limits.kernelBytes());
            }
            progress.step("computing digests", Duration.ofSeconds(1));
            List<NewImage.NewKernel> kernels = file.kernels().stream()
                    .map(k -> new NewImage.NewKernel(k.name(), k.commandLine(), k.provides()))
                    .toList();
            Origin origin = new Origin(clock.instant(), file.disk().toString());
            return store.publish(
                    staging,
                    new NewImage(
                            file.name(), file.tag(), virtualBytes, kernels, file.diskBoot(), file.labels(), origin),
                    file.retag());
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private VseException failed(IOException e) {
        boolean full = String.valueOf(e.getMessage()).contains("No space left on device");
        return VseException.of(
                        full ? ErrorCode.DISK_FULL : ErrorCode.STORAGE_FAILED,
                        full ? "the disk of the image store is full" : "the image store cannot be written")
                .fact("path", store.root())
                .fact("reason", e)
                .next(full ? "vse image gc" : "see that " + store.root() + " can be written")
                .because(e);
    }

    private static void requireBoot(ImageFile file) {
        Set<String> names = new HashSet<>();
        for (ImageFile.KernelFile kernel : file.kernels()) {
            if (!kernel.name().matches("[a-z0-9][a-z0-9._-]{0,63}") || !names.add(kernel.name())) {
                throw VseException.of(
                        ErrorCode.USAGE, "'" + kernel.name() + "' is no name for a kernel, or is given twice");
            }
            if (!kernel.commandLine().matches("[\\x20-\\x7e]{1,1024}")) {
                throw VseException.of(ErrorCode.USAGE, "the command line of kernel '" + kernel.name() + "' is no line");
            }
        }
        if (names.isEmpty() != file.diskBoot().isPresent()) {
            throw VseException.of(ErrorCode.USAGE, "an image is booted by its kernels, or by its own disk")
                    .next("vse image import --help");
        }
    }

    /** Copies a regular file, holes staying holes. Neither a link nor anything else than a file is opened. */
    private void copy(Path from, Path to, long most) throws IOException {
        long size = size(from);
        if (size == 0 || size > most) {
            throw refused(from, "it has " + size + " bytes").fact("at most", most);
        }
        requireSpace(size);
        CommandResult copied = runner.run(Command.of(
                        "prlimit",
                        "--fsize=" + most,
                        "--",
                        "cp",
                        "--no-dereference",
                        "--sparse=auto",
                        "--",
                        from.toString(),
                        to.toString())
                .withTimeout(COPYING));
        if (copied.stderr().contains("No space left on device")) {
            throw new IOException(copied.stderr().strip());
        }
        if (copied.exitCode() != 0 || !Files.isRegularFile(to, LinkOption.NOFOLLOW_LINKS) || Files.size(to) == 0) {
            throw refused(from, "it cannot be copied").fact("said", said(copied));
        }
    }

    private void requireSpace(long size) {
        long free = freeBytes.getAsLong();
        if (free < size + SLACK) {
            throw VseException.of(ErrorCode.DISK_FULL, "not enough space to import a file of " + (size >> 20) + " MiB")
                    .fact("path", store.root())
                    .fact("needed", ((size + SLACK) >> 20) + " MiB")
                    .fact("free", (free >> 20) + " MiB")
                    .next("vse image gc");
        }
    }

    private static long size(Path from) throws IOException {
        if (Files.isSymbolicLink(from)) {
            throw refused(from, "it is a symbolic link");
        }
        if (!Files.exists(from, LinkOption.NOFOLLOW_LINKS)) {
            throw refused(from, "it does not exist");
        }
        if (!Files.isRegularFile(from, LinkOption.NOFOLLOW_LINKS)) {
            throw refused(from, "it is not a regular file");
        }
        return Files.size(from);
    }

    /** @return the size that a guest will see */
    private long examine(ImageFile file, Path in) throws IOException {
        long size = Files.size(in);
        try {
            byte[] head = head(in);
            if (file.format() == DiskFormat.QCOW2) {
                return Qcow2Header.read(head, size, limits).virtualBytes();
            }
            file.format().contradiction(head).ifPresent(what -> {
                throw VseException.of(
                        ErrorCode.IMAGE_REFUSED, "the disk is refused: it was stated to be raw, and is " + what);
            });
            if (size % SECTOR != 0) {
                throw VseException.of(
                        ErrorCode.IMAGE_REFUSED,
                        "the raw disk is refused: it has " + size + " bytes, not whole sectors");
            }
            return size;
        } catch (VseException e) {
            throw e.at(file.disk().toString()).next("docs/tables/bad-images.md lists what is refused");
        }
    }

    private static byte[] head(Path file) throws IOException {
        try (var in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            return in.readNBytes(Qcow2Header.HEAD_BYTES);
        }
    }

    private void convert(ImageFile file, Path work, long virtualBytes, Path to) throws IOException {
        if (file.format() == DiskFormat.QCOW2) {
            refuseUnlessGood(file.disk(), tool.run(work, 1 << 20, List.of("check", "-q", "-f", "qcow2", IN)));
        }
        Path out = CaptiveTool.writable(work, OUT);
        long outputBytes = virtualBytes + virtualBytes / 8 + SLACK;
        refuseUnlessGood(
                file.disk(),
                tool.run(
                        work,
                        outputBytes,
                        List.of(
                                "convert",
                                "-q",
                                "-f",
                                file.format().word(),
                                "-O",
                                "qcow2",
                                "-c",
                                "-o",
                                "compression_type=zstd",
                                IN,
                                OUT + "/disk.qcow2")));
        CaptiveTool.reclaim(out);
        Path disk = out.resolve("disk.qcow2");
        if (!Files.isRegularFile(disk, LinkOption.NOFOLLOW_LINKS)) {
            throw refused(file.disk(), "qemu-img made no disk of it");
        }
        CaptiveTool.reclaim(disk);
        requireSize(file.disk(), disk, virtualBytes, limits);
        Files.move(disk, to, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Looks at what the tool has written as at a disk from elsewhere. */
    static void requireSize(Path from, Path disk, long virtualBytes, ImportLimits limits) throws IOException {
        Qcow2Header made = Qcow2Header.read(head(disk), Files.size(disk), limits);
        if (made.virtualBytes() != virtualBytes) {
            throw refused(from, "qemu-img made a disk of " + made.virtualBytes() + " bytes of it");
        }
    }

    static void refuseUnlessGood(Path from, CommandResult result) {
        if (result.exitCode() != 0) {
            throw refused(from, "qemu-img does not accept it")
                    .fact("exit code", result.exitCode())
                    .fact("said", said(result));
        }
    }

    /** Its last words, without what would move a cursor. */
    private static String said(CommandResult result) {
        List<String> lines = (result.stdout() + result.stderr()).strip().lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 6), lines.size()))
                .replaceAll("[\\p{Cntrl}&&[^\n]]", "?");
    }

    private static VseException refused(Path file, String why) {
        return VseException.of(ErrorCode.IMAGE_REFUSED, "the file is refused: " + why)
                .at(file.toString())
                .next("docs/tables/bad-images.md lists what is refused");
    }
}

package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/** The disk of one machine: a qcow2 file that holds what differs from its image. */
public final class OverlayDisk {
    /** Tens of gigabytes on a slow disk. */
    private static final Duration COPY = Duration.ofMinutes(30);

    private OverlayDisk() {}

    /**
     * Creates the overlay. The formats of both files are stated, never probed, so that bytes a guest wrote are never taken
     * for a header.
     *
     * @param overlay does not exist yet; afterwards only its owner may read it
     * @param sizeBytes what the guest sees, at least the size of the image; empty for exactly that
     * @throws VseException DIRECTIVE_OUT_OF_RANGE for a size below the image's, STORAGE_FAILED, DISK_FULL, COMMAND_FAILED when
     *     qemu-img fails
     */
    public static void create(CommandRunner runner, Image image, Path overlay, OptionalLong sizeBytes) {
        long size = sizeBytes.orElse(image.virtualSizeBytes());
        if (size < image.virtualSizeBytes()) {
            throw VseException.of(
                            ErrorCode.DIRECTIVE_OUT_OF_RANGE,
                            "disk of " + size + " bytes is smaller than image '" + image.reference() + "'")
                    .fact("requested", size)
                    .fact("at least", image.virtualSizeBytes())
                    .next("leave the disk size out, or ask for at least " + mebibytes(image.virtualSizeBytes()));
        }
        makePrivate(overlay);
        List<String> argv = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", "qcow2"));
        argv.addAll(List.of(
                "-F", image.format(), "-b", image.disk().toAbsolutePath().toString()));
        argv.addAll(List.of("--", overlay.toAbsolutePath().toString(), Long.toString(size)));
        runner.run(Command.of(argv).withTimeout(Duration.ofSeconds(20))).orThrow("creating the machine's disk");
    }

    /**
     * Makes a copy of an overlay, which may have been made on another node, stand on this node's copy of its image.
     *
     * @param from made by {@link #create} for the same image
     * @param overlay does not exist yet; afterwards only its owner may read it
     * @throws VseException STORAGE_FAILED, DISK_FULL, COMMAND_FAILED when cp or qemu-img fails
     */
    public static void copy(CommandRunner runner, Image image, Path from, Path overlay) {
        makePrivate(overlay);
        runner.run(Command.of(List.of(
                                "cp",
                                "--reflink=auto",
                                "--sparse=always",
                                "--no-preserve=mode",
                                "--",
                                from.toAbsolutePath().toString(),
                                overlay.toAbsolutePath().toString()))
                        .withTimeout(COPY))
                .orThrow("copying the machine's disk");
        List<String> argv = new ArrayList<>(List.of("qemu-img", "rebase", "-q", "-u", "-f", "qcow2"));
        argv.addAll(List.of(
                "-F", image.format(), "-b", image.disk().toAbsolutePath().toString()));
        argv.addAll(List.of("--", overlay.toAbsolutePath().toString()));
        runner.run(Command.of(argv).withTimeout(Duration.ofSeconds(20)))
                .orThrow("putting the machine's disk on its image");
    }

    /** qemu-img keeps the mode of a file that is there. */
    private static void makePrivate(Path overlay) {
        try {
            Files.createFile(
                    overlay, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (IOException e) {
            throw VseException.storage("the machine's disk cannot be made", overlay, e);
        }
    }

    private static String mebibytes(long bytes) {
        return -Math.floorDiv(-bytes, 1L << 20) + "MiB";
    }
}

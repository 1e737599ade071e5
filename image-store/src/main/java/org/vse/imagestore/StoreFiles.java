package org.vse.imagestore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Files of a store: bounded reads, durable replacement, permissions. */
final class StoreFiles {
    private static final Set<PosixFilePermission> DIRECTORY = PosixFilePermissions.fromString("rwxr-xr-x");
    private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-r--r--");

    private final Path root;

    StoreFiles(Path root) {
        this.root = root;
    }

    /** Makes the store's directories; refuses a store that others than its owner may write to. */
    void prepare() throws IOException {
        for (String name : List.of(
                "", "images", "tags", "verified", "incoming", "logs", "cached", "partial", DifferenceCache.DIRECTORY)) {
            Path directory = root.resolve(name);
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                Files.createDirectories(directory);
                Files.setPosixFilePermissions(directory, DIRECTORY);
            }
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS);
            if (mode.contains(PosixFilePermission.GROUP_WRITE) || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw VseException.of(ErrorCode.STORAGE_FAILED, "the image store is writable by others than its owner")
                        .fact("path", directory)
                        .fact("mode", PosixFilePermissions.toString(mode))
                        .next("chmod go-w " + directory);
            }
        }
    }

    /** The text of a regular file, empty when there is none; a link or a file of more bytes is IMAGE_CORRUPT. */
    static Optional<String> readSmall(Path file, int most) throws IOException {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > most) {
            throw VseException.of(ErrorCode.IMAGE_CORRUPT, "a file of the image store is a link or too long")
                    .fact("file", file);
        }
        try {
            return Optional.of(Files.readString(file, StandardCharsets.UTF_8));
        } catch (NoSuchFileException replacedMeanwhile) {
            return Optional.empty();
        }
    }

    /** Gives a file a new content by one rename, durable when this returns. */
    Path replace(Path file, String text) throws IOException {
        Path fresh = root.resolve("incoming").resolve(UUID.randomUUID() + ".new");
        try {
            Files.writeString(fresh, text, StandardOpenOption.CREATE_NEW);
            Files.setPosixFilePermissions(fresh, FILE);
            force(fresh);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            force(file.resolveSibling(""));
            return file;
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    /** Makes files and directories readable by all, writable by the owner, and durable. */
    static void settle(Path tree, List<Path> files) throws IOException {
        for (Path file : files) {
            Files.setPosixFilePermissions(file, FILE);
            force(file);
        }
        try (var directories = Files.walk(tree)) {
            for (Path directory : (Iterable<Path>)
                    directories.filter(p -> Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS))::iterator) {
                Files.setPosixFilePermissions(directory, DIRECTORY);
                force(directory);
            }
        }
    }

    /** The error of a store whose files cannot be read or written; a full disk is told from the rest. */
    static VseException failed(Path root, IOException e) {
        boolean full = String.valueOf(e.getMessage()).contains("No space left on device")
                || String.valueOf(e.getMessage()).contains("Disk quota exceeded");
        return VseException.of(
                        full ? ErrorCode.DISK_FULL : ErrorCode.STORAGE_FAILED,
                        full
                                ? "the disk of image store '" + root + "' is full"
                                : "the image store '" + root + "' failed")
                .fact("reason", e)
                .next(full ? "vse image gc" : "see that " + root + " can be read and written")
                .because(e);
    }

    static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}

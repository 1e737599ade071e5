package org.vse.imagestore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A directory in the store's file system where an image comes to be. It disappears when it is closed; when its process dies
 * first, with the next staging.
 */
public final class Staging implements AutoCloseable {
    private static final String LOCK = ".lock";

    private final Path directory;
    private final Path lockFile;
    private final FileChannel lock;

    private Staging(Path directory, Path lockFile, FileChannel lock) {
        this.directory = directory;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /** The caller holds the store's lock. */
    static Staging in(Path incoming) throws IOException {
        sweep(incoming);
        String id = UUID.randomUUID().toString();
        Path lockFile = incoming.resolve(id + LOCK);
        FileChannel lock = FileChannel.open(lockFile, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        FileLock held = lock.lock();
        if (!held.isValid()) {
            throw new IOException("cannot lock " + lockFile);
        }
        Path directory = Files.createDirectory(incoming.resolve(id));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Staging(directory, lockFile, lock);
    }

    /** An empty directory at first, mode 0755. */
    public Path directory() {
        return directory;
    }

    @Override
    public void close() throws IOException {
        removeTree(directory);
        Files.deleteIfExists(lockFile);
        lock.close();
    }

    private static void sweep(Path incoming) throws IOException {
        try (DirectoryStream<Path> locks = Files.newDirectoryStream(incoming, "*" + LOCK)) {
            for (Path lockFile : locks) {
                try (FileChannel channel =
                        FileChannel.open(lockFile, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
                    if (isFree(channel)) {
                        String name = lockFile.getFileName().toString();
                        removeTree(incoming.resolve(name.substring(0, name.length() - LOCK.length())));
                        Files.deleteIfExists(lockFile);
                    }
                } catch (NoSuchFileException closedMeanwhile) {
                    // Its owner has just ended it: there is nothing to sweep.
                    assert !Files.exists(lockFile);
                }
            }
        }
    }

    private static boolean isFree(FileChannel channel) throws IOException {
        try {
            FileLock got = channel.tryLock();
            return got != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            return false;
        }
    }

    /**
     * Removes a directory and all below it without following links. Nothing there is no error; a foreign file system
     * mounted below it is one, and is not entered.
     */
    public static void removeTree(Path top) throws IOException {
        if (!Files.exists(top, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Object device = Files.getAttribute(top, "unix:dev", LinkOption.NOFOLLOW_LINKS);
        Files.walkFileTree(top, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                if (!Files.getAttribute(directory, "unix:dev", LinkOption.NOFOLLOW_LINKS)
                        .equals(device)) {
                    throw new IOException(directory + " is on another file system than " + top);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException error) throws IOException {
                if (error != null) {
                    throw error;
                }
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}

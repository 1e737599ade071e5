package org.vse.imagestore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** Excludes other writers of a store, in this process and in others. Released by the kernel when a process dies. */
final class StoreLock {
    private static final ConcurrentHashMap<Path, ReentrantLock> IN_THIS_PROCESS = new ConcurrentHashMap<>();

    private StoreLock() {}

    /** Waits until the lock is free, then does the work. The file is created when it does not exist, and never removed. */
    static <T> T holding(Path file, Work<T> work) throws IOException {
        ReentrantLock threads =
                IN_THIS_PROCESS.computeIfAbsent(file.toAbsolutePath().normalize(), path -> new ReentrantLock());
        threads.lock();
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            FileLock held = channel.lock();
            if (!held.isValid()) {
                throw new IOException("cannot lock " + file);
            }
            return work.run();
        } finally {
            threads.unlock();
        }
    }

    /** What is done under the lock. */
    @FunctionalInterface
    interface Work<T> {
        /** Does it. */
        T run() throws IOException;
    }
}

package org.vse.process.cgroup;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.vse.process.ProcessIdentity;

/**
 * The cores that each thread of a process was pinned to, kept over its move into another cpuset: before Linux 6.2 the move
 * forgets them (sched_setaffinity(2), cpuset(7)).
 */
final class Affinity {
    /** Bits for 8192 processors, CONFIG_NR_CPUS at its largest on x86. */
    private static final int MASK_BYTES = 1024;

    private static final int ESRCH = 3;
    private static final int EINVAL = 22;

    private final Map<Integer, byte[]> masks;

    private Affinity(Map<Integer, byte[]> masks) {
        this.masks = masks;
    }

    /** Empty when the process has ended. */
    static Affinity of(ProcessIdentity process) throws IOException {
        Map<Integer, byte[]> masks = new HashMap<>();
        Path tasks = Path.of("/proc", Long.toString(process.pid()), "task");
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(tasks)) {
            for (Path thread : threads) {
                int tid = Integer.parseInt(String.valueOf(thread.getFileName()));
                maskOf(tid).ifPresent(mask -> masks.put(tid, mask));
            }
        } catch (NoSuchFileException e) {
            return new Affinity(Map.of());
        }
        return new Affinity(masks);
    }

    /** Empty when the thread has ended. */
    private static Optional<byte[]> maskOf(int tid) {
        byte[] mask = new byte[MASK_BYTES];
        try {
            Libc.INSTANCE.sched_getaffinity(tid, MASK_BYTES, mask);
            return Optional.of(mask);
        } catch (LastErrorException e) {
            return Optional.empty();
        }
    }

    /** Pins each thread again. One that has ended, or whose cores its cpuset does not have, stays as it is. */
    void restore() throws IOException {
        for (Map.Entry<Integer, byte[]> thread : masks.entrySet()) {
            try {
                Libc.INSTANCE.sched_setaffinity(thread.getKey(), MASK_BYTES, thread.getValue());
            } catch (LastErrorException e) {
                if (e.getErrorCode() != ESRCH && e.getErrorCode() != EINVAL) {
                    throw new IOException("cannot pin thread " + thread.getKey(), e);
                }
            }
        }
    }

    private interface Libc extends Library {
        Libc INSTANCE = Native.load("c", Libc.class);

        int sched_getaffinity(int tid, int size, byte[] mask) throws LastErrorException;

        int sched_setaffinity(int tid, int size, byte[] mask) throws LastErrorException;
    }
}

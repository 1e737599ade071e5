package org.vse.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A directory opened with a user's rights by a process of root: what that user could not reach is not reached, and what
 * is held cannot be exchanged afterwards by renaming a part of the path.
 *
 * <p>The opening thread takes the user's file system identity (setfsuid(2), setgroups(2), which are per thread in the
 * kernel) and ends afterwards.
 */
public final class UserDirectory implements AutoCloseable {
    private static final int O_PATH = 010000000;
    private static final int O_DIRECTORY = 0200000;
    private static final int O_CLOEXEC = 02000000;
    private static final long SYS_SETGROUPS = 116;
    private static final long SYS_SETFSUID = 122;
    private static final long SYS_SETFSGID = 123;
    private static final long SYS_OPEN_TREE = 428;
    private static final int OPEN_TREE_CLONE = 1;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int NONE = -1;
    private static final int STATFS_BYTES = 120;
    private static final int STATFS_FSID = 56;

    private final int fd;
    private final FileSystem fileSystem;
    private int tree = NONE;

    private UserDirectory(int fd, FileSystem fileSystem) {
        this.fd = fd;
        this.fileSystem = fileSystem;
    }

    /**
     * What tells one file system from another.
     *
     * @param device st_dev (stat(2)); another one on another node, and after another mount, where no block device is behind
     *     it
     * @param id f_fsid (statfs(2)); 0 for a file system that has none
     */
    public record FileSystem(long device, long id) {}

    /**
     * Opens a directory as a user.
     *
     * @throws VseException SHARE_UNSUPPORTED when that user cannot reach it or it is no directory
     */
    public static UserDirectory open(Path path, int uid, int gid, List<Integer> groups) {
        if (!Platform.isLinux() || !Platform.is64Bit()) {
            throw new IllegalStateException("system call numbers are those of 64-bit Linux");
        }
        CompletableFuture<UserDirectory> opened = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        opened.complete(openOnThisThread(path, uid, gid, groups));
                    } catch (RuntimeException e) {
                        opened.completeExceptionally(e);
                    }
                },
                "user-directory");
        thread.start();
        try {
            return opened.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private static UserDirectory openOnThisThread(Path path, int uid, int gid, List<Integer> groups) {
        try {
            if (Libc.INSTANCE.geteuid() == 0) {
                int[] list = groups.stream().mapToInt(Integer::intValue).toArray();
                Libc.INSTANCE.syscall(new NativeLong(SYS_SETGROUPS), new NativeLong(list.length), list);
                Libc.INSTANCE.syscall(new NativeLong(SYS_SETFSGID), new NativeLong(gid));
                Libc.INSTANCE.syscall(new NativeLong(SYS_SETFSUID), new NativeLong(uid));
            }
            // O_PATH needs no permission on the directory itself; the dot makes the kernel search it.
            int fd = Libc.INSTANCE.open(path + "/.", O_PATH | O_DIRECTORY | O_CLOEXEC);
            try {
                return new UserDirectory(fd, fileSystem(fd));
            } catch (LastErrorException | IOException e) {
                Libc.INSTANCE.close(fd);
                throw e;
            }
        } catch (LastErrorException | IOException e) {
            throw VseException.of(
                            ErrorCode.SHARE_UNSUPPORTED, "directory '" + path + "' cannot be opened as uid " + uid)
                    .fact("reason", String.valueOf(e.getMessage()))
                    .next("run the job from a directory that its user can enter, or with #VSE share=none")
                    .because(e);
        }
    }

    private static FileSystem fileSystem(int fd) throws IOException {
        try (Memory buffer = new Memory(STATFS_BYTES)) {
            Libc.INSTANCE.fstatfs(fd, buffer);
            Object device = Files.getAttribute(Path.of("/proc/thread-self/fd", Integer.toString(fd)), "unix:dev");
            return new FileSystem((Long) device, buffer.getLong(STATFS_FSID));
        }
    }

    /** The file system that it is in. */
    public FileSystem fileSystem() {
        return fileSystem;
    }

    /** A path that leads to the very directory while it is open and this process lives. */
    public Path path() {
        return descriptor(fd);
    }

    private static Path descriptor(int fd) {
        return Path.of("/proc", Long.toString(ProcessHandle.current().pid()), "fd", Integer.toString(fd));
    }

    /**
     * Makes the very directory a mount that is nowhere yet (open_tree(2), Linux 5.2), without what is mounted below it. Takes
     * root.
     *
     * @return a path that leads to it while this is open and this process lives. One process may move it, unresolved, into
     *     its own mount namespace ({@code mount --no-canonicalize --move}), also where root may not search
     */
    public Path mount() {
        if (tree == NONE) {
            try {
                tree = Libc.INSTANCE
                        .syscall(
                                new NativeLong(SYS_OPEN_TREE),
                                new NativeLong(fd),
                                "",
                                new NativeLong(OPEN_TREE_CLONE | AT_EMPTY_PATH | O_CLOEXEC))
                        .intValue();
            } catch (LastErrorException e) {
                throw VseException.of(ErrorCode.SHARE_FAILED, "a directory that was opened cannot be made a mount")
                        .fact("reason", String.valueOf(e.getMessage()))
                        .because(e);
            }
        }
        return descriptor(tree);
    }

    /**
     * Looks whether the path that was opened is the directory's own.
     *
     * @throws VseException SHARE_UNSUPPORTED when it led through a symbolic link
     */
    public void requireIs(Path wanted) {
        try {
            Path real = Files.readSymbolicLink(path());
            if (real.equals(wanted)) {
                return;
            }
            throw VseException.of(
                            ErrorCode.SHARE_UNSUPPORTED,
                            "directory '" + wanted + "' is reached through a symbolic link")
                    .fact("leads to", real)
                    .next("name the directory itself");
        } catch (IOException e) {
            throw VseException.of(ErrorCode.SHARE_UNSUPPORTED, "directory '" + wanted + "' cannot be looked at")
                    .because(e);
        }
    }

    @Override
    public void close() {
        if (tree != NONE) {
            Libc.INSTANCE.close(tree);
        }
        Libc.INSTANCE.close(fd);
    }

    private interface Libc extends Library {
        Libc INSTANCE = Native.load("c", Libc.class);

        int geteuid();

        NativeLong syscall(NativeLong number, Object... arguments) throws LastErrorException;

        int open(String path, int flags, Object... mode) throws LastErrorException;

        int fstatfs(int fd, Memory buffer) throws LastErrorException;

        int close(int fd);
    }
}

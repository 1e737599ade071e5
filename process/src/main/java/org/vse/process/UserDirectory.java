package org.vse.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
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

    private final int fd;

    private UserDirectory(int fd) {
        this.fd = fd;
    }

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
            return new UserDirectory(Libc.INSTANCE.open(path + "/.", O_PATH | O_DIRECTORY | O_CLOEXEC));
        } catch (LastErrorException e) {
            throw VseException.of(
                            ErrorCode.SHARE_UNSUPPORTED, "directory '" + path + "' cannot be opened as uid " + uid)
                    .fact("reason", String.valueOf(e.getMessage()))
                    .next("run the job from a directory that its user can enter, or with #VSE share=none")
                    .because(e);
        }
    }

    /** A path that leads to the very directory while it is open and this process lives. */
    public Path path() {
        return Path.of("/proc", Long.toString(ProcessHandle.current().pid()), "fd", Integer.toString(fd));
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
        Libc.INSTANCE.close(fd);
    }

    private interface Libc extends Library {
        Libc INSTANCE = Native.load("c", Libc.class);

        int geteuid();

        NativeLong syscall(NativeLong number, Object... arguments) throws LastErrorException;

        int open(String path, int flags, Object... mode) throws LastErrorException;

        int close(int fd);
    }
}

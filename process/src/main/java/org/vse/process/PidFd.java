package org.vse.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** pidfd_open(2) and pidfd_send_signal(2), Linux 5.3 and later. */
final class PidFd implements AutoCloseable {
    private static final int SYS_PIDFD_SEND_SIGNAL = 424;
    private static final int SYS_PIDFD_OPEN = 434;
    private static final int ESRCH = 3;
    private static final int ENOSYS = 38;

    private final long pid;
    private final int fd;

    private PidFd(long pid, int fd) {
        this.pid = pid;
        this.fd = fd;
    }

    /**
     * Pins the process that has this pid now.
     *
     * @return empty when there is none
     * @throws VseException NOT_SUPPORTED on an older kernel, INTERNAL when the kernel refuses
     */
    static Optional<PidFd> open(long pid) {
        try {
            NativeLong fd =
                    Libc.INSTANCE.syscall(new NativeLong(SYS_PIDFD_OPEN), new NativeLong(pid), new NativeLong(0));
            return Optional.of(new PidFd(pid, fd.intValue()));
        } catch (LastErrorException e) {
            if (e.getErrorCode() == ESRCH) {
                return Optional.empty();
            }
            throw refused("cannot open process " + pid, e);
        }
    }

    /**
     * @return false when the process has ended
     * @throws VseException INTERNAL when the kernel refuses, for instance because the process is another user's
     */
    boolean send(int signal) {
        try {
            Libc.INSTANCE.syscall(
                    new NativeLong(SYS_PIDFD_SEND_SIGNAL),
                    new NativeLong(fd),
                    new NativeLong(signal),
                    new NativeLong(0),
                    new NativeLong(0));
            return true;
        } catch (LastErrorException e) {
            if (e.getErrorCode() == ESRCH) {
                return false;
            }
            throw refused("cannot send signal " + signal + " to process " + pid, e);
        }
    }

    @Override
    public void close() {
        Libc.INSTANCE.close(fd);
    }

    static VseException refused(String what, LastErrorException e) {
        if (e.getErrorCode() == ENOSYS) {
            return VseException.of(ErrorCode.NOT_SUPPORTED, "this kernel has no pidfd_open(2)")
                    .next("use Linux 5.3 or later")
                    .because(e);
        }
        return VseException.of(ErrorCode.INTERNAL, what)
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }

    private interface Libc extends Library {
        Libc INSTANCE = Native.load("c", Libc.class);

        NativeLong syscall(NativeLong number, Object... args) throws LastErrorException;

        int close(int fd);
    }
}

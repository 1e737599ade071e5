package org.vse.provisioner.libvirt;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The receiving end of sd_notify(3): a datagram socket on which a daemon says {@code READY=1} once it serves. Exists because
 * the JDK has no Unix datagram sockets.
 */
final class ReadySocket implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
    private static final int SHUT_RD = 0;
    private static final short POLLIN = 1;
    private static final int EINTR = 4;

    private final Path path;
    private final int fd;

    private ReadySocket(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    /** @param path at most 107 bytes; what is there is replaced */
    static ReadySocket bind(Path path) throws IOException {
        Files.deleteIfExists(path);
        int fd = Libc.INSTANCE.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
        if (fd < 0) {
            throw new IOException("socket: errno " + Native.getLastError());
        }
        byte[] address = address(path);
        if (Libc.INSTANCE.bind(fd, address, address.length) != 0) {
            int errno = Native.getLastError();
            Libc.INSTANCE.close(fd);
            throw new IOException("bind '" + path + "': errno " + errno);
        }
        return new ReadySocket(path, fd);
    }

    /** @return false when the time is over or {@link #abandon} was called */
    boolean await(Duration timeout) throws IOException {
        long end = System.nanoTime() + timeout.toNanos();
        byte[] message = new byte[4096];
        while (true) {
            long left = Math.max(0, (end - System.nanoTime()) / 1_000_000);
            PollFd poll = new PollFd();
            poll.fd = fd;
            poll.events = POLLIN;
            int n = Libc.INSTANCE.poll(poll, 1, (int) Math.min(left, Integer.MAX_VALUE));
            if (n < 0 && Native.getLastError() != EINTR) {
                throw new IOException("poll: errno " + Native.getLastError());
            }
            if (n == 0) {
                return false;
            }
            if (n > 0) {
                int length = Libc.INSTANCE.recv(fd, message, message.length, 0);
                if (length <= 0) {
                    return false;
                }
                List<String> lines = new String(message, 0, length, StandardCharsets.UTF_8)
                        .lines()
                        .toList();
                if (lines.contains("READY=1")) {
                    return true;
                }
            }
        }
    }

    /** Wakes whoever waits: nothing will come any more. From any thread, before {@link #close}. */
    void abandon() {
        Libc.INSTANCE.shutdown(fd, SHUT_RD);
    }

    @Override
    public void close() throws IOException {
        Libc.INSTANCE.close(fd);
        Files.deleteIfExists(path);
    }

    private static byte[] address(Path path) {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        byte[] address = new byte[2 + name.length + 1];
        address[0] = AF_UNIX;
        System.arraycopy(name, 0, address, 2, name.length);
        return address;
    }

    /** {@code struct pollfd}, poll(2). */
    @FieldOrder({"fd", "events", "revents"})
    public static final class PollFd extends Structure {
        public int fd;
        public short events;
        public short revents;
    }

    private interface Libc extends Library {
        Libc INSTANCE = Native.load("c", Libc.class);

        int socket(int domain, int type, int protocol);

        int bind(int fd, byte[] address, int length);

        int poll(PollFd fds, long count, int timeoutMillis);

        int recv(int fd, byte[] buffer, long length, int flags);

        int shutdown(int fd, int how);

        int close(int fd);
    }
}

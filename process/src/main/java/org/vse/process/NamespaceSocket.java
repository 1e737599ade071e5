package org.vse.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * TCP connections made inside another network namespace. The connecting thread enters the namespace (setns(2)) and ends;
 * the socket stays in the namespace that it was made in.
 */
public final class NamespaceSocket {
    private static final int CLONE_NEWNET = 0x40000000;
    private static final int O_RDONLY_CLOEXEC = 02000000;

    private NamespaceSocket() {}

    /**
     * Connects to a numeric address.
     *
     * @param namespace a namespace file such as {@code /run/netns/NAME}
     * @throws IOException when there is no such namespace or nobody answers in time
     */
    public static SocketChannel connect(Path namespace, String address, int port, long timeoutMillis)
            throws IOException {
        CompletableFuture<SocketChannel> connected = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        enter(namespace);
                        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.INET);
                        channel.connect(new InetSocketAddress(address, port));
                        if (!connected.complete(channel)) {
                            channel.close();
                        }
                    } catch (IOException | RuntimeException e) {
                        connected.completeExceptionally(e);
                    }
                },
                "namespace-socket");
        thread.setDaemon(true);
        thread.start();
        try {
            return connected.get(timeoutMillis, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException(e.getMessage(), e);
        } catch (TimeoutException e) {
            connected.cancel(false);
            thread.interrupt();
            throw new IOException(address + " port " + port + " did not answer in time", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while connecting", e);
        }
    }

    private static void enter(Path namespace) throws IOException {
        try {
            int fd = Libc.INSTANCE.open(namespace.toString(), O_RDONLY_CLOEXEC);
            try {
                Libc.INSTANCE.setns(fd, CLONE_NEWNET);
            } finally {
                Libc.INSTANCE.close(fd);
            }
        } catch (LastErrorException e) {
            throw new IOException("cannot enter " + namespace + ": " + e.getMessage(), e);
        }
    }

    private interface Libc extends Library {
        Libc INSTANCE = Native.load("c", Libc.class);

        int open(String path, int flags, Object... mode) throws LastErrorException;

        int setns(int fd, int kind) throws LastErrorException;

        int close(int fd) throws LastErrorException;
    }
}

package org.vse.provisioner.guest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.GuestReply;

/**
 * An agent at the other end of a Unix socket of QEMU, without libvirt in between. Begins every request with
 * guest-sync-delimited, so that an answer to an earlier request is never taken for this one's.
 */
final class SocketAgentTransport implements AgentTransport, AutoCloseable {
    private static final int DELIMITER = 0xff;
    /** The rest of a reply that was given up: qemu-ga sends at most 16 MiB of each stream, in base64. */
    private static final long MAX_SKIPPED_BYTES = 48L << 20;

    private final SocketChannel channel;
    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).limit(0);
    private long id;

    SocketAgentTransport(Path socket) throws IOException {
        this(connected(socket));
    }

    /** Empty while nobody listens: QEMU makes its socket first and listens at it afterwards. */
    static Optional<SocketAgentTransport> connect(Path socket) throws IOException {
        if (!Files.exists(socket)) {
            return Optional.empty();
        }
        try {
            return Optional.of(new SocketAgentTransport(socket));
        } catch (ConnectException notYet) {
            return Optional.empty();
        }
    }

    private static SocketChannel connected(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return channel;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    private SocketAgentTransport(SocketChannel connected) throws IOException {
        channel = connected;
        channel.configureBlocking(false);
        selector = Selector.open();
        channel.register(selector, SelectionKey.OP_READ);
    }

    @Override
    public synchronized String request(String json, Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        try {
            long sync = ++id;
            send(new byte[] {(byte) DELIMITER}, end);
            send(
                    ("{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":" + sync + "}}\n")
                            .getBytes(StandardCharsets.UTF_8),
                    end);
            String expected = "{\"return\": " + sync + "}";
            while (true) {
                skipToDelimiter(end);
                if (line(end).strip().equals(expected)) {
                    break;
                }
            }
            send((json + "\n").getBytes(StandardCharsets.UTF_8), end);
            return line(end);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.GUEST_DIED, "the agent's socket failed")
                    .because(e);
        }
    }

    private void send(byte[] bytes, long end) throws IOException {
        requireNoInterrupt();
        ByteBuffer out = ByteBuffer.wrap(bytes);
        while (out.hasRemaining()) {
            if (channel.write(out) == 0) {
                await(SelectionKey.OP_WRITE, end);
            }
        }
    }

    private void skipToDelimiter(long end) throws IOException {
        long skipped = 0;
        while (next(end) != DELIMITER) {
            if (++skipped > MAX_SKIPPED_BYTES) {
                throw VseException.of(ErrorCode.GUEST_PROTOCOL, "the agent does not answer a synchronisation");
            }
        }
    }

    private String line(long end) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b; (b = next(end)) != '\n'; ) {
            if (line.size() == GuestReply.MAX_BYTES) {
                throw VseException.of(ErrorCode.GUEST_PROTOCOL, "a reply is larger than it may be");
            }
            line.write(b);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw VseException.of(ErrorCode.GUEST_PROTOCOL, "a reply is not UTF-8")
                    .because(e);
        }
    }

    private int next(long end) throws IOException {
        while (!buffer.hasRemaining()) {
            buffer.clear();
            int count = channel.read(buffer);
            buffer.flip();
            if (count < 0) {
                throw VseException.of(ErrorCode.GUEST_DIED, "the agent's socket was closed");
            }
            if (count == 0) {
                await(SelectionKey.OP_READ, end);
            }
        }
        return buffer.get() & 0xff;
    }

    private void await(int operation, long end) throws IOException {
        channel.keyFor(selector).interestOps(operation);
        selector.selectedKeys().clear();
        long millis = (end - System.nanoTime()) / 1_000_000;
        boolean ready = millis > 0 && selector.select(millis) > 0;
        requireNoInterrupt();
        if (!ready) {
            throw VseException.of(ErrorCode.GUEST_UNRESPONSIVE, "the agent did not answer in time");
        }
    }

    /** An interrupted thread closes a channel that it touches. */
    private static void requireNoInterrupt() {
        if (Thread.currentThread().isInterrupted()) {
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "waiting for the agent was interrupted");
        }
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}

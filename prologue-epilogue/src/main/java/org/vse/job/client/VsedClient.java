package org.vse.job.client;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Calls the daemon of this node: one connection per call.
 *
 * <p>An error answer is thrown as the {@link VseException} that the daemon meant. A daemon that is not there, is silent for
 * too long or goes away in the middle is DAEMON_UNREACHABLE; an answer that is not HTTP/1.1 is INTERNAL.
 */
public final class VsedClient {
    private static final int MAX_TEXT = 64 << 20;

    private final Path socket;
    private final Duration connectPatience;

    /** Connecting may take 5 s. */
    public VsedClient(Path socket) {
        this(socket, Duration.ofSeconds(5));
    }

    public VsedClient(Path socket, Duration connectPatience) {
        this.socket = socket;
        this.connectPatience = connectPatience;
    }

    public Path socket() {
        return socket;
    }

    /** Sends a request and reads its whole answer, which must be a JSON object; an empty answer is an empty object. */
    public JsonObject call(Request request) {
        String text = text(request);
        try {
            return Json.readObject(text.isBlank() ? "{}" : text);
        } catch (IllegalArgumentException e) {
            throw malformed(request, e);
        }
    }

    /** Sends a request and reads its whole answer as text, at most 64 MiB. */
    public String text(Request request) {
        try (Answer answer = open(request);
                Deadline deadline = Deadline.start(answer::close, request.patience())) {
            try {
                return answer.text(MAX_TEXT);
            } catch (VseException e) {
                throw deadline.missed() ? late(request) : e;
            }
        }
    }

    /** Sends a request and returns its answer once the head was read; the body comes as it comes, without a timeout. */
    public Answer open(Request request) {
        SocketChannel channel = connect();
        try {
            Wire wire = new Wire(channel);
            Head head = exchange(channel, wire, request);
            Answer answer = new Answer(channel, head.body(wire), e -> broken(request, e));
            if (head.status() < 200 || head.status() > 299) {
                throw refusal(request, head, answer);
            }
            return answer;
        } catch (IOException e) {
            closeQuietly(channel);
            throw broken(request, e);
        } catch (RuntimeException e) {
            closeQuietly(channel);
            throw e;
        }
    }

    /** Sends a request with {@code Upgrade: vse-stream} and returns the connection once the daemon agreed. */
    public RawConnection upgrade(Request request) {
        SocketChannel channel = connect();
        try {
            Wire wire = new Wire(channel);
            Head head = exchange(channel, wire, request);
            if (head.status() == 101) {
                return new RawConnection(channel, wire);
            }
            throw refusal(request, head, new Answer(channel, head.body(wire), e -> broken(request, e)));
        } catch (IOException e) {
            closeQuietly(channel);
            throw broken(request, e);
        } catch (RuntimeException e) {
            closeQuietly(channel);
            throw e;
        }
    }

    /** True when somebody accepts connections on the socket. */
    public boolean reachable() {
        try {
            closeQuietly(connect());
            return true;
        } catch (VseException e) {
            return false;
        }
    }

    private SocketChannel connect() {
        SocketChannel channel = null;
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try (Deadline deadline = Deadline.start(channel, connectPatience)) {
                try {
                    channel.connect(UnixDomainSocketAddress.of(socket));
                } catch (IOException e) {
                    throw deadline.missed()
                            ? new IOException("nobody accepted within " + connectPatience.toMillis() + " ms", e)
                            : e;
                }
            }
            return channel;
        } catch (IOException e) {
            if (channel != null) {
                closeQuietly(channel);
            }
            throw VseException.of(ErrorCode.DAEMON_UNREACHABLE, "no vsed answers on '" + socket + "'")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .next("as root: vse up")
                    .because(e);
        }
    }

    private static Head exchange(SocketChannel channel, Wire wire, Request request) throws IOException {
        byte[] body = request.body().getBytes(StandardCharsets.UTF_8);
        StringBuilder head = new StringBuilder(request.method())
                .append(' ')
                .append(request.target().text())
                .append(" HTTP/1.1\r\nHost: vsed\r\n");
        if (request.upgrade()) {
            head.append("Connection: Upgrade\r\nUpgrade: vse-stream\r\n");
        } else {
            head.append("Connection: close\r\n");
        }
        if (body.length > 0) {
            head.append("Content-Type: application/json\r\n");
        }
        if (request.method().equals("POST")) {
            head.append("Content-Length: ").append(body.length).append("\r\n");
        }
        ByteBuffer message = ByteBuffer.allocate(head.length() + 2 + body.length);
        message.put(Wire.ascii(head.append("\r\n").toString())).put(body).flip();
        try (Deadline deadline = Deadline.start(channel, request.patience())) {
            try {
                // A daemon that refuses early may close before it has read all of a large body: its answer counts.
                IOException unsent = send(channel, message);
                try {
                    return Head.read(wire);
                } catch (IOException e) {
                    throw unsent == null ? e : unsent;
                }
            } catch (IOException e) {
                throw deadline.missed()
                        ? new IOException(
                                "no answer within " + request.patience().toMillis() + " ms", e)
                        : e;
            }
        }
    }

    private static @Nullable IOException send(SocketChannel channel, ByteBuffer message) {
        try {
            while (message.hasRemaining()) {
                channel.write(message);
            }
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    private VseException refusal(Request request, Head head, Answer answer) {
        try (answer;
                Deadline deadline = Deadline.start(answer::close, request.patience())) {
            String text = answer.text(Request.MAX_BODY_BYTES);
            if (deadline.missed()) {
                return late(request);
            }
            return Json.readObject(text)
                    .object("failure")
                    .map(Failures::read)
                    .orElseGet(() -> malformed(
                            request, new IOException("status " + head.status() + " without a failure object")));
        } catch (IllegalArgumentException e) {
            return malformed(request, new IOException("status " + head.status() + " and a body that is not JSON", e));
        }
    }

    private VseException broken(Request request, IOException e) {
        if (e instanceof Wire.MalformedAnswer) {
            return malformed(request, e);
        }
        return VseException.of(ErrorCode.DAEMON_UNREACHABLE, "the connection to vsed broke off")
                .fact("socket", socket)
                .fact("request", request.method() + " " + request.target().text())
                .fact("reason", e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage())
                .next("as root: vse up")
                .because(e);
    }

    private VseException late(Request request) {
        return broken(
                request,
                new IOException(
                        "no complete answer within " + request.patience().toMillis() + " ms"));
    }

    private VseException malformed(Request request, Exception e) {
        return VseException.of(ErrorCode.INTERNAL, "what answers on '" + socket + "' does not speak the API of vsed")
                .fact("request", request.method() + " " + request.target().text())
                .fact("found", String.valueOf(e.getMessage()))
                .because(e);
    }

    static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing is owed to a connection that is given up.
            return;
        }
    }
}

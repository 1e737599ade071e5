package org.vse.job.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A scriptable daemon for tests: a real Unix socket, one thread per connection, handlers by method and path. A call
 * without a handler answers 404 JOB_UNKNOWN. What was asked is recorded in order.
 */
public final class FakeVsed implements AutoCloseable {
    /** One connection with its request, already read. */
    public record Call(String method, String target, Map<String, String> headers, String body, SocketChannel channel) {
        /** Writes bytes as they are. */
        public void raw(String text) throws IOException {
            raw(text.getBytes(StandardCharsets.UTF_8));
        }

        public void raw(byte[] bytes) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        public void json(int status, String json) throws IOException {
            byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
            raw("HTTP/1.1 " + status + " X\r\nContent-Type: application/json\r\nContent-Length: " + bytes.length
                    + "\r\n\r\n");
            raw(bytes);
        }

        /** Begins a chunked answer. */
        public void stream() throws IOException {
            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        }

        public void chunk(String text) throws IOException {
            chunk(text.getBytes(StandardCharsets.UTF_8));
        }

        public void chunk(byte[] bytes) throws IOException {
            raw(Integer.toHexString(bytes.length) + "\r\n");
            raw(bytes);
            raw("\r\n");
        }

        /** Ends a chunked answer; without it the connection breaks off. */
        public void end() throws IOException {
            raw("0\r\n\r\n");
        }

        /** The value of a query parameter. */
        public String query(String name) {
            for (String part : target.substring(target.indexOf('?') + 1).split("&")) {
                if (part.startsWith(name + "=")) {
                    return part.substring(name.length() + 1);
                }
            }
            return "";
        }
    }

    /** What the daemon does with a call; the connection is closed when it returns. */
    public interface Handler {
        void handle(Call call) throws Exception;
    }

    private final ServerSocketChannel server;
    private final Path socket;
    private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final List<SocketChannel> open = new CopyOnWriteArrayList<>();
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();

    public FakeVsed(Path socket) throws IOException {
        this.socket = socket;
        Files.createDirectories(socket.getParent());
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread thread = new Thread(this::accept, "fake-vsed");
        thread.setDaemon(true);
        thread.start();
    }

    /** @param call method and path without the query, as in {@code GET /v1/health} */
    public FakeVsed on(String call, Handler handler) {
        handlers.put(call, handler);
        return this;
    }

    public Path socket() {
        return socket;
    }

    /** {@code METHOD target body} of every call so far. */
    public List<String> calls() {
        return new ArrayList<>(calls);
    }

    /** What handlers threw: a client that goes away is not an error, a failed assertion is. */
    public List<Throwable> errors() {
        return errors;
    }

    /** Dies like a killed daemon: every connection breaks off, the socket file stays behind. */
    public void kill() throws IOException {
        server.close();
        for (SocketChannel channel : open) {
            channel.close();
        }
    }

    @Override
    public void close() throws IOException {
        kill();
        Files.deleteIfExists(socket);
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel channel = server.accept();
                open.add(channel);
                Thread thread = new Thread(() -> serve(channel), "fake-vsed-call");
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                if (server.isOpen()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private void serve(SocketChannel channel) {
        try (channel) {
            Call call = read(channel);
            String path = call.target().replaceFirst("\\?.*", "");
            calls.add((call.method() + " " + call.target() + " " + call.body()).strip());
            handlers.getOrDefault(
                            call.method() + " " + path,
                            c -> c.json(404, "{\"failure\":{\"code\":\"JOB_UNKNOWN\",\"what\":\"no such job\"}}"))
                    .handle(call);
        } catch (IOException e) {
            // The client went away: tests see it from its side.
            return;
        } catch (Exception | AssertionError e) {
            errors.add(e);
        }
    }

    private static Call read(SocketChannel channel) throws IOException {
        StringBuilder head = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (head.indexOf("\r\n\r\n") < 0) {
            one.clear();
            if (channel.read(one) < 0) {
                throw new IOException("closed in the head");
            }
            head.append((char) one.get(0));
        }
        String[] lines = head.toString().split("\r\n");
        Map<String, String> headers = new ConcurrentHashMap<>();
        for (int i = 1; i < lines.length; i++) {
            headers.put(lines[i].split(": ")[0], lines[i].split(": ")[1]);
        }
        ByteBuffer body = ByteBuffer.allocate(Integer.parseInt(headers.getOrDefault("Content-Length", "0")));
        while (body.hasRemaining()) {
            if (channel.read(body) < 0) {
                throw new IOException("closed in the body");
            }
        }
        String[] request = lines[0].split(" ");
        return new Call(request[0], request[1], headers, new String(body.array(), StandardCharsets.UTF_8), channel);
    }
}

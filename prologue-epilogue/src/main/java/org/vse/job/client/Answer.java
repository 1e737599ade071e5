package org.vse.job.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Function;
import org.vse.failure.VseException;

/**
 * The body of a successful answer, read once. Closing it from another thread ends a read that waits.
 *
 * <p>Every method throws {@link VseException} DAEMON_UNREACHABLE when the connection breaks off and INTERNAL when the
 * framing is not HTTP; an {@link IOException} comes only from the caller's own stream.
 */
public final class Answer implements AutoCloseable {
    private static final int MAX_LINE_BYTES = 1 << 20;

    private final SocketChannel channel;
    private final InputStream body;
    private final Function<IOException, VseException> failure;
    private final byte[] buffer = new byte[1 << 16];
    private int from;
    private int to;

    Answer(SocketChannel channel, InputStream body, Function<IOException, VseException> failure) {
        this.channel = channel;
        this.body = body;
        this.failure = failure;
    }

    /** The next line without its line feed, as UTF-8, at most 1 MiB; empty at the end of the body. */
    public Optional<String> line() {
        ByteArrayOutputStream line = new ByteArrayOutputStream(256);
        while (true) {
            if (from == to && !fill()) {
                return line.size() == 0 ? Optional.empty() : Optional.of(line.toString(StandardCharsets.UTF_8));
            }
            int end = from;
            while (end < to && buffer[end] != '\n') {
                end++;
            }
            line.write(buffer, from, end - from);
            if (line.size() > MAX_LINE_BYTES) {
                throw failure.apply(new Wire.MalformedAnswer("a line longer than " + MAX_LINE_BYTES + " bytes"));
            }
            from = end;
            if (end < to) {
                from++;
                return Optional.of(line.toString(StandardCharsets.UTF_8));
            }
        }
    }

    /** The whole rest as UTF-8 text, at most {@code max} bytes. */
    public String text(int max) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        while (from < to || fill()) {
            text.write(buffer, from, to - from);
            from = to;
            if (text.size() > max) {
                throw failure.apply(new Wire.MalformedAnswer("a body longer than " + max + " bytes"));
            }
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    /** Copies the rest as it comes, flushing after every read; in constant memory. */
    public void copyTo(OutputStream sink) throws IOException {
        while (from < to || fill()) {
            int begin = from;
            from = to;
            sink.write(buffer, begin, to - begin);
            sink.flush();
        }
    }

    @Override
    public void close() {
        VsedClient.closeQuietly(channel);
    }

    private boolean fill() {
        try {
            int length = body.read(buffer, 0, buffer.length);
            from = 0;
            to = Math.max(0, length);
            return length > 0;
        } catch (IOException e) {
            throw failure.apply(e);
        }
    }
}

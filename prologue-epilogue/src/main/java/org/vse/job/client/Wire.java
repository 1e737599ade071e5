package org.vse.job.client;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;

/** Buffered reading of lines and bytes from a channel. Not for several threads. */
final class Wire {
    private final ReadableByteChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16).flip();

    Wire(ReadableByteChannel channel) {
        this.channel = channel;
    }

    /**
     * A line of visible ASCII and spaces that ends with CR LF.
     *
     * @throws EOFException when the connection ends first
     * @throws MalformedAnswer when it is longer than {@code max} or anything else
     */
    String line(int max) throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            int c = next();
            if (c == '\r') {
                if (next() != '\n') {
                    throw new MalformedAnswer("a carriage return without a line feed");
                }
                return line.toString();
            }
            if (c != '\t' && (c < ' ' || c > '~')) {
                throw new MalformedAnswer("byte " + c + " in a line of the head");
            }
            if (line.length() == max) {
                throw new MalformedAnswer("a line longer than " + max + " bytes");
            }
            line.append((char) c);
        }
    }

    /**
     * At most {@code max} bytes that are there, waiting for the first.
     *
     * @return how many; -1 at the end of the connection
     */
    int read(byte[] to, int offset, int max) throws IOException {
        if (!buffer.hasRemaining() && !fill()) {
            return -1;
        }
        int length = Math.min(max, buffer.remaining());
        buffer.get(to, offset, length);
        return length;
    }

    private int next() throws IOException {
        if (!buffer.hasRemaining() && !fill()) {
            throw new EOFException("the connection ended in the middle of an answer");
        }
        return buffer.get() & 0xff;
    }

    private boolean fill() throws IOException {
        buffer.clear();
        int length = channel.read(buffer);
        buffer.flip();
        return length > 0;
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** What no HTTP/1.1 server says. */
    static final class MalformedAnswer extends IOException {
        private static final long serialVersionUID = 1L;

        MalformedAnswer(String what) {
            super(what);
        }
    }
}

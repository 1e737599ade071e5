package org.vse.job.client;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import org.vse.job.client.Wire.MalformedAnswer;

/** The bytes of one answer, its framing removed. A connection that ends early is an {@link EOFException}, never an end. */
final class Body extends InputStream {
    private static final int MAX_TRAILERS = 16;
    private static final int MAX_LINE = 1024;

    private final Wire wire;
    private final boolean chunked;
    private long left;
    private boolean first = true;
    private boolean ended;

    private Body(Wire wire, boolean chunked, long left) {
        this.wire = wire;
        this.chunked = chunked;
        this.left = left;
    }

    static Body sized(Wire wire, long length) {
        return new Body(wire, false, length);
    }

    static Body chunked(Wire wire) {
        return new Body(wire, true, 0);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int offset, int max) throws IOException {
        if (left == 0 && !ended) {
            next();
        }
        if (ended) {
            return -1;
        }
        int length = wire.read(to, offset, (int) Math.min(max, left));
        if (length < 0) {
            throw new EOFException("the connection ended in the middle of an answer");
        }
        left -= length;
        return length;
    }

    private void next() throws IOException {
        if (!chunked) {
            ended = true;
            return;
        }
        if (!first && !wire.line(MAX_LINE).isEmpty()) {
            throw new MalformedAnswer("a chunk longer than its size");
        }
        first = false;
        String line = wire.line(MAX_LINE);
        int extension = line.indexOf(';');
        String size = (extension < 0 ? line : line.substring(0, extension)).strip();
        if (!size.matches("[0-9A-Fa-f]{1,15}")) {
            throw new MalformedAnswer("the chunk size '" + size + "'");
        }
        left = Long.parseLong(size, 16);
        if (left == 0) {
            for (int i = 0; !wire.line(MAX_LINE).isEmpty(); i++) {
                if (i == MAX_TRAILERS) {
                    throw new MalformedAnswer("more than " + MAX_TRAILERS + " trailers");
                }
            }
            ended = true;
        }
    }
}

package org.vse.job.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * Raw bytes both ways after an upgrade. One thread may read while another writes.
 *
 * <p>{@code Channels.newInputStream} is not used: its reads hold a lock that writes need (JDK-4774871).
 */
public final class RawConnection implements AutoCloseable {
    private final SocketChannel channel;
    private final InputStream in;

    RawConnection(SocketChannel channel, Wire wire) {
        this.channel = channel;
        this.in = new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] to, int offset, int max) throws IOException {
                return max == 0 ? 0 : wire.read(to, offset, max);
            }
        };
    }

    /** Bytes from the other side. */
    public InputStream in() {
        return in;
    }

    /** Sends all bytes. */
    public void write(byte[] bytes, int offset, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    /** Copies {@code source} to the other side until it ends, then says so. */
    public void send(InputStream source) throws IOException {
        byte[] buffer = new byte[1 << 16];
        for (int length; (length = source.read(buffer)) >= 0; ) {
            write(buffer, 0, length);
        }
        endOutput();
    }

    /** Says that nothing more will be sent; receiving goes on. */
    public void endOutput() throws IOException {
        channel.shutdownOutput();
    }

    /** Copies what the other side sends until it ends, flushing after every read. */
    public void receive(OutputStream sink) throws IOException {
        byte[] buffer = new byte[1 << 16];
        for (int length; (length = in.read(buffer, 0, buffer.length)) >= 0; ) {
            sink.write(buffer, 0, length);
            sink.flush();
        }
    }

    @Override
    public void close() {
        VsedClient.closeQuietly(channel);
    }
}

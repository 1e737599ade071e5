package org.vse.ledger;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import javax.net.SocketFactory;

/** Connects PostgreSQL's driver, which wants a {@link Socket}, to a Unix socket. */
public final class UnixSockets extends SocketFactory {
    private final UnixDomainSocketAddress address;

    /** @param path of the socket; the driver gives what stands in its {@code socketFactoryArg} */
    public UnixSockets(String path) {
        address = UnixDomainSocketAddress.of(path);
    }

    @Override
    public Socket createSocket() throws IOException {
        return new UnixSocket(address, SocketChannel.open(StandardProtocolFamily.UNIX));
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort) throws IOException {
        return connected();
    }

    private Socket connected() throws IOException {
        Socket socket = createSocket();
        socket.connect(address);
        return socket;
    }

    /** Wherever it is told to connect to, it connects to its path; options of TCP mean nothing to it. */
    private static final class UnixSocket extends Socket {
        private final UnixDomainSocketAddress address;
        private final SocketChannel channel;

        UnixSocket(UnixDomainSocketAddress address, SocketChannel channel) {
            this.address = address;
            this.channel = channel;
        }

        @Override
        public void connect(SocketAddress endpoint) throws IOException {
            channel.connect(address);
        }

        @Override
        public void connect(SocketAddress endpoint, int timeout) throws IOException {
            channel.connect(address);
        }

        @Override
        public boolean isConnected() {
            return channel.isConnected();
        }

        @Override
        public boolean isClosed() {
            return !channel.isOpen();
        }

        @Override
        public InputStream getInputStream() {
            return Channels.newInputStream(channel);
        }

        @Override
        public OutputStream getOutputStream() {
            return Channels.newOutputStream(channel);
        }

        @Override
        public synchronized void close() throws IOException {
            channel.close();
        }

        @Override
        public void setTcpNoDelay(boolean on) {}

        @Override
        public void setKeepAlive(boolean on) {}

        @Override
        public synchronized void setSoTimeout(int timeout) {}

        @Override
        public synchronized int getSoTimeout() {
            return 0;
        }

        @Override
        public synchronized void setReceiveBufferSize(int size) {}

        @Override
        public synchronized void setSendBufferSize(int size) {}

        @Override
        public synchronized int getSendBufferSize() {
            return 1 << 16;
        }

        @Override
        public synchronized int getReceiveBufferSize() {
            return 1 << 16;
        }
    }
}

package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.PeerCredentials;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Consumer;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Listens on the daemon's socket. */
final class ApiServer implements AutoCloseable {
    private final CallDesk desk;
    private final int owner;
    private final EpollEventLoopGroup loops = new EpollEventLoopGroup(1);

    /**
     * Takes what answers calls and the uid that owns the daemon.
     *
     * @param api answers each call, or throws a {@link VseException}, which becomes the answer
     */
    ApiServer(Consumer<Call> api, ObjectMapper json, int owner) {
        this.desk = new CallDesk(api, json);
        this.owner = owner;
    }

    /**
     * Binds the socket; the caller made sure that no living daemon has it. Everybody may connect to root's, and calls are
     * judged one by one; to anybody else's only that user may.
     */
    void listen(Path socket) {
        try {
            Files.deleteIfExists(socket);
            new ServerBootstrap()
                    .group(loops)
                    .channel(EpollServerDomainSocketChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            desk.serve(channel.pipeline(), ApiServer.this::caller);
                        }
                    })
                    .bind(new DomainSocketAddress(socket.toFile()))
                    .sync();
            Files.setPosixFilePermissions(
                    socket, PosixFilePermissions.fromString(owner == 0 ? "rw-rw-rw-" : "rw-------"));
        } catch (IOException e) {
            throw VseException.of(ErrorCode.DAEMON_START_FAILED, "cannot listen on the socket")
                    .at(socket.toString())
                    .because(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while binding the socket")
                    .because(e);
        }
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).syncUninterruptibly();
        desk.close();
    }

    private Peer caller(Channel channel) {
        try {
            PeerCredentials credentials = ((EpollDomainSocketChannel) channel).peerCredentials();
            return new Peer(credentials.pid(), credentials.uid(), first(credentials.gids()), owner);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int first(int[] gids) {
        return gids.length == 0 ? -1 : gids[0];
    }
}

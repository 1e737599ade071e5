package org.vse.job.daemon;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Takes connections at one address of this host, on one thread. */
final class TcpListener implements AutoCloseable {
    private final EpollEventLoopGroup loops = new EpollEventLoopGroup(1);
    private final String key;

    /**
     * Does not listen yet.
     *
     * @param key of vsed.yaml that names the address, for whoever reads why it cannot be had
     */
    TcpListener(String key) {
        this.key = key;
    }

    /**
     * Begins to listen.
     *
     * @param taken is given each new connection, and closes it or says what is read from it
     * @return where; of interest when the port was 0
     * @throws VseException DAEMON_START_FAILED when the address cannot be had
     */
    InetSocketAddress listen(InetSocketAddress address, Consumer<Channel> taken) {
        try {
            Channel channel = new ServerBootstrap()
                    .group(loops)
                    .channel(EpollServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            taken.accept(channel);
                        }
                    })
                    .bind(address)
                    .sync()
                    .channel();
            return (InetSocketAddress) channel.localAddress();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while binding an address")
                    .because(e);
        } catch (ChannelException e) {
            throw cannot(address, e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            // Netty rethrows what the system said, undeclared.
            throw cannot(address, e);
        }
    }

    private VseException cannot(InetSocketAddress address, Exception e) {
        return VseException.of(ErrorCode.DAEMON_START_FAILED, "cannot listen at the address of '" + key + "'")
                .at(address.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .next("see '" + key + "' in vsed.yaml")
                .because(e);
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}

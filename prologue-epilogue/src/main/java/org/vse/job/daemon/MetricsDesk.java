package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.metrics.NodeMetrics;

/**
 * Gives the metrics to whoever asks for {@code /metrics}: on the daemon's socket, and over TCP where the configuration says
 * so. Over TCP nothing else is answered, and nobody says who they are.
 */
final class MetricsDesk implements AutoCloseable {
    private static final List<String> PATH = List.of("metrics");
    /** Of all that ask over TCP at once; more are closed. */
    private static final int MOST_CONNECTIONS = 64;
    /** Longer than between two questions of a Prometheus, which keeps its connection. */
    private static final int SILENT_SECONDS = 300;

    private final Supplier<String> metrics;
    private final AtomicInteger open = new AtomicInteger();
    private @Nullable EpollEventLoopGroup loops;
    private @Nullable CallDesk desk;

    /**
     * Takes what there is to tell.
     *
     * @param metrics in the text format of Prometheus
     */
    MetricsDesk(Supplier<String> metrics) {
        this.metrics = metrics;
    }

    /** Answers {@code GET /metrics} itself and leaves every other call to the API. */
    Consumer<Call> before(Consumer<Call> api) {
        return call -> {
            if (call.path().equals(PATH)) {
                answer(call);
            } else {
                api.accept(call);
            }
        };
    }

    /** Answers {@code GET /metrics} and refuses everything else. */
    void answer(Call call) {
        if (!call.path().equals(PATH) || !call.method().equals("GET")) {
            throw call.unknown();
        }
        try (Reply.Body body = call.reply().stream(NodeMetrics.CONTENT_TYPE)) {
            body.write(ByteBuffer.wrap(metrics.get().getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where the configuration wants them over TCP; empty for nowhere. */
    static Optional<InetSocketAddress> address(Path config) {
        return Optional.ofNullable(ConfigFile.read(config).get(ConfigFile.Key.METRICS_LISTEN))
                .map(ConfigFile::metrics);
    }

    /**
     * Begins to listen.
     *
     * @return where; of interest when the port was 0
     * @throws VseException DAEMON_START_FAILED when the address cannot be had
     */
    InetSocketAddress listen(InetSocketAddress address, ObjectMapper json) {
        EpollEventLoopGroup group = new EpollEventLoopGroup(1);
        CallDesk calls = new CallDesk(this::answer, json);
        loops = group;
        desk = calls;
        try {
            Channel channel = new ServerBootstrap()
                    .group(group)
                    .channel(EpollServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            open.incrementAndGet();
                            channel.closeFuture().addListener(closed -> open.decrementAndGet());
                            if (open.get() > MOST_CONNECTIONS) {
                                var unused = channel.close();
                                return;
                            }
                            channel.pipeline().addLast(new ReadTimeoutHandler(SILENT_SECONDS));
                            calls.serve(channel.pipeline(), from -> Peer.UNKNOWN);
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

    private static VseException cannot(InetSocketAddress address, Exception e) {
        return VseException.of(ErrorCode.DAEMON_START_FAILED, "cannot listen for those who want the metrics")
                .at(address.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .next("see 'metrics-listen' in vsed.yaml")
                .because(e);
    }

    @Override
    public void close() {
        if (loops != null) {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        }
        if (desk != null) {
            desk.close();
        }
    }
}

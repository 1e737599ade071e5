package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
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
    private @Nullable TcpListener listener;
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
        CallDesk calls = new CallDesk(this::answer, json);
        TcpListener listening = new TcpListener("metrics-listen");
        listener = listening;
        desk = calls;
        return listening.listen(address, channel -> {
            open.incrementAndGet();
            channel.closeFuture().addListener(closed -> open.decrementAndGet());
            if (open.get() > MOST_CONNECTIONS) {
                var unused = channel.close();
                return;
            }
            channel.pipeline().addLast(new ReadTimeoutHandler(SILENT_SECONDS));
            calls.serve(channel.pipeline(), from -> Peer.UNKNOWN);
        });
    }

    @Override
    public void close() {
        if (listener != null) {
            listener.close();
        }
        if (desk != null) {
            desk.close();
        }
    }
}

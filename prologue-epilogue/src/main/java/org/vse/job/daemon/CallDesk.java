package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.netty.buffer.ByteBufInputStream;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.FailureText;

/** Turns the HTTP requests of any connection into {@link Call}s, each on a thread of its own, and errors into answers. */
final class CallDesk implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CallDesk.class);
    private static final int MAX_REQUEST_BYTES = 1 << 20;
    private static final int MAX_CALLS = 512;

    private final Consumer<Call> api;
    private final ObjectMapper json;
    private final ExecutorService workers = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "call");
        thread.setDaemon(true);
        return thread;
    });
    private final Semaphore capacity = new Semaphore(MAX_CALLS);

    /**
     * Takes what answers calls.
     *
     * @param api answers each call, or throws a {@link VseException}, which becomes the answer
     */
    CallDesk(Consumer<Call> api, ObjectMapper json) {
        this.api = api;
        this.json = json;
    }

    /**
     * Serves a connection.
     *
     * @param who tells who is at its other end, asked with every request
     */
    void serve(ChannelPipeline pipeline, Function<Channel, Peer> who) {
        pipeline.addLast(new HttpServerCodec())
                .addLast(new HttpObjectAggregator(MAX_REQUEST_BYTES))
                .addLast(new CallHandler(who));
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }

    private final class CallHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final Function<Channel, Peer> who;

        CallHandler(Function<Channel, Peer> who) {
            this.who = who;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) throws IOException {
            NettyReply reply = new NettyReply(context, json);
            Peer peer = who.apply(context.channel());
            JsonNode body = request.content().isReadable()
                    ? parse(new ByteBufInputStream(request.content()))
                    : MissingNode.getInstance();
            Call call = call(peer, request, body, reply);
            if (!capacity.tryAcquire()) {
                workers.execute(() -> answer(call, full -> {
                    throw VseException.of(ErrorCode.DAEMON_BUSY, "the daemon has " + MAX_CALLS + " calls open")
                            .next("try again later");
                }));
                return;
            }
            workers.execute(() -> {
                try {
                    answer(call, api);
                } finally {
                    capacity.release();
                }
            });
        }

        /** A target that cannot be decoded leads nowhere: the path of its call is empty. */
        private Call call(Peer peer, FullHttpRequest request, JsonNode body, Reply reply) {
            String method = request.method().name();
            try {
                QueryStringDecoder uri = new QueryStringDecoder(request.uri());
                List<String> path = List.of(
                        uri.path().startsWith("/") ? uri.path().substring(1).split("/", -1) : new String[] {""});
                return new Call(peer, method, path, lastOf(uri.parameters()), body, reply);
            } catch (IllegalArgumentException e) {
                LOG.debug("target cannot be decoded", e);
                return new Call(peer, method, List.of(""), Map.of(), body, reply);
            }
        }

        private JsonNode parse(ByteBufInputStream text) {
            try {
                return json.readTree((java.io.InputStream) text);
            } catch (IOException e) {
                LOG.debug("body is not JSON", e);
                return MissingNode.getInstance();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            LOG.debug("connection failed", cause);
            var unused = context.close();
        }
    }

    private void answer(Call call, Consumer<Call> by) {
        try {
            try {
                by.accept(call);
            } catch (VseException e) {
                if (e.code().kind() == org.vse.failure.Kind.INTERNAL) {
                    LOG.error("{} {} failed", call.method(), call.path(), e);
                }
                call.reply().json(status(e), Map.of("failure", FailureText.of(e)));
            } catch (RuntimeException e) {
                if (e.getCause() instanceof Reply.CallerGone) {
                    // As a starter is whose batch system has killed it.
                    LOG.debug("the caller of {} {} has gone", call.method(), call.path(), e);
                    return;
                }
                LOG.error("{} {} failed", call.method(), call.path(), e);
                VseException failure = VseException.of(ErrorCode.INTERNAL, "the daemon failed: " + e)
                        .next("see the daemon's log and report it");
                call.reply().json(500, Map.of("failure", FailureText.of(failure)));
            }
        } catch (IOException e) {
            LOG.debug("the caller of {} {} has gone", call.method(), call.path(), e);
        }
    }

    private static int status(VseException e) {
        return switch (e.code()) {
            case NOT_PERMITTED -> 403;
            case JOB_UNKNOWN -> 404;
            case JOB_STATE -> 409;
            default ->
                switch (e.kind()) {
                    case USER -> 400;
                    case INTERNAL -> 500;
                    case SITE, CAPACITY -> 503;
                };
        };
    }

    private static Map<String, String> lastOf(Map<String, List<String>> parameters) {
        Map<String, String> last = new LinkedHashMap<>();
        parameters.forEach((name, values) -> last.put(name, values.get(values.size() - 1)));
        return last;
    }
}

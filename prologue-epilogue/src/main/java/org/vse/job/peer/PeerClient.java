package org.vse.job.peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLParameters;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.FailureText;

/** Calls the daemons of other nodes, one connection a call. Nothing here waits, but for the host's resolver of names. */
public final class PeerClient implements AutoCloseable {
    private static final int MAX_ANSWER_BYTES = 4 << 20;
    private static final int CONNECT_MILLIS = 5000;

    private final PeerIdentity identity;
    private final PeerNodes nodes;
    private final ObjectMapper json;
    private final Map<String, InetSocketAddress> known = new ConcurrentHashMap<>();
    private final EpollEventLoopGroup loops = new EpollEventLoopGroup(1);

    /** Calls as that node. */
    public PeerClient(PeerIdentity identity, PeerNodes nodes, ObjectMapper json) {
        this.identity = identity;
        this.nodes = nodes;
        this.json = json;
    }

    /** Where nodes are. */
    public PeerNodes nodes() {
        return nodes;
    }

    /**
     * One call.
     *
     * @param body becomes JSON
     * @param timeout until the whole answer is there
     * @return the answer's JSON; or a {@link VseException}: what the other daemon said, or PEER_UNREACHABLE
     */
    public CompletableFuture<JsonNode> call(
            String node, HttpMethod method, String path, Object body, Duration timeout) {
        try {
            return bytes(node, request(node, method, path, json.writeValueAsBytes(body)), timeout)
                    .thenApply(this::parsed)
                    .exceptionallyCompose(failure -> CompletableFuture.failedFuture(reason(node, failure)));
        } catch (IOException e) {
            throw new IllegalArgumentException("not to be written as JSON: " + body, e);
        }
    }

    /** As {@link #call} with GET, for an answer that is bytes, at most 4 MiB. */
    public CompletableFuture<byte[]> bytes(String node, String path, Duration timeout) {
        return bytes(node, request(node, HttpMethod.GET, path, new byte[0]), timeout);
    }

    private CompletableFuture<byte[]> bytes(String node, FullHttpRequest request, Duration timeout) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        Channel channel;
        try {
            channel = open(node, request, answer);
        } catch (VseException e) {
            return CompletableFuture.failedFuture(e);
        }
        return answer.orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((value, failure) -> {
                    var unused = channel.close();
                })
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(reason(node, failure)));
    }

    private JsonNode parsed(byte[] bytes) {
        try {
            return json.readTree(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * True for the failure of a call that a node's host has answered: its daemon did, however, or the host refused the
     * connection because there is no daemon. False when nothing came back, or somebody without a valid certificate answered.
     */
    public static boolean isHostThere(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (!(cause instanceof VseException said)) {
            return false;
        }
        if (said.code() != ErrorCode.PEER_UNREACHABLE) {
            return true;
        }
        Throwable reason = said.getCause();
        return reason instanceof ConnectException
                && String.valueOf(reason.getMessage()).contains("refused");
    }

    private static Throwable reason(String node, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof VseException said ? said : unreachable(node, cause);
    }

    /** As the resolver says; as it said last time where it says nothing now. */
    private InetSocketAddress address(String node) {
        try {
            InetSocketAddress found = nodes.daemon(node);
            known.put(node, found);
            return found;
        } catch (VseException e) {
            InetSocketAddress before = known.get(node);
            if (before == null) {
                throw e;
            }
            return before;
        }
    }

    private Channel open(String node, FullHttpRequest request, CompletableFuture<byte[]> answer) {
        InetSocketAddress address = address(node);
        ChannelFuture connected = new Bootstrap()
                .group(loops)
                .channel(EpollSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(tls(channel, node, address.getPort()))
                                .addLast(new HttpClientCodec())
                                .addLast(new HttpObjectAggregator(MAX_ANSWER_BYTES))
                                .addLast(new AnswerHandler(node, request, answer));
                    }
                })
                .connect(address);
        connected.addListener(done -> {
            if (!done.isSuccess()) {
                answer.completeExceptionally(unreachable(node, done.cause()));
            }
        });
        return connected.channel();
    }

    private SslHandler tls(Channel channel, String node, int port) {
        SslHandler handler = identity.client().newHandler(channel.alloc(), node, port);
        SSLParameters parameters = handler.engine().getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        handler.engine().setSSLParameters(parameters);
        return handler;
    }

    private static FullHttpRequest request(String node, HttpMethod method, String path, byte[] body) {
        FullHttpRequest request =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, method, path, Unpooled.wrappedBuffer(body));
        request.headers()
                .set(HttpHeaderNames.HOST, node)
                .set(HttpHeaderNames.CONTENT_TYPE, "application/json")
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE)
                .setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
        return request;
    }

    private static VseException unreachable(String node, Throwable why) {
        String reason = why instanceof java.util.concurrent.TimeoutException
                ? "no answer in time"
                : String.valueOf(why.getMessage());
        return VseException.of(ErrorCode.PEER_UNREACHABLE, "the daemon of node '" + node + "' cannot be reached")
                .fact("reason", reason)
                .next("see that vsed runs there, that both have certificates of one authority (vse certs), and"
                        + " 'peers' in vsed.yaml")
                .because(why);
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class AnswerHandler extends SimpleChannelInboundHandler<FullHttpResponse> {
        private final String node;
        private final FullHttpRequest request;
        private final CompletableFuture<byte[]> answer;

        AnswerHandler(String node, FullHttpRequest request, CompletableFuture<byte[]> answer) {
            this.node = node;
            this.request = request;
            this.answer = answer;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            var unused = context.writeAndFlush(request);
            context.fireChannelActive();
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpResponse response) throws IOException {
            byte[] bytes = new byte[response.content().readableBytes()];
            response.content().readBytes(bytes);
            if (response.status().code() < 300) {
                answer.complete(bytes);
                return;
            }
            JsonNode failure = json.readTree(bytes).path("failure");
            answer.completeExceptionally(
                    failure.isObject()
                            ? json.convertValue(failure, FailureText.class)
                                    .toException()
                                    .fact("node", node)
                            : unreachable(node, new IOException("it answered " + response.status())));
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            answer.completeExceptionally(unreachable(node, new IOException("it closed the connection")));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            answer.completeExceptionally(unreachable(node, cause));
            var unused = context.close();
        }
    }
}

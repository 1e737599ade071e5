package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;

/** Answers one call over its Netty connection. */
final class NettyReply implements Reply {
    private final ChannelHandlerContext context;
    private final ObjectMapper json;

    NettyReply(ChannelHandlerContext context, ObjectMapper json) {
        this.context = context;
        this.json = json;
    }

    @Override
    public void json(int status, Object value) throws IOException {
        byte[] body = json.writeValueAsBytes(value);
        var response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), Unpooled.wrappedBuffer(body));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "application/json")
                .setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
        await(context.writeAndFlush(response));
    }

    @Override
    public Body stream(String contentType) throws IOException {
        var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        head.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, contentType)
                .set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        await(context.writeAndFlush(head));
        return new Body() {
            @Override
            public void write(ByteBuffer bytes) throws IOException {
                await(context.writeAndFlush(new DefaultHttpContent(Unpooled.copiedBuffer(bytes))));
            }

            @Override
            public boolean isGone() {
                return !context.channel().isActive();
            }

            @Override
            public void onGone(Runnable action) {
                context.channel().closeFuture().addListener(future -> action.run());
            }

            @Override
            public void close() throws IOException {
                await(context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT));
            }
        };
    }

    @Override
    public void handOver(ByteChannel peer) throws IOException {
        var head = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS);
        head.headers()
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                .set(HttpHeaderNames.UPGRADE, "vse-stream");
        Splice splice = new Splice(peer);
        // In one turn of the event loop, which reads nothing meanwhile: the caller may speak as soon as it sees the
        // answer.
        context.channel().eventLoop().execute(() -> {
            var unused = context.writeAndFlush(head);
            splice.takeOver(context.channel());
        });
        splice.run(context.channel());
    }

    static void await(ChannelFuture written) throws IOException {
        try {
            if (!written.await().isSuccess()) {
                throw new CallerGone(written.cause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while answering", e);
        }
    }
}

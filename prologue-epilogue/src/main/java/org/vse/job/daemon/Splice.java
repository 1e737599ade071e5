package org.vse.job.daemon;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Copies bytes both ways between a Netty connection and a blocking channel, in bounded memory, until either closes. */
final class Splice extends ChannelInboundHandlerAdapter {
    private final ByteChannel peer;
    private final BlockingQueue<Optional<ByteBuf>> inbound = new LinkedBlockingQueue<>();

    Splice(ByteChannel peer) {
        this.peer = peer;
    }

    /** Replaces the HTTP handlers of the connection by this one; called on its event loop. */
    void takeOver(Channel connection) {
        connection.pipeline().addLast(this);
        // Removing the codec releases the bytes that came after the request to the next handler.
        for (var entry : connection.pipeline().toMap().values()) {
            if (entry != this) {
                connection.pipeline().remove(entry);
            }
        }
        connection.config().setAutoRead(false);
        connection.read();
    }

    /** Copies until one side closes; then both are closed. */
    void run(Channel connection) throws IOException {
        connection.closeFuture().addListener(future -> inbound.add(Optional.empty()));
        Thread toPeer = new Thread(() -> copyToPeer(connection), "splice");
        toPeer.setDaemon(true);
        toPeer.start();
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        try {
            while (peer.read(buffer) >= 0) {
                buffer.flip();
                NettyReply.await(connection.writeAndFlush(Unpooled.copiedBuffer(buffer)));
                buffer.clear();
            }
        } finally {
            var unused = connection.close();
            peer.close();
        }
    }

    private void copyToPeer(Channel connection) {
        try {
            for (Optional<ByteBuf> next = inbound.take(); next.isPresent(); next = inbound.take()) {
                ByteBuf bytes = next.get();
                try {
                    for (ByteBuffer part : bytes.nioBuffers()) {
                        while (part.hasRemaining()) {
                            peer.write(part);
                        }
                    }
                } finally {
                    bytes.release();
                }
                connection.read();
            }
            peer.close();
        } catch (IOException e) {
            // The peer has gone: the other direction sees the same and ends the connection.
            var unused = connection.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            var unused = connection.close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        inbound.add(Optional.of((ByteBuf) message));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        var unused = context.close();
    }
}

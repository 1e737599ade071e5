package org.vse.test.site;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Sends one HTTP request to a Unix socket and prints the beginning of the answer. */
final class RawCall {
    private static final int ENOUGH = 4096;

    private RawCall() {}

    /** Takes socket, method, path and body. */
    public static void main(String[] args) throws IOException {
        byte[] body = args[3].getBytes(StandardCharsets.UTF_8);
        String head = args[1] + " " + args[2] + " HTTP/1.1\r\nHost: vsed\r\nConnection: close\r\nContent-Length: "
                + body.length + "\r\n\r\n";
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(Path.of(args[0])));
            channel.write(ByteBuffer.wrap(head.getBytes(StandardCharsets.US_ASCII)));
            channel.write(ByteBuffer.wrap(body));
            ByteBuffer answer = ByteBuffer.allocate(ENOUGH);
            while (answer.hasRemaining() && channel.read(answer) >= 0) {
                if (new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8).contains("}")) {
                    break;
                }
            }
            System.out.println(new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8));
        }
    }
}

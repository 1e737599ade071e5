package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.job.lifecycle.JobFixture;

@Timeout(60)
class ApiServerTest {
    @TempDir
    Path dir;

    private ApiServer server;
    private final AtomicReference<Call> last = new AtomicReference<>();
    private final CountDownLatch gate = new CountDownLatch(1);
    private final AtomicInteger inside = new AtomicInteger();

    @BeforeEach
    void start() {
        server = new ApiServer(this::answer, JobFixture.json(), 12_345);
        server.listen(dir.resolve("s"));
    }

    @AfterEach
    void stop() {
        gate.countDown();
        server.close();
    }

    private void answer(Call call) {
        last.set(call);
        try {
            if (call.path().contains("wait")) {
                inside.incrementAndGet();
                gate.await();
            }
            if (call.path().contains("echo")) {
                call.reply().handOver(echo());
                return;
            }
            if (call.path().contains("fail")) {
                throw new IllegalStateException("as asked");
            }
            call.reply().json(200, Map.of("path", call.path()));
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The near end of a socket whose far end sends everything back. */
    private SocketChannel echo() throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            Path socket = dir.resolve("echo" + inside.incrementAndGet());
            listener.bind(UnixDomainSocketAddress.of(socket));
            SocketChannel near = SocketChannel.open(UnixDomainSocketAddress.of(socket));
            SocketChannel far = listener.accept();
            Thread mirror = new Thread(() -> {
                ByteBuffer buffer = ByteBuffer.allocate(100);
                try (far) {
                    while (far.read(buffer) >= 0) {
                        far.write(buffer.flip());
                        buffer.clear();
                    }
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            mirror.setDaemon(true);
            mirror.start();
            return near;
        }
    }

    private Call lastCall() {
        return java.util.Objects.requireNonNull(last.get());
    }

    private SocketChannel send(String request) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(dir.resolve("s")));
        ByteBuffer bytes = ByteBuffer.wrap(request.getBytes(StandardCharsets.ISO_8859_1));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        return channel;
    }

    /** The status line of the answer. */
    private static String status(SocketChannel channel) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (channel.read(one.clear()) == 1 && one.get(0) != '\n') {
            line.write(one.get(0));
        }
        return line.toString(StandardCharsets.ISO_8859_1).strip();
    }

    private String ask(String request) throws IOException {
        try (SocketChannel channel = send(request)) {
            return status(channel);
        }
    }

    private static String get(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: vsed\r\n\r\n";
    }

    @Test
    void theCallerIsWhoTheKernelSays() throws IOException {
        assertThat(ask(get("/v1/health"))).isEqualTo("HTTP/1.1 200 OK");
        Call call = lastCall();
        assertThat(call.peer().pid()).isEqualTo((int) ProcessHandle.current().pid());
        assertThat(call.peer().owner()).isEqualTo(12_345);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%zz", "/%", "*", "/a%00b", "//", "/a?b=%q", "x"})
    void everyTargetIsAnswered(String target) throws IOException {
        assertThat(ask(get(target))).startsWith("HTTP/1.1 200");
    }

    @Test
    void aBodyThatIsTooLargeIsRefusedBeforeItIsRead() throws IOException {
        String head = "POST /v1/jobs HTTP/1.1\r\nHost: vsed\r\nContent-Length: " + ((1 << 20) + 1) + "\r\n\r\n";
        assertThat(ask(head)).startsWith("HTTP/1.1 413");
        assertThat(last.get()).isNull();
    }

    @Test
    void aChunkedBodyThatNeverEndsIsRefused() throws IOException {
        String chunk = "10000\r\n" + "x".repeat(0x10000) + "\r\n";
        try (SocketChannel channel =
                send("POST /v1/jobs HTTP/1.1\r\nHost: vsed\r\nTransfer-Encoding: chunked\r\n\r\n")) {
            Thread writer = new Thread(() -> {
                try {
                    for (int i = 0; i < 64; i++) {
                        channel.write(ByteBuffer.wrap(chunk.getBytes(StandardCharsets.ISO_8859_1)));
                    }
                } catch (IOException e) {
                    // The server has closed the connection, as it should.
                    return;
                }
            });
            writer.setDaemon(true);
            writer.start();
            assertThat(status(channel)).startsWith("HTTP/1.1 413");
        }
        assertThat(last.get()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "\u0000\u0001", "{\"a\":\"b", "nul"})
    void aBodyThatIsNotJsonIsNoBody(String body) throws IOException {
        assertThat(ask("POST /x HTTP/1.1\r\nHost: v\r\nContent-Length: " + body.length() + "\r\n\r\n" + body))
                .startsWith("HTTP/1.1 200");
        assertThat(lastCall().body().isMissingNode()).isTrue();
    }

    @Test
    void aBodyOfManyBracketsIsNoBody() throws IOException {
        String body = "[".repeat(500_000);
        assertThat(ask("POST /x HTTP/1.1\r\nHost: v\r\nContent-Length: " + body.length() + "\r\n\r\n" + body))
                .startsWith("HTTP/1.1 200");
        assertThat(lastCall().body().isMissingNode()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\r\n\r\n", "rubbish\r\n\r\n", "GET /x HTTP/9.9\r\n\r\n", "\u0016\u0003\u0001\r\n\r\n"})
    void rubbishHarmsNobody(String rubbish) throws IOException {
        try (SocketChannel channel = send(rubbish)) {
            assertThat(ask(get("/v1/health"))).startsWith("HTTP/1.1 200");
            assertThat(channel.isOpen()).isTrue();
        }
    }

    @RepeatedTest(200)
    void whatIsSaidRightAfterAnUpgradeArrives() throws IOException {
        try (SocketChannel channel =
                send("POST /echo HTTP/1.1\r\nHost: vsed\r\nConnection: upgrade\r\nUpgrade: vse-stream\r\n\r\n")) {
            assertThat(status(channel)).startsWith("HTTP/1.1 101");
            channel.write(ByteBuffer.wrap("a line\n".getBytes(StandardCharsets.ISO_8859_1)));
            String line = "";
            while (!line.equals("a line")) {
                line = status(channel);
            }
        }
    }

    @Test
    void ourOwnMistakeIsAnInternalError() throws IOException {
        assertThat(ask(get("/fail"))).startsWith("HTTP/1.1 500");
    }

    @Test
    void manyCallersAreAnsweredAndTheirNumberIsBounded() throws Exception {
        List<SocketChannel> channels = new ArrayList<>();
        try {
            for (int i = 0; i < 600; i++) {
                channels.add(send(get("/wait")));
            }
            // The last 88 find no room and are told so at once.
            List<String> busy = new ArrayList<>();
            for (SocketChannel channel : channels.subList(512, 600)) {
                busy.add(status(channel));
            }
            assertThat(busy).allMatch(status -> status.startsWith("HTTP/1.1 503"));
            assertThat(inside.get()).isEqualTo(512);
            gate.countDown();
            for (SocketChannel channel : channels.subList(0, 512)) {
                assertThat(status(channel)).startsWith("HTTP/1.1 200");
            }
            assertThat(ask(get("/v1/health"))).startsWith("HTTP/1.1 200");
        } finally {
            for (SocketChannel channel : channels) {
                channel.close();
            }
        }
    }
}

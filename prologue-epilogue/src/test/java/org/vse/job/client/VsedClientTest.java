package org.vse.job.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

@Timeout(30)
class VsedClientTest {
    private static final Target X = Target.of("x");

    @TempDir
    Path dir;

    private FakeVsed vsed;
    private VsedClient client;

    @BeforeEach
    void start() throws IOException {
        vsed = new FakeVsed(dir.resolve("s"));
        client = new VsedClient(vsed.socket());
    }

    @AfterEach
    void stop() throws IOException {
        vsed.close();
        assertThat(vsed.errors()).isEmpty();
    }

    @Test
    void asksAndReadsAnAnswerWithALength() {
        vsed.on("GET /x", call -> {
            assertThat(call.headers()).containsEntry("Host", "vsed").doesNotContainKey("Content-Length");
            call.json(200, "{\"a\":\"é\"}");
        });
        assertThat(client.call(Request.get(X)).text("a")).contains("é");
    }

    @Test
    void sendsTheBodyWithItsLengthInBytes() {
        vsed.on("POST /x", call -> call.json(200, call.body()));
        assertThat(client.call(Request.post(X, "{\"a\":\"€\"}")).text("a")).contains("€");
    }

    @Test
    void encodesEveryPartOfTheTarget() {
        Target target = Target.of("v1", "jobs", "a/b c%é").with("from", 3).with("q", "x&y");
        assertThat(target.text()).isEqualTo("/v1/jobs/a%2Fb%20c%25%C3%A9?from=3&q=x%26y");
    }

    @Test
    void readsLinesAsTheyComeAcrossChunkBorders() {
        CountDownLatch firstSeen = new CountDownLatch(1);
        vsed.on("GET /x", call -> {
            call.stream();
            call.chunk("one\ntw");
            firstSeen.await();
            call.chunk("o\n\nlast");
            call.end();
        });
        List<String> lines = new ArrayList<>();
        try (Answer answer = client.open(Request.get(X))) {
            lines.add(answer.line().orElseThrow());
            firstSeen.countDown();
            for (var line = answer.line(); line.isPresent(); line = answer.line()) {
                lines.add(line.get());
            }
        }
        assertThat(lines).containsExactly("one", "two", "", "last");
    }

    @Test
    void copiesBytesUnchangedInBothFramings() throws IOException {
        byte[] bytes = new byte[3_000_001];
        new java.util.Random(1).nextBytes(bytes);
        vsed.on("GET /x", call -> {
            call.stream();
            call.chunk(java.util.Arrays.copyOf(bytes, 7));
            call.chunk(java.util.Arrays.copyOfRange(bytes, 7, bytes.length));
            call.end();
        });
        vsed.on("GET /y", call -> {
            call.raw("HTTP/1.1 200 OK\r\nContent-Length: " + bytes.length + "\r\n\r\n");
            call.raw(bytes);
        });
        for (Target target : List.of(X, Target.of("y"))) {
            ByteArrayOutputStream got = new ByteArrayOutputStream();
            try (Answer answer = client.open(Request.get(target))) {
                answer.copyTo(got);
            }
            assertThat(got.toByteArray()).isEqualTo(bytes);
        }
    }

    @Test
    void copiesHalfAGigabyteInConstantMemory() throws IOException {
        long size = 1L << 29;
        byte[] block = new byte[1 << 20];
        vsed.on("GET /x", call -> {
            call.raw("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n");
            for (long sent = 0; sent < size; sent += block.length) {
                call.raw(block);
            }
        });
        Counter counter = new Counter();
        long before = usedAfterCollection();
        try (Answer answer = client.open(Request.get(X))) {
            answer.copyTo(counter);
        }
        assertThat(counter.count).isEqualTo(size);
        assertThat(usedAfterCollection() - before).isLessThan(16L << 20);
    }

    @Test
    void throwsTheFailureThatTheDaemonMeant() {
        vsed.on("GET /x", call -> call.json(400, """
                {"failure":{"code":"IMAGE_UNKNOWN","what":"image 'centos-5' is not known","where":"job.sh:2:12",
                "facts":{"known":"debian-12","path":"/x"},"next":"vse image ls"}}"""));
        VseException e = failure(() -> client.call(Request.get(X)));
        assertThat(e.render()).isEqualTo("""
                        vse: job.sh:2:12: image 'centos-5' is not known [IMAGE_UNKNOWN]
                          known: debian-12
                          path : /x
                          next : vse image ls""");
    }

    @Test
    void failuresSurviveTheWay() {
        VseException meant = VseException.of(ErrorCode.DISK_FULL, "what")
                .at("here")
                .fact("a", 1)
                .next("wait");
        assertThat(Failures.read(Json.readObject(Json.write(Failures.write(meant))))
                        .render())
                .isEqualTo(meant.render());
    }

    @Test
    void aCodeFromTheFutureIsInternalAndStillNamed() {
        vsed.on("GET /x", call -> call.json(500, "{\"failure\":{\"code\":\"NEW_ONE\",\"what\":\"w\"}}"));
        assertThat(failure(() -> client.open(Request.get(X))).render()).isEqualTo("vse: w [INTERNAL]\n  code: NEW_ONE");
    }

    @Test
    void nobodyListeningSaysWhatToDo() throws IOException {
        vsed.kill();
        VseException e = failure(() -> client.call(Request.get(X)));
        assertThat(e.code()).isEqualTo(ErrorCode.DAEMON_UNREACHABLE);
        assertThat(e.render()).contains(dir.resolve("s").toString(), "vse up");
        assertThat(failure(() -> new VsedClient(dir.resolve("none")).call(Request.get(X)))
                        .code())
                .isEqualTo(ErrorCode.DAEMON_UNREACHABLE);
        assertThat(failure(() -> new VsedClient(Path.of("/" + "p".repeat(200))).call(Request.get(X)))
                        .code())
                .isEqualTo(ErrorCode.DAEMON_UNREACHABLE);
    }

    @Test
    void connectingToASocketThatNobodyServesEndsInTime() throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(dir.resolve("full"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address, 1);
            List<SocketChannel> queue = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                queue.add(SocketChannel.open(address));
            }
            VsedClient impatient = new VsedClient(address.getPath(), Duration.ofMillis(200));
            assertThat(failure(() -> impatient.call(Request.get(X))).render())
                    .contains("nobody accepted within 200 ms");
            for (SocketChannel channel : queue) {
                channel.close();
            }
        }
    }

    @Test
    void silenceEndsInTime() {
        CountDownLatch over = new CountDownLatch(1);
        vsed.on("GET /x", call -> over.await());
        vsed.on("GET /y", call -> {
            call.raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
            over.await();
        });
        assertThat(failure(() -> client.open(Request.get(X).withPatience(Duration.ofMillis(100))))
                        .render())
                .contains("[DAEMON_UNREACHABLE]", "no answer within 100 ms", "GET /x");
        assertThat(failure(() -> client.call(Request.get(Target.of("y")).withPatience(Duration.ofMillis(100))))
                        .render())
                .contains("[DAEMON_UNREACHABLE]", "no complete answer within 100 ms");
        over.countDown();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
                "HTTP/1.1 200 OK\r\nConte",
                ""
            })
    void anEarlyCloseIsNeverTakenForAnEnd(String answer) {
        vsed.on("GET /x", call -> call.raw(answer));
        assertThat(failure(() -> client.call(Request.get(X))).code()).isEqualTo(ErrorCode.DAEMON_UNREACHABLE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH_9.2\r\n",
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 099 X\r\n\r\n",
                "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
                "HTTP/1.1 200 OK\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nfolded: a\r\n b\r\n\r\n",
                "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
                "HTTP/1.1 500 X\r\nContent-Length: 4\r\n\r\nboom",
                "HTTP/1.1 302 X\r\nContent-Length: 2\r\n\r\n{}"
            })
    void whatIsNotTheApiIsRefusedInWords(String answer) {
        vsed.on("GET /x", call -> call.raw(answer));
        VseException e = failure(() -> client.call(Request.get(X)));
        assertThat(e.code()).isEqualTo(ErrorCode.INTERNAL);
        assertThat(e.render()).contains("does not speak the API of vsed", "found");
    }

    @Test
    void endlessHeadersLinesAndTrailersAreRefused() {
        vsed.on("GET /x", call -> {
            call.raw("HTTP/1.1 200 OK\r\n");
            for (long i = 0; i < 1L << 40; i++) {
                call.raw("h" + i + ": x\r\n");
            }
        });
        vsed.on("GET /y", call -> {
            while (true) {
                call.raw("HTTP/1.1 200 ".repeat(1000));
            }
        });
        vsed.on("GET /z", call -> {
            call.stream();
            call.raw("0\r\n");
            while (true) {
                call.raw("t: x\r\n");
            }
        });
        for (String path : List.of("x", "y", "z")) {
            assertThat(failure(() -> client.call(Request.get(Target.of(path)))).code())
                    .isEqualTo(ErrorCode.INTERNAL);
        }
    }

    @Test
    void anErrorOfTheCallersStreamIsTheCallers() {
        vsed.on("GET /x", call -> call.json(200, "{}"));
        try (Answer answer = client.open(Request.get(X))) {
            IOException full = new IOException("disk full");
            OutputStream sink = new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw full;
                }
            };
            assertThat(catchThrowableOfType(IOException.class, () -> answer.copyTo(sink)))
                    .isSameAs(full);
        }
    }

    @Test
    void closingFromAnotherThreadEndsAWaitingRead() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        vsed.on("GET /x", call -> {
            call.stream();
            over.await();
        });
        Answer answer = client.open(Request.get(X));
        Thread closer = new Thread(answer::close);
        closer.start();
        assertThat(failure(answer::line).code()).isEqualTo(ErrorCode.DAEMON_UNREACHABLE);
        closer.join();
        over.countDown();
    }

    @Test
    void anUpgradeGivesRawBytesBothWaysAtOnce() throws IOException {
        vsed.on("POST /x", call -> {
            assertThat(call.headers()).containsEntry("Upgrade", "vse-stream").containsEntry("Connection", "Upgrade");
            call.raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: vse-stream\r\n\r\nhello ");
            ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
            while (call.channel().read(buffer.clear()) >= 0) {
                call.raw(java.util.Arrays.copyOf(buffer.array(), buffer.position()));
            }
        });
        byte[] bytes = "x".repeat(5_000_000).getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        try (RawConnection raw = client.upgrade(Request.upgrade(X))) {
            Thread sender = new Thread(() -> {
                try {
                    raw.send(new ByteArrayInputStream(bytes));
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            sender.start();
            raw.receive(got);
        }
        assertThat(got.toString(StandardCharsets.US_ASCII)).isEqualTo("hello " + "x".repeat(5_000_000));
    }

    @Test
    void aRefusedUpgradeIsTheDaemonsFailure() {
        vsed.on("POST /x", call -> call.json(409, "{\"failure\":{\"code\":\"JOB_STATE\",\"what\":\"ended\"}}"));
        assertThat(failure(() -> client.upgrade(Request.upgrade(X))).code()).isEqualTo(ErrorCode.JOB_STATE);
    }

    @Test
    void anEarlyRefusalOfALargeBodyIsHeard() {
        vsed.on("POST /x", call -> call.json(400, "{\"failure\":{\"code\":\"USAGE\",\"what\":\"too large\"}}"));
        assertThat(failure(() -> client.call(Request.post(X, "\"" + "a".repeat(900_000) + "\"")))
                        .code())
                .isEqualTo(ErrorCode.USAGE);
    }

    private static VseException failure(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        VseException e = catchThrowableOfType(VseException.class, call);
        assertThat(e).isNotNull();
        return e;
    }

    private static long usedAfterCollection() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static final class Counter extends OutputStream {
        private long count;

        @Override
        public void write(int b) {
            count++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            count += length;
        }
    }
}

package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.peer.PeerClient;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.PeerNodes;
import org.vse.job.peer.SiteAuthority;

/** Who gets an answer from a node's daemon: whoever the site's authority knows, under their own name. */
@Timeout(60)
class PeerServerTest {
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    Path dir;

    private final AtomicInteger answered = new AtomicInteger();
    private PeerServer server;
    private InetSocketAddress address;

    @BeforeEach
    void serve() {
        new SiteAuthority(dir.resolve("ca")).init("here", DAY, Instant.now());
        server = new PeerServer(this::answer, JobFixture.json(), identity("ca", "n1", Instant.now()));
        address = server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    @AfterEach
    void end() {
        server.close();
    }

    private void answer(Call call) {
        answered.incrementAndGet();
        try {
            if (call.path().contains("refuse")) {
                throw VseException.of(ErrorCode.JOB_STATE, "not so").next("otherwise");
            }
            call.reply()
                    .json(
                            200,
                            Map.of(
                                    "node",
                                    String.valueOf(call.peer().node()),
                                    "admin",
                                    call.peer().isAdmin(),
                                    "told",
                                    call.body().path("say").asText()));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private PeerIdentity identity(String authority, String node, Instant made) {
        Path files = dir.resolve(authority + "-" + node + "-" + answered.get() + "-" + made.toEpochMilli());
        new SiteAuthority(dir.resolve(authority)).issue(node, files, DAY, made);
        return PeerIdentity.read(files, node, made);
    }

    private JsonNode call(PeerIdentity who, String node, String path) {
        PeerNodes nodes = PeerNodes.parse(node + "=127.0.0.1:" + address.getPort(), 1);
        try (PeerClient client = new PeerClient(who, nodes, JobFixture.json())) {
            return client.call(node, HttpMethod.POST, path, Map.of("say", "hello"), Duration.ofSeconds(20))
                    .join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }

    @Test
    void aNodeIsWhoItsCertificateSays() {
        JsonNode answer = call(identity("ca", "n2", Instant.now()), "n1", "/v1/x");
        assertThat(answer.path("node").asText()).isEqualTo("n2");
        assertThat(answer.path("told").asText()).isEqualTo("hello");
        assertThat(answer.path("admin").asBoolean()).isFalse();
    }

    @Test
    void aRefusalArrivesWhole() {
        assertThatThrownBy(() -> call(identity("ca", "n2", Instant.now()), "n1", "/v1/refuse"))
                .isInstanceOfSatisfying(VseException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.JOB_STATE);
                    assertThat(e.what()).isEqualTo("not so");
                    assertThat(e.next()).isEqualTo("otherwise");
                    assertThat(e.facts()).containsEntry("node", "n1");
                });
    }

    @Test
    void aCertificateOfAnotherAuthorityGetsNothing() {
        new SiteAuthority(dir.resolve("other")).init("there", DAY, Instant.now());
        assertUnreachable(() -> call(identity("other", "n2", Instant.now()), "n1", "/v1/x"));
        assertThat(answered).hasValue(0);
    }

    @Test
    void anEndedCertificateGetsNothing() {
        assertUnreachable(() -> call(identity("ca", "n2", Instant.now().minus(Duration.ofDays(3))), "n1", "/v1/x"));
        assertThat(answered).hasValue(0);
    }

    @Test
    void aNodeThatIsAnotherIsNotSpokenTo() {
        assertUnreachable(() -> call(identity("ca", "n2", Instant.now()), "n3", "/v1/x"));
        assertThat(answered).hasValue(0);
    }

    @Test
    void aHostWithoutADaemonIsThereAndOneThatSaysNothingIsNot() throws IOException {
        PeerIdentity who = identity("ca", "n2", Instant.now());
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        assertThat(isThere(who, "127.0.0.1:" + port)).isTrue();
        assertThat(isThere(who, "127.0.0.1:" + address.getPort())).isTrue();
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(isThere(who, "127.0.0.1:" + silent.getLocalPort())).isFalse();
        }
        assertThat(isThere(
                        identity("ca", "n2", Instant.now().minus(Duration.ofDays(3))),
                        "127.0.0.1:" + address.getPort()))
                .isFalse();
    }

    private static boolean isThere(PeerIdentity who, String address) {
        try (PeerClient client = new PeerClient(who, PeerNodes.parse("n1=" + address, 1), JobFixture.json())) {
            return client.call("n1", HttpMethod.POST, "/v1/refuse", Map.of("say", "x"), Duration.ofSeconds(8))
                    .handle((answer, failure) -> failure == null || PeerClient.isHostThere(failure))
                    .join();
        }
    }

    @Test
    void whoSpeaksNoTlsGetsNoWord() throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write("GET /v1/health HTTP/1.1\r\nHost: n1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String said = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(said).doesNotContain("HTTP");
        }
        assertThat(answered).hasValue(0);
    }

    @Test
    void manyCallsAreAnsweredAtOnce() {
        PeerNodes nodes = PeerNodes.parse("n1=127.0.0.1:" + address.getPort(), 1);
        try (PeerClient client = new PeerClient(identity("ca", "n2", Instant.now()), nodes, JobFixture.json())) {
            CompletableFuture<?>[] calls = new CompletableFuture<?>[100];
            for (int i = 0; i < calls.length; i++) {
                calls[i] = client.call("n1", HttpMethod.POST, "/v1/x", Map.of(), Duration.ofSeconds(30));
            }
            CompletableFuture.allOf(calls).join();
        }
        assertThat(answered).hasValue(100);
    }

    @Test
    void aTakenAddressIsNamed() {
        try (PeerServer second = new PeerServer(this::answer, JobFixture.json(), identity("ca", "n1", Instant.now()))) {
            assertThatThrownBy(() -> second.listen(address))
                    .isInstanceOfSatisfying(
                            VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DAEMON_START_FAILED));
        }
    }

    @Test
    void aKeyThatOthersMayReadIsNotUsed() throws IOException {
        Path files = dir.resolve("loose");
        new SiteAuthority(dir.resolve("ca")).issue("n2", files, DAY, Instant.now());
        Files.setPosixFilePermissions(files.resolve(PeerIdentity.KEY), PosixFilePermissions.fromString("rw-r-----"));
        assertInvalid(() -> PeerIdentity.read(files, "n2", Instant.now()), "others than its owner");
    }

    @Test
    void theFilesOfAnotherNodeAreNotUsed() {
        Path files = dir.resolve("n2");
        new SiteAuthority(dir.resolve("ca")).issue("n2", files, DAY, Instant.now());
        assertInvalid(() -> PeerIdentity.read(files, "n4", Instant.now()), "not of this node");
        assertInvalid(() -> PeerIdentity.read(files, "n2", Instant.now().plus(DAY.multipliedBy(2))), "not valid now");
        assertInvalid(() -> PeerIdentity.read(dir.resolve("nowhere"), "n2", Instant.now()), "cannot be read");
    }

    @Test
    void nothingIsOverwritten() {
        assertThatThrownBy(() -> new SiteAuthority(dir.resolve("ca")).init("again", DAY, Instant.now()))
                .hasMessageContaining("nothing is overwritten");
    }

    private static void assertInvalid(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String why) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VseException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.CERTIFICATE_INVALID);
            assertThat(e.what()).contains(why);
        });
    }

    private static void assertUnreachable(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.PEER_UNREACHABLE));
    }
}

package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobFixture;

@Timeout(60)
class MetricsDeskTest {
    @TempDir
    Path dir;

    private final MetricsDesk desk = new MetricsDesk(() -> "a 1\n");
    private final HttpClient client = HttpClient.newHttpClient();
    private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @BeforeEach
    void listen() {
        address = desk.listen(address, JobFixture.json());
    }

    @AfterEach
    void close() {
        desk.close();
    }

    private HttpResponse<String> ask(String method, String path) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + address.getPort() + path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void theMetricsAreGivenToAnybodyAndNothingElseIs() throws Exception {
        HttpResponse<String> metrics = ask("GET", "/metrics");
        assertThat(metrics.statusCode()).isEqualTo(200);
        assertThat(metrics.headers().firstValue("Content-Type")).hasValue("text/plain; version=0.0.4; charset=utf-8");
        assertThat(metrics.body()).isEqualTo("a 1\n");
        for (String path : List.of("/", "/v1/jobs", "/v1/down", "/metrics/x", "/v1/ledger")) {
            assertThat(ask("GET", path).statusCode()).as(path).isEqualTo(400);
        }
        assertThat(ask("POST", "/metrics").statusCode()).isEqualTo(400);
        assertThat(ask("POST", "/v1/down").statusCode()).isEqualTo(400);
    }

    @Test
    void onTheSocketTheRestIsTheApis() {
        List<Call> passed = new ArrayList<>();
        Call call = new Call(
                Peer.UNKNOWN,
                "GET",
                List.of("v1", "jobs"),
                java.util.Map.of(),
                com.fasterxml.jackson.databind.node.MissingNode.getInstance(),
                new NoReply());
        desk.before(passed::add).accept(call);
        assertThat(passed).containsExactly(call);
        assertThat(Peer.UNKNOWN.isAdmin()).isFalse();
        assertThat(Peer.UNKNOWN.mayTouch(0)).isFalse();
    }

    /** Nobody is answered. */
    private static final class NoReply implements Reply {
        @Override
        public void json(int status, Object value) {
            throw new AssertionError("answered");
        }

        @Override
        public Body stream(String contentType) {
            throw new AssertionError("answered");
        }

        @Override
        public void handOver(java.nio.channels.ByteChannel peer) {
            throw new AssertionError("answered");
        }
    }

    @Test
    void whoHoldsManyConnectionsGetsNoMoreAndAnotherIsServedAfterwards() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 64; i++) {
                sockets.add(new Socket(address.getAddress(), address.getPort()));
            }
            try (Socket more = new Socket(address.getAddress(), address.getPort())) {
                assertThat(more.getInputStream().read()).isEqualTo(-1);
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        // Those that were closed are noticed one by one.
        while (true) {
            try {
                assertThat(ask("GET", "/metrics").statusCode()).isEqualTo(200);
                return;
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("EOF").isInstanceOf(IOException.class);
            }
        }
    }

    @Test
    void aTakenAddressIsNamed() {
        try (MetricsDesk second = new MetricsDesk(() -> "")) {
            assertThatThrownBy(() -> second.listen(address, JobFixture.json()))
                    .isInstanceOfSatisfying(VseException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.DAEMON_START_FAILED);
                        assertThat(e.next()).contains("metrics-listen");
                    });
        }
    }

    @Test
    void aPortAloneIsOfThisHostAndNothingIsTheDefault() throws IOException {
        Path file = dir.resolve("vsed.yaml");
        assertThat(MetricsDesk.address(file)).isEmpty();
        Files.writeString(file, "metrics-listen: 7412\n");
        assertThat(MetricsDesk.address(file))
                .hasValueSatisfying(
                        at -> assertThat(at.getAddress().isLoopbackAddress()).isTrue())
                .map(InetSocketAddress::getPort)
                .hasValue(7412);
        Files.writeString(file, "metrics-listen: 0.0.0.0:7412\n");
        assertThat(MetricsDesk.address(file))
                .hasValueSatisfying(
                        at -> assertThat(at.getAddress().isAnyLocalAddress()).isTrue());
        for (String bad : List.of("localhost", "70000", "127.0.0.1:", "[::1", "no.such.host.invalid:1", "'*:7412'")) {
            Files.writeString(file, "metrics-listen: " + bad + "\n");
            assertThatThrownBy(() -> NodeSettings.read(file))
                    .as(bad)
                    .isInstanceOfSatisfying(
                            VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG_INVALID));
        }
        Files.writeString(file, "log-format: xml\n");
        assertThatThrownBy(() -> NodeSettings.read(file)).hasMessageContaining("cannot be used");
    }
}

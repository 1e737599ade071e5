package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;
import org.vse.job.peer.PeerClient;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.PeerNodes;
import org.vse.job.peer.SiteAuthority;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeGuest;

/** A head, a node with jobs, one that takes a call and says nothing, and one that is not there. */
@Timeout(60)
class SiteViewTest {
    private static final Duration DAY = Duration.ofDays(1);
    private static final Peer ROOT = new Peer(1, 0, 0, 0);
    private static final Peer CAROL = new Peer(1, TestNode.CAROL.uid(), TestNode.CAROL.gid(), 0);

    @TempDir
    Path dir;

    private final List<AutoCloseable> open = new ArrayList<>();
    private String nodes = "";

    /** Runs until it is cancelled. */
    private static final class Running implements Step {
        @Override
        public String name() {
            return "running";
        }

        @Override
        public void apply(Job job, Progress progress) {
            for (JobState state : List.of(JobState.STAGED, JobState.CREATED, JobState.READY, JobState.RUNNING)) {
                job.journal().enter(state);
            }
            new BlockedStep(new CountDownLatch(1)).apply(job, progress);
        }

        @Override
        public void undo(Job job) {}
    }

    /** One daemon's parts; its first job has the only core. */
    private record Daemon(TestNode node, LocalDesk desk, JobTable table, SiteLedger site) {}

    private Daemon daemon(String name) throws IOException {
        TestNode node = new TestNode(
                Files.createDirectories(dir.resolve(name)),
                new FakeDriver("me", Files.createDirectory(dir.resolve(name + "-vms")), FakeGuest.silent()));
        open.add(node);
        node.publish("disk".getBytes(StandardCharsets.UTF_8), Set.of());
        JobTable table = new JobTable();
        LocalDesk desk = new LocalDesk(
                node.node(),
                node.config(List.of(0), 10),
                node.json(),
                table,
                over -> new JobRunner(node.node(), record -> new JobLifecycle(List.of(new Running())), over),
                List.of());
        open.add(0, () -> {
            desk.active().forEach(desk::cancel);
            desk.runner().awaitIdle();
        });
        SiteLedger site = SiteLedger.of(dir.resolve("vsed.yaml"), name, Clock.systemUTC());
        open.add(0, site);
        return new Daemon(node, desk, table, site);
    }

    private SiteView view(Daemon of, PeerClient client) {
        SiteView view = new SiteView(
                of.node().json(),
                of.table(),
                of.desk(),
                of.site(),
                client,
                () -> PeerNodes.parse(nodes, 1).names());
        open.add(0, view);
        return view;
    }

    private PeerIdentity identity(String node) {
        Path files = dir.resolve("certs-" + node);
        if (!Files.exists(files)) {
            new SiteAuthority(dir.resolve("ca")).issue(node, files, DAY, Instant.now());
        }
        return PeerIdentity.read(files, node, Instant.now());
    }

    private PeerClient client(String as) {
        PeerClient client = new PeerClient(identity(as), PeerNodes.parse(nodes, 1), JobFixture.json());
        open.add(0, client);
        return client;
    }

    private Daemon here;
    private Daemon other;

    @BeforeEach
    void begin() throws IOException {
        new SiteAuthority(dir.resolve("ca")).init("site", DAY, Instant.now());
        Files.writeString(dir.resolve("vsed.yaml"), "head: here\n");
        here = daemon("here");
        other = daemon("n2");
        PeerServer server = new PeerServer(
                view(other, client("n2")).beforeNodes(call -> {
                    throw call.unknown();
                }),
                JobFixture.json(),
                identity("n2"));
        open.add(0, server);
        InetAddress loopback = InetAddress.getLoopbackAddress();
        int port = server.listen(new InetSocketAddress(loopback, 0)).getPort();
        ServerSocket mute = new ServerSocket(0, 10, loopback);
        open.add(0, mute);
        int nobody;
        try (ServerSocket taken = new ServerSocket(0, 1, loopback)) {
            nobody = taken.getLocalPort();
        }
        nodes = "n2=127.0.0.1:" + port + " n3=127.0.0.1:" + mute.getLocalPort() + " n4=127.0.0.1:" + nobody;
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private static JsonNode node(ObjectNode site, String name) {
        for (JsonNode node : site.path("nodes")) {
            if (node.path("node").asText().equals(name)) {
                return node;
            }
        }
        throw new AssertionError(name + " is not in " + site);
    }

    @Test
    void theHeadShowsWhatEachNodeSaysAndWhichSayNothingInTime() {
        String first =
                other.desk().accept(other.node().admission(TestNode.CAROL)).id();
        Job running = other.table().find(first).orElseThrow();
        while (running.state() != JobState.RUNNING) {
            Thread.onSpinWait();
        }
        other.desk().accept(other.node().admission(TestNode.CAROL));
        other.desk().accept(other.node().admission(TestNode.DAVE));
        SiteView head = view(here, client("here"));
        long begin = System.nanoTime();
        ObjectNode site = head.site(ROOT);
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .isLessThan(SiteView.PATIENCE.plus(Duration.ofSeconds(7)));
        assertThat(site.path("nodes").findValuesAsText("node")).contains("here", "n2", "n3", "n4");
        assertThat(site.path("nodes")).hasSize(4);
        JsonNode n2 = node(site, "n2");
        assertThat(n2.path("cores").asInt()).isOne();
        assertThat(n2.path("freeCores").asInt()).isZero();
        assertThat(n2.path("freeMemoryBytes").asLong())
                .isPositive()
                .isLessThan(n2.path("memoryBytes").asLong());
        assertThat(n2.path("vms").asInt()).isOne();
        assertThat(n2.path("jobCount").asInt()).isEqualTo(3);
        assertThat(n2.path("jobs")).hasSize(3).anySatisfy(job -> {
            assertThat(job.path("state").asText()).isEqualTo("QUEUED");
            assertThat(job.path("user").asText()).isEqualTo("dave");
            assertThat(job.path("waitingFor").asText()).contains("core");
            assertThat(job.has("cwd")).isFalse();
        });
        assertThat(node(site, "here").path("freeCores").asInt()).isOne();
        assertThat(node(site, "n3").path("silent").asText()).isNotEmpty();
        assertThat(node(site, "n4").path("silent").asText()).contains("n4");
        assertThat(node(site, "n4").has("cores")).isFalse();
        assertThat(node(head.site(CAROL), "n2").path("jobs").findValuesAsText("user"))
                .containsExactly("carol", "carol");
    }

    @Test
    void aNodeThatIsNotTheHeadShowsItselfAlone() {
        ObjectNode site = view(other, client("n5")).site(ROOT);
        assertThat(site.path("nodes")).hasSize(1);
    }

    @Test
    void onlyTheHeadIsToldWhatGoesOn() {
        assertThat(client("n6").call("n2", HttpMethod.GET, "/v1/standing", Map.of(), Duration.ofSeconds(30)))
                .failsWithin(Duration.ofSeconds(30))
                .withThrowableThat()
                .withMessageContaining("only the head is told");
        assertThat(client("here").call("n2", HttpMethod.GET, "/v1/standing", Map.of(), Duration.ofSeconds(30)))
                .succeedsWithin(Duration.ofSeconds(30));
    }
}

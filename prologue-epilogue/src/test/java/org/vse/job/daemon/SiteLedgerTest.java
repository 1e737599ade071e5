package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DirectorySource;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.job.peer.PeerClient;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.PeerNodes;
import org.vse.job.peer.SiteAuthority;
import org.vse.job.step.PartLeases;
import org.vse.ledger.Ending;
import org.vse.ledger.JobKey;
import org.vse.ledger.Ledger;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.Machine;
import org.vse.ledger.Submitter;
import org.vse.ledger.VmEnd;
import org.vse.ledger.VmIntervalQuery;
import org.vse.process.CommandRunner;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeGuest;

/** Events on their way from a node to the head, over TLS. */
@Timeout(120)
class SiteLedgerTest {
    private static final Instant LONG_AGO = Instant.parse("2026-01-01T00:00:00Z");
    private static final Submitter WHO = new Submitter("carol", 4321, "batch");

    @TempDir
    Path dir;

    private final BlockingQueue<String> answered = new LinkedBlockingQueue<>();
    private TestNode head;
    private Ledger ledger;
    private int port;

    @BeforeEach
    void open() throws IOException {
        new SiteAuthority(dir.resolve("ca")).init("here", Duration.ofDays(1), Instant.now());
        head = new TestNode(
                Files.createDirectory(dir.resolve("h1")),
                new FakeDriver("me", Files.createDirectory(dir.resolve("vms")), FakeGuest.silent()));
        ledger = Ledger.open(dir.resolve("node"));
        Files.writeString(dir.resolve("vsed.yaml"), "head: h1\n");
    }

    @AfterEach
    void close() {
        ledger.close();
        head.close();
    }

    private PeerIdentity identity(String node) {
        Path files = dir.resolve("certs-" + node);
        if (!Files.exists(files)) {
            new SiteAuthority(dir.resolve("ca")).issue(node, files, Duration.ofDays(1), Instant.now());
        }
        return PeerIdentity.read(files, node, Instant.now());
    }

    /** The daemon of the head, at the same port each time. */
    private PeerServer serve() {
        PartLeases leases = new PartLeases(Duration.ofSeconds(5), head.node().growth());
        JobTable table = new JobTable();
        LocalDesk desk = new LocalDesk(
                head.node(),
                head.config(List.of(0), 1),
                head.json(),
                table,
                over -> new JobRunner(head.node(), record -> new JobLifecycle(List.of()), over),
                List.of());
        SiteLedger own = SiteLedger.of(dir.resolve("vsed.yaml"), "h1", Clock.systemUTC());
        PeerApi api = new PeerApi(
                new Parts(head.node(), head.json(), table, desk, leases, new HostUsers(new CommandRunner())),
                new PeerImages(new DirectorySource(head.node().images().root())),
                head.json(),
                head.json().createObjectNode(),
                own.taking(head.node().ledger()),
                Clock.systemUTC());
        own.close();
        PeerServer server = new PeerServer(
                call -> {
                    api.answer(call);
                    answered.add(call.method());
                },
                head.json(),
                identity("h1"));
        port = server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .getPort();
        return server;
    }

    private void record(int runs) {
        List<String> nodes = IntStream.range(0, 1000)
                .mapToObj("a-rather-long-name-%d"::formatted)
                .toList();
        for (int i = 0; i < runs; i++) {
            JobKey job = new JobKey("slurm", "slurm", UUID.randomUUID().toString(), 1);
            Instant start = LONG_AGO.plusSeconds(i);
            var opened = opened(job, start);
            Ending end = new Ending(start.plusSeconds(60), VmEnd.FINISHED, 1L, 1L);
            ledger.record(List.of(
                    new LedgerEvent.JobAdmitted(UUID.randomUUID(), start, job, WHO, "debian-12", "sha256:00", nodes),
                    opened,
                    new LedgerEvent.VmClosed(UUID.randomUUID(), end.ended(), job, opened.id(), end)));
        }
    }

    private static LedgerEvent.VmOpened opened(JobKey job, Instant start) {
        return new LedgerEvent.VmOpened(
                UUID.randomUUID(),
                start,
                job,
                WHO,
                new Machine("vm0", 0, "n1", List.of(0), 1, 1 << 20, "debian-12", "sha256:00", "TCG"),
                start);
    }

    private void awaitAllAtTheHead() throws InterruptedException {
        while (!head.node().ledger().intervals(VmIntervalQuery.all()).equals(ledger.intervals(VmIntervalQuery.all()))) {
            awaitAnswer();
        }
    }

    private void awaitAnswer() throws InterruptedException {
        assertThat(answered.poll(60, TimeUnit.SECONDS)).isNotNull();
    }

    /** The node learns of the last part a moment after the head has it. */
    private int pruned(SiteLedger site) throws InterruptedException {
        while (true) {
            try {
                return site.prune(ledger, Instant.now());
            } catch (VseException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.JOB_STATE);
                awaitAnswer();
            }
        }
    }

    @Test
    void aHeadThatWasAwayGetsEverythingAndThenOnlyWhatIsNew() throws InterruptedException {
        serve().close();
        record(80);
        try (SiteLedger site = SiteLedger.of(dir.resolve("vsed.yaml"), "n1", Clock.systemUTC());
                PeerClient client =
                        new PeerClient(identity("n1"), PeerNodes.parse("h1=127.0.0.1:" + port, 1), head.json())) {
            site.begin(ledger, client, head.json());
            assertThatThrownBy(() -> site.prune(ledger, Instant.now()))
                    .isInstanceOf(VseException.class)
                    .hasMessageContaining("[JOB_STATE]");
            assertThat(site.lag().known()).isFalse();
            PeerServer first = serve();
            awaitAllAtTheHead();
            while (!site.lag().known() || site.lag().bytes() > 0) {
                Thread.onSpinWait();
            }
            assertThat(site.lag().oldest()).isNull();
            assertThat(site.lag().heard()).isAfter(Instant.now().minusSeconds(60));
            first.close();
            record(5);
            PeerServer second = serve();
            awaitAllAtTheHead();
            assertThat(pruned(site)).isEqualTo(85);
            second.close();
        }
        assertThat(head.node().ledger().intervals(VmIntervalQuery.all())).hasSize(85);
        assertThat(head.node().ledger().heardSince(Instant.now().minusSeconds(600)))
                .containsExactly("n1");
        assertThat(head.node().ledger().heardSince(Instant.now().plusSeconds(1)))
                .isEmpty();
    }

    @Test
    void whatANodeLeftOpenThatDoesNotComeBackIsClosed() throws InterruptedException, IOException {
        JobKey job = new JobKey("slurm", "slurm", "77", 1);
        ledger.record(List.of(opened(job, LONG_AGO)));
        try (PeerServer server = serve();
                PeerClient client =
                        new PeerClient(identity("n1"), PeerNodes.parse("h1=127.0.0.1:" + port, 1), head.json());
                SiteLedger site = SiteLedger.of(dir.resolve("vsed.yaml"), "n1", Clock.systemUTC())) {
            assertThat(server).isNotNull();
            site.begin(ledger, client, head.json());
            awaitAllAtTheHead();
        }
        Instant silent = Instant.now();
        Path config = Files.writeString(dir.resolve("head.yaml"), "head: h1\nnode-lost: 1s\n");
        try (SiteLedger onHead = SiteLedger.of(config, "h1", Clock.systemUTC())) {
            onHead.begin(head.node().ledger(), null, head.json());
            VmIntervalQuery running = VmIntervalQuery.all().running();
            while (!head.node().ledger().intervals(running).isEmpty()) {
                Thread.onSpinWait();
            }
        }
        Ending ending =
                head.node().ledger().intervals(VmIntervalQuery.all()).get(0).ending();
        assertThat(ending).isNotNull();
        assertThat(ending.evidence()).isEqualTo("nothing was heard of node 'n1' any more");
        assertThat(ending.ended()).isBefore(silent);
    }
}

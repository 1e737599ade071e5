package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DirectorySource;
import org.vse.imagestore.Image;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.peer.PartOrder;
import org.vse.job.peer.PeerClient;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.PeerNodes;
import org.vse.job.peer.RemoteParts;
import org.vse.job.peer.SiteAuthority;
import org.vse.job.step.PartLeases;
import org.vse.job.step.Steps;
import org.vse.policy.Additions;
import org.vse.policy.Network;
import org.vse.policy.PlugIn;
import org.vse.policy.Share;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.guest.GuestSetup;

/** Two daemons that speak TLS to each other; machines and guests are fake. */
@Tag("system")
@Timeout(60)
class PartsSystemTest {
    private static final Duration LEASE = Duration.ofSeconds(3);
    private static final GuestSetup.SshKey KEY = new GuestSetup.SshKey(
            "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n");

    private static final PartOrder.Key TRAVELLING = new PartOrder.Key(KEY.publicKey(), KEY.privateKey());

    @TempDir
    Path dir;

    private final List<AutoCloseable> open = new ArrayList<>();
    private InetSocketAddress address;
    private TestNode second;
    private FakeDriver machines;
    private final ScriptedGuest guests = new ScriptedGuest(true);
    private final JobTable table = new JobTable();
    private Parts parts;
    private LocalDesk desk;
    private Image image;
    private PeerServer server;

    @BeforeEach
    void start() throws IOException {
        new SiteAuthority(dir.resolve("ca")).init("here", Duration.ofDays(1), Instant.now());
        machines = new FakeDriver("me", Files.createDirectory(dir.resolve("vms")), guests);
        PeerClient silent = new PeerClient(identity("n2"), PeerNodes.parse("", 1), JobFixture.json());
        open.add(silent);
        second = new TestNode(
                Files.createDirectory(dir.resolve("n2")),
                machines,
                "n2",
                growth -> new RemoteParts("n2", silent, LEASE, JobFixture.json(), growth, Clock.systemUTC()));
        open.add(second);
        Path disk = dir.resolve("disk.qcow2");
        new CommandRunner()
                .run(Command.of("qemu-img", "create", "-q", "-f", "qcow2", disk.toString(), "1M"))
                .orThrow("making a disk");
        image = second.publish(Files.readAllBytes(disk), Set.of());
        machines.onEnd((name, why) -> table.ofMachine(name).ifPresent(job -> {
            job.machineEnded(name, why);
            second.node().growth().wake(job.files().directory());
        }));
        PartLeases leases = new PartLeases(LEASE, second.node().growth());
        desk = new LocalDesk(
                second.node(),
                second.config(List.of(0, 1), 10),
                second.json(),
                table,
                over -> new JobRunner(second.node(), Steps.of(second.node(), leases), over),
                List.of());
        parts = new Parts(second.node(), second.json(), table, desk, leases, new HostUsers(new CommandRunner()));
        open.add(parts);
        parts.watch();
        server = new PeerServer(
                new PeerApi(
                        parts,
                        new PeerImages(
                                new DirectorySource(second.node().images().root())),
                        second.json(),
                        second.json().createObjectNode(),
                        Optional.empty(),
                        Clock.systemUTC())::answer,
                second.json(),
                identity("n2"));
        address = server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    @AfterEach
    void end() throws Exception {
        server.close();
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    private PeerIdentity identity(String node) {
        Path files = dir.resolve("certs-" + node + open.size());
        new SiteAuthority(dir.resolve("ca")).issue(node, files, Duration.ofDays(1), Instant.now());
        return PeerIdentity.read(files, node, Instant.now());
    }

    /** The daemon of a first node, as far as its parts go. */
    private final class First {
        final TestNode node;
        final RemoteParts sisters;
        final Job job;

        First(String name, int attempt) throws IOException {
            PeerNodes nodes = PeerNodes.parse("n2=127.0.0.1:" + address.getPort(), 1);
            PeerClient client = new PeerClient(identity(name), nodes, second.json());
            open.add(client);
            node = new TestNode(
                    dir.resolve("first-" + name + attempt),
                    new FakeDriver(
                            "me",
                            Files.createDirectories(dir.resolve("vms-" + name + attempt)),
                            new ScriptedGuest(true)),
                    name,
                    growth -> new RemoteParts(name, client, LEASE, second.json(), growth, Clock.systemUTC()));
            sisters = (RemoteParts) node.node().sisters();
            open.add(node);
            open.add(sisters);
            JobRecord record = record(attempt);
            JobFiles files = JobFiles.of(node.state(), node.run(), record.tag());
            Files.createDirectories(files.directory());
            job = Job.admit(
                    record,
                    files,
                    EventFeed.open(files.events(), node.json()),
                    Map.of(),
                    node.json(),
                    Clock.systemUTC());
            node.node().growth().add(files.directory());
        }

        void begin() {
            sisters.begin(job, KEY);
            sisters.awaitReady(job, Instant.now().plusSeconds(20), job);
        }
    }

    private JobRecord record(int attempt) {
        return new JobRecord(
                "slurm",
                "77",
                attempt,
                JobRecord.tagOf("me", "slurm", "77", attempt),
                TestNode.CAROL,
                null,
                null,
                List.of(),
                "/tmp",
                null,
                image.reference(),
                image.digest(),
                Share.NONE,
                Network.USER,
                List.of(),
                List.of(
                        new JobRecord.Machine(0, "vm0", "n1", List.of(0), 1, 1L << 28, null),
                        new JobRecord.Machine(1, "vm1", "n2", List.of(), 1, 1L << 28, null)),
                false,
                70_000,
                70_000,
                null,
                null,
                Instant.EPOCH,
                new Additions(
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        null,
                        List.of(PlugIn.one("nfs-server:/shared")),
                        List.of(),
                        false,
                        null),
                null,
                null);
    }

    private Job part() {
        return table.find("77").orElseThrow();
    }

    private void awaitFailure(Job job) {
        long end = System.nanoTime() + 30_000_000_000L;
        Path directory = job.files().directory();
        try {
            while (System.nanoTime() < end) {
                job.requireMachinesAlive();
                second.node().growth().await(directory, second.node().growth().version(directory), 100);
                Thread.onSpinWait();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aPartComesUpOnCoresOfItsNodeAndLeavesNothing() throws IOException {
        First first = new First("n1", 1);
        first.begin();
        assertThat(machines.list()).hasSize(1);
        assertThat(part().record().machinesOn("n2").get(0).cores()).containsExactly(0);
        assertThat(desk.leases()).hasSize(1);
        first.sisters.end(first.job);
        assertThat(machines.list()).isEmpty();
        assertThat(desk.leases()).isEmpty();
        assertThat(part().state()).isEqualTo(JobState.SETTLED);
    }

    @Test
    void anOrderThatIsRepeatedMakesNothingTwice() throws IOException {
        First first = new First("n1", 1);
        first.begin();
        first.sisters.begin(first.job, KEY);
        assertThat(machines.list()).hasSize(1);
    }

    @Test
    void aPartThatNobodyHoldsEndsByItself() throws Exception {
        First first = new First("n1", 1);
        first.begin();
        first.sisters.close();
        assertThat(part().feed().isEnded()).isFalse();
        int seen = 0;
        while (!part().feed().isEnded()) {
            seen += part().feed().from(seen, 10_000).size();
        }
        assertThat(machines.list()).isEmpty();
        assertThat(part().failure().orElseThrow().code()).isEqualTo(ErrorCode.NODE_LOST);
    }

    @Test
    void aNodeThatIsGoneFailsTheJobAfterItsLease() throws IOException {
        First first = new First("n1", 1);
        first.begin();
        server.close();
        assertThatThrownBy(() -> awaitFailure(first.job)).isInstanceOfSatisfying(VseException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.NODE_LOST);
            assertThat(e.what()).contains("'n2'");
        });
        first.sisters.end(first.job);
        assertThat(first.job.feed().first("notice").orElseThrow().path("text").asText())
                .contains("node n2 could not be told");
    }

    @Test
    void aMachineThatDiesElsewhereFailsTheJobWithItsReason() throws IOException {
        First first = new First("n1", 1);
        first.begin();
        machines.end(machines.list().get(0).name(), "crashed");
        assertThatThrownBy(() -> awaitFailure(first.job)).isInstanceOfSatisfying(VseException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.GUEST_DIED);
            assertThat(e.facts()).containsEntry("node", "n2");
        });
    }

    @Test
    void aNewerAttemptEndsTheOlderOne() throws IOException {
        First old = new First("n1", 1);
        old.begin();
        String before = part().record().tag();
        First newer = new First("n1", 2);
        newer.begin();
        assertThat(machines.list()).hasSize(1);
        assertThat(part().record().tag()).isNotEqualTo(before);
        assertThatThrownBy(() -> old.sisters.begin(old.job, KEY))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOB_STATE));
    }

    @Test
    void theWorkersOfAPartMountWhatTheHeadServes() throws IOException {
        First first = new First("n1", 1);
        first.begin();
        first.sisters.join(first.job);
        assertThat(guests.scripts()).endsWith("vse-import");
        PeerNodes nodes = PeerNodes.parse("n2=127.0.0.1:" + address.getPort(), 1);
        String join = "/v1/parts/" + first.job.record().tag() + "/join";
        try (PeerClient stranger = new PeerClient(identity("n3"), nodes, second.json())) {
            assertThatThrownBy(() -> stranger.call("n2", HttpMethod.POST, join, Map.of(), Duration.ofSeconds(10))
                            .join())
                    .hasMessageContaining("only the first node");
        }
    }

    @Test
    void onlyTheFirstNodeOrdersAPart() throws IOException {
        First first = new First("n1", 1);
        assertThatThrownBy(() -> order("n3", new PartOrder(PartOrder.PROTOCOL, first.job.record(), TRAVELLING, 3)))
                .hasMessageContaining("only the first node");
        assertThat(machines.list()).isEmpty();
    }

    @Test
    void anotherProtocolIsRefused() throws IOException {
        First first = new First("n1", 1);
        assertThatThrownBy(() -> order("n1", new PartOrder(PartOrder.PROTOCOL + 1, first.job.record(), TRAVELLING, 3)))
                .hasMessageContaining("versions of VSE do not fit");
    }

    private void order(String from, PartOrder order) {
        PeerNodes nodes = PeerNodes.parse("n2=127.0.0.1:" + address.getPort(), 1);
        try (PeerClient client = new PeerClient(identity(from), nodes, second.json())) {
            client.call("n2", HttpMethod.POST, "/v1/parts", order, Duration.ofSeconds(10))
                    .join();
        }
    }

    @Test
    void aRefusalOfTheNodeIsTheFirstNodesError() throws IOException {
        First first = new First("n1", 1);
        desk.begin(
                record(9)
                        .as(
                                List.of(
                                        new JobRecord.Machine(0, "vm0", "n1", List.of(), 1, 1L << 28, null),
                                        new JobRecord.Machine(1, "vm1", "n2", List.of(0, 1), 2, 1L << 28, null)),
                                1,
                                1),
                (record, files) -> first.job);
        assertThatThrownBy(() -> first.sisters.begin(first.job, KEY))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.facts()).containsEntry("node", "n2"));
    }

    /** Keeps the compiler's eye on what the job's steps are: a hold is the last step of a part. */
    @Test
    void aPartIsBroughtUpByTheStepsOfAJob() {
        PartLeases leases = new PartLeases(LEASE, second.node().growth());
        assertThat(Steps.part(second.node(), leases).names())
                .containsExactly("group", "stage", "share", "connect", "create", "ready", "hold");
        assertThat(Steps.lifecycle(second.node()).names())
                .containsExactly("group", "stage", "share", "connect", "parts", "create", "ready", "run");
    }
}

package org.vse.job.daemon;

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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DirectorySource;
import org.vse.job.lifecycle.Job;
import org.vse.job.peer.PeerClient;
import org.vse.job.peer.PeerIdentity;
import org.vse.job.peer.PeerNodes;
import org.vse.job.step.PartLeases;
import org.vse.job.step.Steps;
import org.vse.process.CommandRunner;
import org.vse.provisioner.fake.FakeDriver;

/**
 * A daemon in a process of its own, real but for its machines, which are files. It runs one short job after another until it
 * is told to become quiet, and may be killed at any moment and started again.
 */
final class LoadedNode {
    static final String HEAD = "h1";
    private static final int AT_ONCE = 2;

    private final Path top;
    private final String name;
    private final int port;

    private LoadedNode(Path top, String name, int port) {
        this.top = top;
        this.name = name;
        this.port = port;
    }

    /** What stands for the machines that run on a node. */
    static Path machines(Path top, String name) {
        return top.resolve(name).resolve("vms");
    }

    /** What its driver has noted of those that ran. */
    static Path ran(Path top, String name) {
        return top.resolve(name).resolve("ran");
    }

    /** Once this is there, the node begins no more jobs, and ends when all is over and at the head. */
    static Path quiet(Path top, String name) {
        return top.resolve("quiet-" + name);
    }

    static Path certificates(Path top, String name) {
        return top.resolve("certs-" + name);
    }

    /** Words: the directory, this node's name, the port of the head. Says {@code ready} when it takes jobs. */
    public static void main(String[] words) throws IOException, InterruptedException {
        new LoadedNode(Path.of(words[0]), words[1], Integer.parseInt(words[2])).run();
    }

    private void run() throws IOException, InterruptedException {
        FakeDriver driver = new FakeDriver(name, machines(top, name), new ScriptedGuest(true));
        driver.recordingTo(ran(top, name));
        JobTable table = new JobTable();
        try (TestNode parts = TestNode.owned(top.resolve(name), driver, name);
                SiteLedger site = SiteLedger.of(top.resolve("vsed.yaml"), name, Clock.systemUTC())) {
            driver.onEnd((machine, why) -> table.ofMachine(machine).ifPresent(job -> {
                job.machineEnded(machine, why);
                parts.node().growth().wake(job.files().directory());
            }));
            List<Job> kept = JobDirectories.open(
                    parts.state(), parts.run(), parts.json(), parts.node().clock());
            kept.forEach(table::add);
            LocalDesk desk = new LocalDesk(
                    parts.node(),
                    parts.config(List.of(0, 1), 10),
                    parts.json(),
                    table,
                    over -> new JobRunner(parts.node(), record -> Steps.lifecycle(parts.node()), over),
                    List.of());
            try (Reaper reaper = new Reaper(parts.node(), parts.run(), table)) {
                reaper.reap();
            }
            LeftJobs.takeUp(parts.node(), kept, desk.runner());
            PeerIdentity identity = PeerIdentity.read(certificates(top, name), name, Instant.now());
            if (name.equals(HEAD)) {
                try (PeerServer server =
                        new PeerServer(head(parts, table, desk, site)::answer, parts.json(), identity)) {
                    server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                    site.begin(parts.node().ledger(), null, parts.json());
                    load(parts, desk);
                }
            } else {
                try (PeerClient client =
                        new PeerClient(identity, PeerNodes.parse(HEAD + "=127.0.0.1:" + port, 1), parts.json())) {
                    site.begin(parts.node().ledger(), client, parts.json());
                    load(parts, desk);
                    awaitArrival(site, parts);
                }
            }
        }
    }

    private static PeerApi head(TestNode parts, JobTable table, LocalDesk desk, SiteLedger site) {
        PartLeases leases = new PartLeases(Duration.ofSeconds(5), parts.node().growth());
        return new PeerApi(
                new Parts(parts.node(), parts.json(), table, desk, leases, new HostUsers(new CommandRunner())),
                new PeerImages(new DirectorySource(parts.node().images().root())),
                parts.json(),
                parts.json().createObjectNode(),
                site.taking(parts.node().ledger()),
                Clock.systemUTC());
    }

    private void load(TestNode parts, LocalDesk desk) throws InterruptedException {
        List<Thread> users = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            Thread user = new Thread(() -> submit(parts, desk), "user-" + i);
            user.start();
            users.add(user);
        }
        System.out.println("ready");
        for (Thread user : users) {
            user.join();
        }
        desk.runner().awaitIdle();
    }

    /** One job after the other. */
    private void submit(TestNode parts, LocalDesk desk) {
        try {
            while (!Files.exists(quiet(top, name))) {
                LocalDesk.Accepted job = desk.accept(parts.admission(TestNode.CAROL));
                for (int seen = 0; !job.feed().isEnded(); ) {
                    seen += job.feed().from(seen, 1_000).size();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Nothing may be pruned that is not at the head. */
    private static void awaitArrival(SiteLedger site, TestNode parts) throws InterruptedException {
        CountDownLatch arrived = new CountDownLatch(1);
        ScheduledExecutorService asking = Executors.newSingleThreadScheduledExecutor();
        var unused = asking.scheduleWithFixedDelay(
                () -> {
                    try {
                        site.prune(parts.node().ledger(), Instant.now());
                        arrived.countDown();
                    } catch (VseException e) {
                        if (e.code() != ErrorCode.JOB_STATE) {
                            throw e;
                        }
                    }
                },
                0,
                100,
                TimeUnit.MILLISECONDS);
        boolean all = arrived.await(2, TimeUnit.MINUTES);
        asking.shutdownNow();
        if (!all) {
            throw new IllegalStateException("the head does not take what happened here");
        }
    }
}

package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.job.peer.SiteAuthority;
import org.vse.job.step.VmAccount;
import org.vse.ledger.Ending;
import org.vse.ledger.Ledger;
import org.vse.ledger.VmInterval;
import org.vse.ledger.VmIntervalQuery;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.fake.FakeDriver;

/**
 * The daemons of a node and of the head are killed under load, at moments that a seed decides ({@code -Dvse.seed=N} for the
 * same ones again): while they start, take up what was left, run jobs, send and take events. Afterwards the ledger of the head
 * is what the drivers of both have noted themselves.
 */
@Tag("system")
@Tag("full")
@Timeout(1800)
class KilledDaemonsSystemTest {
    private static final int KILLS = Integer.getInteger("vse.kills", 200);
    private static final int SIGKILL = 9;
    private static final int LONGEST_LIFE_MILLIS = 1_500;
    private static final int LONGEST_START_MILLIS = 2_500;

    /** Between what a driver does and what the daemon notes of it there is another process's share of the processor. */
    private static final Duration APART = Duration.ofSeconds(5);

    private static final List<String> NAMES = List.of("n1", LoadedNode.HEAD);

    @TempDir
    Path top;

    private final Map<String, Process> daemons = new HashMap<>();
    private int port;

    @BeforeEach
    void prepare() throws IOException {
        Path disk = top.resolve("disk.qcow2");
        new CommandRunner()
                .run(Command.of("qemu-img", "create", "-q", "-f", "qcow2", disk.toString(), "1M"))
                .orThrow("making a disk");
        SiteAuthority authority = new SiteAuthority(top.resolve("ca"));
        authority.init("here", Duration.ofDays(1), Instant.now());
        Files.writeString(top.resolve("vsed.yaml"), "head: " + LoadedNode.HEAD + "\n");
        for (String name : NAMES) {
            authority.issue(name, LoadedNode.certificates(top, name), Duration.ofDays(1), Instant.now());
            Files.createDirectories(LoadedNode.machines(top, name));
            Files.createDirectories(LoadedNode.ran(top, name));
            FakeDriver none = new FakeDriver(name, LoadedNode.machines(top, name), new ScriptedGuest(true));
            try (TestNode node = TestNode.owned(top.resolve(name), none, name)) {
                node.publish(Files.readAllBytes(disk), Set.of());
            }
        }
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
    }

    @AfterEach
    void endAll() {
        daemons.values().forEach(Process::destroyForcibly);
    }

    private void start(String name) {
        List<String> argv = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                LoadedNode.class.getName(),
                top.toString(),
                name,
                Integer.toString(port));
        daemons.put(name, new CommandRunner().startReporting(Command.of(argv), top.resolve(name + ".log")));
    }

    private Process daemon(String name) {
        return java.util.Objects.requireNonNull(daemons.get(name));
    }

    private String log(String name) throws IOException {
        return Files.readString(top.resolve(name + ".log"));
    }

    /** Lets a daemon live that long, then kills it. */
    private void kill(String name, int millis) throws IOException, InterruptedException {
        Process daemon = daemon(name);
        assertThat(daemon.waitFor(millis, TimeUnit.MILLISECONDS))
                .as(() -> name + " ended by itself")
                .isFalse();
        assertThat(ProcessIdentity.of(daemon.pid()).orElseThrow().signal(SIGKILL))
                .isTrue();
        daemon.waitFor();
    }

    private void awaitReady(String name) throws IOException {
        BufferedReader out = new BufferedReader(
                new java.io.InputStreamReader(daemon(name).getInputStream(), StandardCharsets.UTF_8));
        for (String line = out.readLine(); !"ready".equals(line); line = out.readLine()) {
            assertThat(line).as(log(name)).isNotNull();
        }
    }

    private String threads(String name) {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        return new CommandRunner()
                .run(Command.of(jcmd, Long.toString(daemon(name).pid()), "Thread.print")
                        .withTimeout(Duration.ofSeconds(30)))
                .stdout();
    }

    private void finish(String name) throws IOException, InterruptedException {
        Files.createFile(LoadedNode.quiet(top, name));
        assertThat(daemon(name).waitFor(3, TimeUnit.MINUTES))
                .as(() -> name + " comes to rest, which does\n" + threads(name))
                .isTrue();
        assertThat(daemon(name).exitValue()).as(log(name)).isZero();
    }

    @Test
    void afterTwoHundredKillsTheLedgerOfTheHeadIsWhatRan(TestReporter reporter)
            throws IOException, InterruptedException {
        long seed = Long.getLong("vse.seed", System.nanoTime());
        reporter.publishEntry("seed", Long.toString(seed));
        Random random = new Random(seed);
        NAMES.forEach(this::start);
        for (int kills = 0; kills < KILLS; kills++) {
            String name = NAMES.get(random.nextInt(NAMES.size()));
            if (random.nextInt(4) == 0) {
                kill(name, random.nextInt(LONGEST_START_MILLIS));
            } else {
                awaitReady(name);
                kill(name, random.nextInt(LONGEST_LIFE_MILLIS));
            }
            start(name);
        }
        for (String name : NAMES) {
            finish(name);
        }
        Map<UUID, FakeDriver.Ran> ran = new HashMap<>();
        for (String name : NAMES) {
            try (Stream<Path> left = Files.list(LoadedNode.machines(top, name))) {
                assertThat(left)
                        .as("machines of %s that run, seed %d", name, seed)
                        .isEmpty();
            }
            for (FakeDriver.Ran each : FakeDriver.ran(LoadedNode.ran(top, name))) {
                assertThat(ran.put(VmAccount.interval(each.label()), each)).isNull();
            }
        }
        try (Ledger ledger = Ledger.open(top.resolve(LoadedNode.HEAD).resolve("state/ledger"))) {
            Map<UUID, VmInterval> told = ledger.intervals(VmIntervalQuery.all()).stream()
                    .collect(Collectors.toMap(VmInterval::id, interval -> interval));
            assertThat(told.keySet()).as("seed %d", seed).isEqualTo(ran.keySet());
            told.forEach((id, interval) -> assertAgree(interval, java.util.Objects.requireNonNull(ran.get(id)), seed));
            reporter.publishEntry("intervals", Integer.toString(told.size()));
            assertThat(told).hasSizeGreaterThan(KILLS / 4);
        }
    }

    private static void assertAgree(VmInterval interval, FakeDriver.Ran ran, long seed) {
        Ending ending = interval.ending();
        assertThat(ending).as("%s is over, seed %d", interval, seed).isNotNull();
        assertThat(Duration.between(ran.started(), interval.started()).abs())
                .as("start of %s beside %s, seed %d", interval, ran, seed)
                .isLessThan(APART);
        assertThat(Duration.between(
                                ran.ended(),
                                java.util.Objects.requireNonNull(ending).ended())
                        .abs())
                .as("end of %s beside %s, seed %d", interval, ran, seed)
                .isLessThan(APART);
    }
}

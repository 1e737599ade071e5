package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobState;
import org.vse.job.step.Steps;
import org.vse.ledger.Ending;
import org.vse.ledger.VmEnd;
import org.vse.ledger.VmInterval;
import org.vse.ledger.VmIntervalQuery;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeDriver.Call;
import org.vse.provisioner.fake.Fault;

/** The whole life of a job over a driver that fails, hangs and dies. Needs qemu-img and ssh-keygen, no machine. */
@Tag("system")
@Timeout(60)
class JobLifeSystemTest {
    @TempDir
    Path dir;

    private final List<AutoCloseable> open = new ArrayList<>();
    private byte[] disk = {};

    /** One daemon's worth of parts; several may follow each other on one directory. */
    private final class Daemon {
        final FakeDriver driver;
        final ScriptedGuest guest;
        final TestNode parts;
        final JobTable table = new JobTable();
        final LocalDesk desk;

        Daemon(boolean scriptEnds) throws IOException {
            guest = new ScriptedGuest(scriptEnds);
            driver = new FakeDriver("me", Files.createDirectories(dir.resolve("vms")), guest);
            parts = new TestNode(dir, driver);
            open.add(0, parts);
            driver.onEnd((name, why) -> table.ofMachine(name).ifPresent(job -> {
                job.machineEnded(name, why);
                parts.node().growth().wake(job.files().directory());
            }));
            List<Job> kept = JobDirectories.open(
                    parts.state(), parts.run(), parts.json(), parts.node().clock());
            kept.forEach(table::add);
            desk = new LocalDesk(
                    parts.node(),
                    parts.config(List.of(0, 1), 10),
                    parts.json(),
                    table,
                    whenOver -> new JobRunner(parts.node(), record -> Steps.lifecycle(parts.node()), whenOver),
                    List.of());
            try (Reaper reaper = new Reaper(parts.node(), parts.run(), table)) {
                reaper.reap();
            }
            LeftJobs.takeUp(parts.node(), kept, desk.runner());
        }

        LocalDesk.Accepted run() throws IOException {
            parts.publish(disk, Set.of());
            return desk.accept(parts.admission(TestNode.CAROL));
        }

        Job job(String id) {
            return table.find(id).orElseThrow();
        }

        /** This daemon's process is gone: what it held is free, its threads see nothing any more. */
        void gone() {
            parts.close();
            open.remove(parts);
        }
    }

    @BeforeEach
    void makeDisk() throws IOException {
        Path file = dir.resolve("disk.qcow2");
        new CommandRunner()
                .run(Command.of("qemu-img", "create", "-q", "-f", "qcow2", file.toString(), "1M"))
                .orThrow("making a disk");
        disk = Files.readAllBytes(file);
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private static List<String> awaitEnd(EventFeed feed) throws InterruptedException {
        List<String> lines = new ArrayList<>();
        while (!lines.stream().anyMatch(line -> line.contains("\"event\":\"settled\""))) {
            List<String> more = feed.from(lines.size(), 20_000);
            assertThat(more).as("after %s", lines).isNotEmpty();
            lines.addAll(more);
        }
        return lines;
    }

    private static void awaitEvent(EventFeed feed, String text) throws InterruptedException {
        int seen = 0;
        while (true) {
            List<String> more = feed.from(seen, 20_000);
            assertThat(more).as("waiting for %s", text).isNotEmpty();
            seen += more.size();
            if (more.stream().anyMatch(line -> line.contains(text))) {
                return;
            }
        }
    }

    private void assertNothingLeft(Daemon daemon, String id) throws IOException {
        Job job = daemon.job(id);
        assertThat(job.state().isFinal()).isTrue();
        assertThat(job.journal().begun()).isEmpty();
        try (Stream<Path> machines = Files.list(dir.resolve("vms"))) {
            assertThat(machines).isEmpty();
        }
        assertThat(job.files().disk(0)).doesNotExist();
        assertThat(job.files().sockets()).doesNotExist();
        assertThat(job.files().share()).doesNotExist();
        assertThat(job.files().key()).doesNotExist();
        assertThat(daemon.desk.active()).isEmpty();
        assertThat(daemon.parts.node().ledger().intervals(VmIntervalQuery.all()))
                .allMatch(interval -> interval.ending() != null);
    }

    private static List<VmEnd> ends(Daemon daemon) {
        return daemon.parts.node().ledger().intervals(VmIntervalQuery.all()).stream()
                .map(interval ->
                        java.util.Objects.requireNonNull(interval.ending()).why())
                .collect(Collectors.toList());
    }

    @Test
    void aJobRunsAndLeavesItsOutputOnly() throws Exception {
        Daemon daemon = new Daemon(true);
        LocalDesk.Accepted accepted = daemon.run();
        List<String> events = awaitEnd(accepted.feed());
        assertThat(events).anyMatch(line -> line.contains("\"event\":\"ended\",\"exitCode\":7"));
        assertThat(events.stream()
                        .filter(line -> line.contains("\"event\":\"step\""))
                        .map(line -> line.replaceAll(".*\"step\":\"([a-z]+)\".*", "$1")))
                .containsExactly("group", "stage", "share", "connect", "parts", "create", "ready", "run");
        Job job = daemon.job(accepted.id());
        assertThat(job.state()).isEqualTo(JobState.SETTLED);
        assertThat(Files.readString(job.files().stdout())).isEqualTo("hello\n");
        assertNothingLeft(daemon, accepted.id());
        assertThat(ends(daemon)).containsExactly(VmEnd.FINISHED);
    }

    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"START", "AGENT"})
    void aCallThatFailsFailsTheJobByName(Call call) throws Exception {
        int calls = call == Call.START ? 1 : 5;
        for (int passing = 0; passing < calls; passing++) {
            Daemon daemon = new Daemon(true);
            daemon.driver.inject(call, passing, new Fault.Fail(VseException.of(ErrorCode.LIBVIRT_FAILED, "as asked")));
            LocalDesk.Accepted accepted = daemon.run();
            assertThat(awaitEnd(accepted.feed()))
                    .as("%s after %d", call, passing)
                    .anyMatch(line -> line.contains("\"code\":\"LIBVIRT_FAILED\""));
            assertThat(daemon.job(accepted.id()).state()).isEqualTo(JobState.FAILED);
            assertNothingLeft(daemon, accepted.id());
            daemon.gone();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"FIND", "USAGE", "DESTROY"})
    void takingDownSurvivesACallThatFails(Call call) throws Exception {
        Daemon daemon = new Daemon(true);
        daemon.driver.inject(call, new Fault.Fail(VseException.of(ErrorCode.LIBVIRT_FAILED, "as asked")));
        LocalDesk.Accepted accepted = daemon.run();
        awaitEnd(accepted.feed());
        assertThat(daemon.job(accepted.id()).state()).isEqualTo(JobState.SETTLED);
        assertNothingLeft(daemon, accepted.id());
    }

    @Test
    void whatCannotBeTakenDownIsTakenDownByTheNextDaemon() throws Exception {
        Daemon daemon = new Daemon(true);
        for (int i = 0; i < 2; i++) {
            daemon.driver.inject(Call.DESTROY, new Fault.Fail(VseException.of(ErrorCode.LIBVIRT_FAILED, "as asked")));
        }
        LocalDesk.Accepted accepted = daemon.run();
        assertThat(awaitEnd(accepted.feed())).anyMatch(line -> line.contains("it will be tried again"));
        assertThat(daemon.job(accepted.id()).state()).isEqualTo(JobState.RUNNING);
        assertThat(daemon.desk.active()).containsExactly(accepted.id());
        daemon.desk.runner().awaitIdle();
        daemon.gone();

        Daemon next = new Daemon(true);
        next.desk.runner().awaitIdle();
        assertThat(next.job(accepted.id()).state()).isEqualTo(JobState.SETTLED);
        assertNothingLeft(next, accepted.id());
    }

    @Test
    void aCancelTakesDownAgainWhatCouldNotBeTakenDown() throws Exception {
        Daemon daemon = new Daemon(true);
        for (int i = 0; i < 2; i++) {
            daemon.driver.inject(Call.DESTROY, new Fault.Fail(VseException.of(ErrorCode.LIBVIRT_FAILED, "as asked")));
        }
        LocalDesk.Accepted accepted = daemon.run();
        awaitEnd(accepted.feed());
        daemon.desk.runner().awaitIdle();
        daemon.desk.cancel(accepted.id());
        daemon.desk.runner().awaitIdle();
        assertThat(daemon.job(accepted.id()).state()).isEqualTo(JobState.SETTLED);
        assertNothingLeft(daemon, accepted.id());
    }

    @Test
    void aGuestThatNeverAnswersIsABootTimeout() throws Exception {
        Daemon daemon = new Daemon(true);
        daemon.driver.inject(Call.AGENT, new Fault.Hang());
        daemon.driver.inject(Call.AGENT, new Fault.Hang());
        daemon.driver.inject(Call.AGENT, new Fault.Hang());
        LocalDesk.Accepted accepted = daemon.run();
        assertThat(awaitEnd(accepted.feed())).anyMatch(line -> line.contains("\"code\":\"BOOT_TIMEOUT\""));
        assertNothingLeft(daemon, accepted.id());
        assertThat(ends(daemon)).containsExactly(VmEnd.FAILED);
    }

    @Test
    void aStartThatHangsEndsWithACancel() throws Exception {
        Daemon daemon = new Daemon(true);
        daemon.driver.inject(Call.START, new Fault.Hang());
        LocalDesk.Accepted accepted = daemon.run();
        awaitEvent(accepted.feed(), "\"step\":\"create\"");
        daemon.desk.cancel(accepted.id());
        assertThat(awaitEnd(accepted.feed())).anyMatch(line -> line.contains("\"code\":\"JOB_CANCELLED\""));
        assertNothingLeft(daemon, accepted.id());
    }

    @Test
    void aCancelledScriptIsEndedInOrder() throws Exception {
        Daemon daemon = new Daemon(false);
        LocalDesk.Accepted accepted = daemon.run();
        awaitEvent(accepted.feed(), "\"event\":\"running\"");
        daemon.desk.cancel(accepted.id());
        List<String> events = awaitEnd(accepted.feed());
        assertThat(events).anyMatch(line -> line.contains("\"exitCode\":143"));
        assertThat(events).anyMatch(line -> line.contains("\"code\":\"JOB_CANCELLED\""));
        assertNothingLeft(daemon, accepted.id());
        assertThat(ends(daemon)).containsExactly(VmEnd.CANCELLED);
    }

    @Test
    void aMachineThatEndsWhileTheScriptRunsIsNamedWithItsConsole() throws Exception {
        Daemon daemon = new Daemon(false);
        LocalDesk.Accepted accepted = daemon.run();
        awaitEvent(accepted.feed(), "\"event\":\"running\"");
        daemon.guest.machine().print("Kernel panic - not syncing\n");
        daemon.guest.machine().end("crashed");
        assertThat(awaitEnd(accepted.feed()))
                .anyMatch(line -> line.contains("\"code\":\"GUEST_DIED\"") && line.contains("Kernel panic"));
        assertNothingLeft(daemon, accepted.id());
        assertThat(ends(daemon)).containsExactly(VmEnd.DIED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"START BEFORE", "START AFTER", "AGENT BEFORE", "AGENT AFTER"})
    void aDaemonThatDiesBeforeTheScriptRunsIsCleanedUpAfter(String where) throws Exception {
        String[] words = where.split(" ");
        Daemon daemon = new Daemon(true);
        daemon.driver.inject(Call.valueOf(words[0]), new Fault.Die(Fault.When.valueOf(words[1])));
        LocalDesk.Accepted accepted = daemon.run();
        daemon.desk.runner().awaitIdle();
        assertThat(accepted.feed().isEnded()).isFalse();
        daemon.gone();

        Daemon next = new Daemon(true);
        next.desk.runner().awaitIdle();
        assertThat(next.job(accepted.id()).failure().map(VseException::code)).contains(ErrorCode.STEP_INTERRUPTED);
        assertNothingLeft(next, accepted.id());
        assertThat(ends(next)).as("machines that ran").hasSize(where.equals("START BEFORE") ? 0 : 1);
        next.gone();

        Daemon third = new Daemon(true);
        assertThat(third.job(accepted.id()).failure().map(VseException::code)).contains(ErrorCode.STEP_INTERRUPTED);
        assertThat(third.job(accepted.id()).feed().isEnded()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIND BEFORE", "USAGE AFTER", "DESTROY BEFORE", "DESTROY AFTER"})
    void aDaemonThatDiesWhileTakingDownLosesNoExitCode(String where) throws Exception {
        String[] words = where.split(" ");
        Daemon daemon = new Daemon(true);
        daemon.driver.inject(Call.valueOf(words[0]), new Fault.Die(Fault.When.valueOf(words[1])));
        LocalDesk.Accepted accepted = daemon.run();
        daemon.desk.runner().awaitIdle();
        daemon.gone();

        Daemon next = new Daemon(true);
        next.desk.runner().awaitIdle();
        Job job = next.job(accepted.id());
        assertThat(job.state()).isEqualTo(JobState.SETTLED);
        assertThat(job.outcome().orElseThrow().exitCode()).isEqualTo(7);
        assertThat(awaitEnd(job.feed()).stream().filter(line -> line.contains("\"event\":\"ended\"")))
                .hasSize(1);
        assertNothingLeft(next, accepted.id());
    }

    @Test
    void aScriptThatEndsWithoutADaemonIsFoundByTheNext() throws Exception {
        Daemon daemon = new Daemon(false);
        LocalDesk.Accepted accepted = daemon.run();
        awaitEvent(accepted.feed(), "\"event\":\"running\"");
        Job first = daemon.job(accepted.id());
        byte[] journal = Files.readAllBytes(first.files().journal());
        byte[] events = Files.readAllBytes(first.files().events());
        daemon.driver.inject(Call.FIND, new Fault.Die(Fault.When.BEFORE));
        daemon.guest.endScript(daemon.guest.machine());
        daemon.desk.runner().awaitIdle();
        // As if that daemon had died before it saw the end.
        Files.delete(first.files().outcome());
        Files.write(first.files().journal(), journal);
        Files.write(first.files().events(), events);
        daemon.gone();

        Daemon next = new Daemon(false);
        next.desk.runner().awaitIdle();
        Job job = next.job(accepted.id());
        assertThat(job.state()).isEqualTo(JobState.SETTLED);
        assertThat(job.outcome().orElseThrow().exitCode()).isEqualTo(7);
        assertThat(job.feed().from(0, 0).stream().filter(line -> line.contains("\"event\":\"running\"")))
                .hasSize(1);
        assertNothingLeft(next, accepted.id());
    }

    /** The host was switched off, and nobody looked for days. */
    @Test
    void aMachineThatEndedUnseenIsAccountedToItsLastSignOnly() throws Exception {
        Daemon daemon = new Daemon(false);
        LocalDesk.Accepted accepted = daemon.run();
        awaitEvent(accepted.feed(), "\"event\":\"running\"");
        daemon.driver.inject(Call.FIND, new Fault.Die(Fault.When.BEFORE));
        daemon.driver.end(daemon.driver.started().get(0).name(), "power off");
        daemon.desk.runner().awaitIdle();
        daemon.gone();
        Instant before = Instant.now();

        Daemon next = new Daemon(false);
        next.desk.runner().awaitIdle();
        VmInterval interval =
                next.parts.node().ledger().intervals(VmIntervalQuery.all()).get(0);
        Ending ending = java.util.Objects.requireNonNull(interval.ending());
        assertThat(ending.evidence()).contains("was gone afterwards");
        assertThat(ending.ended()).isBefore(before);
        assertThat(ending.ended()).isAfterOrEqualTo(interval.started());
        assertNothingLeft(next, accepted.id());
    }

    @Test
    void aMachineOfNoJobIsEnded() throws Exception {
        Daemon daemon = new Daemon(false);
        LocalDesk.Accepted accepted = daemon.run();
        awaitEvent(accepted.feed(), "\"event\":\"running\"");
        daemon.driver.inject(Call.FIND, new Fault.Die(Fault.When.BEFORE));
        daemon.guest.endScript(daemon.guest.machine());
        daemon.desk.runner().awaitIdle();
        JobDirectories.delete(daemon.job(accepted.id()).files());
        daemon.gone();
        Daemon next = new Daemon(false);
        assertThat(next.driver.list()).isEmpty();
    }

    @Test
    void descriptorsDoNotGrowWithJobs() throws Exception {
        Daemon daemon = new Daemon(true);
        awaitEnd(daemon.run().feed());
        daemon.desk.runner().awaitIdle();
        long before = descriptors();
        for (int i = 0; i < 5; i++) {
            awaitEnd(daemon.run().feed());
        }
        daemon.desk.runner().awaitIdle();
        assertThat(descriptors()).isLessThanOrEqualTo(before);
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }
}

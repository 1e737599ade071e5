package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vse.ledger.Events.T0;
import static org.vse.ledger.Events.closed;
import static org.vse.ledger.Events.interval;
import static org.vse.ledger.Events.machine;
import static org.vse.ledger.Events.opened;
import static org.vse.ledger.Events.running;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** What every database of the ledger must do. */
abstract class LedgerContract {
    @TempDir
    Path directory;

    Ledger ledger;

    /** Opens the ledger of a directory on the database under test. */
    abstract Ledger open(Path directory);

    @BeforeEach
    void openLedger() {
        ledger = open(directory);
    }

    @AfterEach
    void closeLedger() {
        ledger.close();
    }

    void reopen() {
        ledger.close();
        ledger = open(directory);
    }

    List<VmInterval> all() {
        return ledger.intervals(VmIntervalQuery.all());
    }

    @Test
    void aNewLedgerIsEmpty() {
        assertThat(all()).isEmpty();
    }

    @Test
    void aRunIsOpenUntilItIsClosed() {
        var run = opened("7", T0);
        var end = closed(run, Duration.ofMinutes(3));
        ledger.record(run);
        assertThat(all()).containsExactly(running(run));
        ledger.record(end);
        assertThat(all()).containsExactly(interval(run, end));
    }

    @Test
    void whatWasRecordedSurvivesAReopening() {
        var run = opened("7", T0);
        var end = closed(run, Duration.ofMinutes(3));
        ledger.record(List.of(run, end));
        reopen();
        assertThat(all()).containsExactly(interval(run, end));
    }

    @Test
    void whatIsUnknownStaysUnknown() {
        var bare = new Machine("vm", 0, "n1", List.of(), 1, 1L << 20, "i", "d", "KVM");
        var run = opened("7", new Submitter("bob", 0, null), bare, T0);
        var end = closed(run, new Ending(T0, VmEnd.LOST, null, null));
        ledger.record(List.of(run, end));
        assertThat(all()).containsExactly(interval(run, end));
    }

    @Test
    void anEventRecordedAgainChangesNothing() {
        var run = opened("7", T0);
        var end = closed(run, Duration.ofMinutes(3));
        ledger.record(List.of(run, end));
        ledger.record(List.of(end, run, end));
        reopen();
        ledger.record(run);
        assertThat(all()).containsExactly(interval(run, end));
    }

    @Test
    void aCloseMayComeBeforeItsOpen() {
        var run = opened("7", T0);
        var end = closed(run, Duration.ofMinutes(3));
        ledger.record(end);
        assertThat(all()).isEmpty();
        ledger.record(run);
        assertThat(all()).containsExactly(interval(run, end));
    }

    @Test
    void anyOrderOfTheSameEventsGivesTheSameLedger() {
        var run = opened("7", T0);
        var other = opened("8", T0.plusSeconds(1));
        var first = closed(run, new Ending(T0.plusSeconds(60), VmEnd.DIED, null, null));
        var second = closed(run, new Ending(T0.plusSeconds(61), VmEnd.REAPED, 1L, 2L));
        var tie = closed(run, new Ending(T0.plusSeconds(60), VmEnd.LOST, null, null));
        var winner = first.id().toString().compareTo(tie.id().toString()) < 0 ? first : tie;
        List<LedgerEvent> events = new ArrayList<>(List.of(run, other, first, second, tie));
        for (int seed = 0; seed < 30; seed++) {
            Collections.shuffle(events, new Random(seed));
            try (Ledger shuffled = open(directory.resolve("order-" + seed))) {
                events.forEach(shuffled::record);
                assertThat(shuffled.intervals(VmIntervalQuery.all()))
                        .as("seed %s", seed)
                        .containsExactly(interval(run, winner), running(other));
            }
        }
    }

    @Test
    void severalRunsOfOneMachineAreSeveralIntervals() {
        var first = opened("7", T0);
        var again = opened("7", T0.plusSeconds(100));
        var end = closed(first, Duration.ofSeconds(50));
        ledger.record(List.of(first, again, end));
        assertThat(all()).containsExactly(interval(first, end), running(again));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "o'brien",
                "\"quoted\"",
                "'; DROP TABLE vm_run; --",
                "two\nlines\r\n",
                "🦄 größe 漢字",
                "a\\b\u001b[31m",
                "%_?,{}[]",
                " padded ",
                "\u2028\u0007"
            })
    void everyTextComesBackAsItWas(String text) {
        var hostile = new Machine(text, 3, text, List.of(7), 1, 1L << 30, text, text, text);
        var job = new JobKey(text, text, text, 12);
        var who = new Submitter(text, 1, text);
        var run = new LedgerEvent.VmOpened(UUID.randomUUID(), T0, job, who, hostile, T0);
        var harmless = opened("7", T0.plusSeconds(1));
        ledger.record(List.of(run, harmless));
        ledger.record(new LedgerEvent.JobSettled(UUID.randomUUID(), T0, job, who, 0));
        reopen();
        assertThat(all()).containsExactly(running(run), running(harmless));
        assertThat(ledger.intervals(VmIntervalQuery.all()
                        .ofCluster(text)
                        .ofUser(text)
                        .onNode(text)
                        .ofImage(text)
                        .ofJob(text)))
                .containsExactly(running(run));
        assertThat(ledger.outcomes(job)).hasSize(1);
    }

    @Test
    void theWindowHoldsWhatOverlapsIt() {
        var run = opened("7", T0);
        var end = closed(run, Duration.ofSeconds(10));
        var open = opened("8", T0.plusSeconds(20));
        var instant = opened("9", T0.plusSeconds(5));
        var atOnce = closed(instant, Duration.ZERO);
        ledger.record(List.of(run, end, open, instant, atOnce));

        assertThat(jobs(0, 10)).containsExactly("7", "9");
        assertThat(jobs(-5, 0)).as("until is exclusive").isEmpty();
        assertThat(jobs(10, 20)).as("an end is exclusive").isEmpty();
        assertThat(jobs(9, 21)).containsExactly("7", "8");
        assertThat(jobs(3, 4)).as("a run around the window").containsExactly("7");
        assertThat(jobs(5, 6)).as("a run without length").containsExactly("7", "9");
        assertThat(jobs(1000, 2000)).as("an open run goes on").containsExactly("8");
        assertThat(ledger.intervals(VmIntervalQuery.all().between(Instant.MIN, Instant.MAX)))
                .hasSize(3);
    }

    @Test
    void filtersAreJoinedByAnd() {
        var alice = opened("7", T0);
        var bob = opened("8", new Submitter("bob", 1001, "long"), machine("n2", 1, List.of()), T0.plusSeconds(1));
        var end = closed(bob, Duration.ofSeconds(5));
        ledger.record(List.of(alice, bob, end));
        var all = VmIntervalQuery.all();

        assertThat(ledger.intervals(all.ofUser("bob"))).containsExactly(interval(bob, end));
        assertThat(ledger.intervals(all.onNode("n1"))).containsExactly(running(alice));
        assertThat(ledger.intervals(all.ofJob("8"))).containsExactly(interval(bob, end));
        assertThat(ledger.intervals(all.ofImage("debian-12"))).hasSize(2);
        assertThat(ledger.intervals(all.ofImage(Events.DIGEST))).hasSize(2);
        assertThat(ledger.intervals(all.ofCluster("elsewhere"))).isEmpty();
        assertThat(ledger.intervals(all.ofUser("bob").onNode("n1"))).isEmpty();
        assertThat(ledger.intervals(all.running())).containsExactly(running(alice));
        assertThat(ledger.intervals(all.ofUser("ALICE"))).as("case counts").isEmpty();
    }

    @Test
    void outcomesAreKept() {
        var job = Events.job("7");
        var next = new JobKey(job.cluster(), job.scheduler(), job.id(), 2);
        var who = Events.ALICE;
        ledger.record(List.of(
                new LedgerEvent.JobFailed(UUID.randomUUID(), T0, job, who, ErrorCode.BOOT_TIMEOUT),
                new LedgerEvent.JobSettled(UUID.randomUUID(), T0.plusSeconds(9), next, who, 137),
                new LedgerEvent.JobRefused(UUID.randomUUID(), T0, Events.job("8"), who, ErrorCode.IMAGE_UNKNOWN)));
        reopen();
        assertThat(ledger.outcomes(job))
                .containsExactly(new JobOutcome(job, who, T0, JobOutcome.Kind.FAILED, ErrorCode.BOOT_TIMEOUT, null));
        assertThat(ledger.outcomes(next))
                .containsExactly(new JobOutcome(next, who, T0.plusSeconds(9), JobOutcome.Kind.SETTLED, null, 137));
        assertThat(ledger.outcomes(Events.job("8")))
                .extracting(JobOutcome::kind, JobOutcome::code)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(JobOutcome.Kind.REFUSED, ErrorCode.IMAGE_UNKNOWN));
        assertThat(ledger.outcomes(Events.job("9"))).isEmpty();
    }

    @Test
    void aLedgerIsOpenOnce() {
        assertThatThrownBy(() -> open(directory))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.LEDGER_FAILED))
                .hasMessageContaining("in use by another process");
        ledger.record(opened("7", T0));
        assertThat(all()).hasSize(1);
    }

    @Test
    void eventsMayComeFromSeveralThreads() throws InterruptedException {
        List<Thread> threads = IntStream.range(0, 4)
                .mapToObj(n -> new Thread(() -> {
                    for (int i = 0; i < 25; i++) {
                        ledger.record(opened(n + "." + i, T0));
                        all();
                    }
                }))
                .toList();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(all()).hasSize(100);
        reopen();
        assertThat(all()).hasSize(100);
    }

    @Test
    void whatIsKnownOfAMachineIsKept() {
        var who = new Submitter("alice", 1000, "users", "batch", "physics", 3);
        var vm = new Machine("vm1", 1, "n1", List.of(4, 5), List.of(0, 1), 2, 1L << 30, "i", "d", "KVM");
        var run = opened("7[3]", who, vm, T0);
        var end = closed(run, new Ending(T0.plusSeconds(9), VmEnd.CHECKPOINTED, 1L, 2L, 3L, 4L, null));
        ledger.record(List.of(run, end));
        reopen();
        assertThat(all()).containsExactly(interval(run, end));
        assertThat(all().get(0).machine().role()).isEqualTo("other");
        var all = VmIntervalQuery.all();
        assertThat(ledger.intervals(all.inQueue("batch").ofAccount("physics"))).hasSize(1);
        assertThat(ledger.intervals(all.inQueue("long"))).isEmpty();
        assertThat(ledger.intervals(all.ofAccount("biology"))).isEmpty();
    }

    @Test
    void theNewestAreListedWhereThereIsALimit() {
        for (int i = 0; i < 5; i++) {
            ledger.record(opened("" + i, T0.plusSeconds(i)));
        }
        assertThat(ledger.intervals(VmIntervalQuery.all().newest(2)))
                .extracting(run -> run.job().id())
                .containsExactly("3", "4");
        assertThat(ledger.usage(Grouping.JOBS, VmIntervalQuery.all().newest(2), T0.plusSeconds(9)))
                .extracting(usage -> usage.key().get(0))
                .containsExactly("3", "4");
    }

    @Test
    void momentsOfJobsAreKept() {
        var job = Events.job("7");
        ledger.record(List.of(
                new LedgerEvent.JobAdmitted(UUID.randomUUID(), T0, job, Events.ALICE, "i", "d", List.of("n1", "n2")),
                new LedgerEvent.ImageFetched(
                        UUID.randomUUID(), T0.plusSeconds(1), job, "n2", "i", "d", 5L, Duration.ofMillis(1500)),
                new LedgerEvent.Checkpointed(
                        UUID.randomUUID(), T0.plusSeconds(2), job, "n1", "7-1", 9L, Duration.ofMillis(300)),
                new LedgerEvent.Restored(
                        UUID.randomUUID(), T0.plusSeconds(3), job, "n3", "7-1", 9L, Duration.ofSeconds(4))));
        reopen();
        assertThat(ledger.marks(VmIntervalQuery.all()))
                .extracting(JobMark::kind, JobMark::node)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(JobMark.Kind.ADMITTED, "n1"),
                        org.assertj.core.groups.Tuple.tuple(JobMark.Kind.IMAGE_FETCHED, "n2"),
                        org.assertj.core.groups.Tuple.tuple(JobMark.Kind.CHECKPOINTED, "n1"),
                        org.assertj.core.groups.Tuple.tuple(JobMark.Kind.RESTORED, "n3"));
    }

    /** The sums of every grouping are those of the intervals, for any window; and windows add up. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void sumsAreThoseOfTheIntervals(long seed) {
        ledger.record(new Cluster(seed).fill(4, 60).events());
        Instant now = Cluster.NOON.plusSeconds(60);
        Random random = new Random(seed);
        for (int i = 0; i < 4; i++) {
            Instant since = i == 0 ? null : Cluster.NOON.minusSeconds(random.nextInt(20_000));
            Instant until = i == 1 ? null : Cluster.NOON.minusSeconds(random.nextInt(4000));
            var query =
                    VmIntervalQuery.all().between(since, since == null || until == null ? until : max(since, until));
            Instant from = since == null ? Instant.MIN : since;
            Instant to = query.until() == null ? now : query.until();
            List<VmInterval> runs = ledger.intervals(query);
            long exact = runs.stream()
                    .mapToLong(run -> run.coreTime(from, to).toNanos() / 1000)
                    .sum();
            for (Grouping grouping : Grouping.values()) {
                Usage total =
                        new UsageReport(grouping, ledger.usage(grouping, query, now), false, since, until, now).total();
                assertThat(total.vms()).as("%s %s", grouping, query).isEqualTo(runs.size());
                assertThat(total.coreMicros()).as("%s %s", grouping, query).isEqualTo(exact);
            }
        }
        Instant cut = Cluster.NOON.minusSeconds(7777);
        Usage whole = total(VmIntervalQuery.all(), now);
        Usage before = total(VmIntervalQuery.all().between(null, cut), now);
        Usage after = total(VmIntervalQuery.all().between(cut, null), now);
        assertThat(before.coreMicros() + after.coreMicros()).isEqualTo(whole.coreMicros());
        assertThat(before.cpuMicros() + after.cpuMicros()).isEqualTo(whole.cpuMicros());
    }

    private static Instant max(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private Usage total(VmIntervalQuery query, Instant now) {
        return new UsageReport(Grouping.USERS, ledger.usage(Grouping.USERS, query, now), false, null, null, now)
                .total();
    }

    @Test
    void aCopyIsTheSameLedgerHoweverOftenItIsAdded() throws IOException {
        ledger.record(new Cluster(5).fill(3, 40).events());
        ledger.record(new LedgerEvent.JobRefused(
                UUID.randomUUID(), T0, Events.job("1"), Events.ALICE, ErrorCode.IMAGE_UNKNOWN));
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        long written = LedgerArchive.write(ledger, archive);
        byte[] bytes = archive.toByteArray();
        try (Ledger other = open(directory.resolve("other"))) {
            long[] added = {0};
            for (int i = 0; i < 2; i++) {
                long read =
                        LedgerArchive.read(new ByteArrayInputStream(bytes), 7, events -> added[0] += other.add(events));
                assertThat(read).isEqualTo(written);
            }
            assertThat(added[0]).isEqualTo(written);
            assertThat(other.intervals(VmIntervalQuery.all())).isEqualTo(all());
            assertThat(other.marks(VmIntervalQuery.all())).isEqualTo(ledger.marks(VmIntervalQuery.all()));
            assertThat(other.outcomes(null, null)).isEqualTo(ledger.outcomes(null, null));
        }
        for (byte[] bad : List.of(
                Arrays.copyOf(bytes, bytes.length - 1 - 40),
                Arrays.copyOf(bytes, bytes.length / 2),
                new byte[0],
                "{}\n".getBytes(StandardCharsets.UTF_8))) {
            assertThatThrownBy(() -> LedgerArchive.read(new ByteArrayInputStream(bad), 7, events -> {}))
                    .isInstanceOf(VseException.class)
                    .hasMessageContaining("damaged or not whole");
        }
        bytes[bytes.length / 2] ^= 1;
        assertThatThrownBy(() -> LedgerArchive.read(new ByteArrayInputStream(bytes), 7, events -> {}))
                .hasMessageContaining("damaged or not whole");
    }

    @Test
    void whatIsOldIsRemovedFromDatabaseAndLog() {
        var old = opened("7", T0);
        var oldEnd = closed(old, Duration.ofSeconds(10));
        var longRun = opened("8", T0);
        var longEnd = closed(longRun, Duration.ofHours(2));
        var open = opened("9", T0);
        ledger.record(List.of(old, oldEnd, longRun, longEnd, open));
        assertThat(ledger.prune(T0.plusSeconds(60))).isEqualTo(1);
        assertThat(all()).containsExactlyInAnyOrder(interval(longRun, longEnd), running(open));
        reopen();
        var next = opened("10", T0.plusSeconds(5));
        ledger.record(next);
        assertThat(all()).hasSize(3);
        assertThat(ledger.shipment("n1", 0, 100).events())
                .extracting(LedgerEvent::id)
                .containsExactly(longRun.id(), longEnd.id(), open.id(), next.id());
        assertThat(ledger.prune(T0.plusSeconds(60))).isZero();
    }

    @Test
    void nothingIsRemovedBeforeTheHeadHasIt() {
        var old = opened("7", T0);
        ledger.record(List.of(old, closed(old, Duration.ofSeconds(10)), opened("8", T0.plusSeconds(99))));
        Instant before = T0.plusSeconds(60);
        Shipment first = ledger.shipment("n1", 0, 1);
        assertThatThrownBy(() -> ledger.prune(before, first.log(), first.end()))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("[JOB_STATE]");
        assertThatThrownBy(() -> ledger.prune(before, UUID.randomUUID(), 1 << 20))
                .as("what the head has said of another log")
                .isInstanceOf(VseException.class);
        assertThat(all()).hasSize(2);
        Shipment second = ledger.shipment("n1", first.end(), 1);
        assertThat(ledger.prune(before, second.log(), second.end()))
                .as("what is not removed need not be there")
                .isEqualTo(1);
        assertThat(all()).hasSize(1);
    }

    @Test
    void everyPartFitsIntoAMessage() {
        List<String> nodes = IntStream.range(0, 1000)
                .mapToObj("a-rather-long-name-%d"::formatted)
                .toList();
        for (int i = 0; i < 60; i++) {
            ledger.record(new LedgerEvent.JobAdmitted(
                    UUID.randomUUID(), T0, Events.job("7"), Events.ALICE, "debian-12", Events.DIGEST, nodes));
        }
        int sent = 0;
        Shipment part = ledger.shipment("n1", 0, 200);
        while (!part.events().isEmpty()) {
            assertThat(EventBatch.write(part.events()).toString().getBytes(StandardCharsets.UTF_8))
                    .hasSizeLessThan(1_000_000);
            sent += part.events().size();
            part = ledger.shipment("n1", part.end(), 200);
        }
        assertThat(sent).isEqualTo(60);
    }

    @Test
    void aLogIsTakenPartByPartAndEachPartOnce() {
        Instant now = Cluster.NOON;
        try (Ledger node = Ledger.open(directory.resolve("node"))) {
            List<LedgerEvent> events = new Cluster(9).fill(2, 30).events();
            node.record(events);
            Random random = new Random(9);
            long next = 0;
            for (int sent = 0; !node.shipment("n9", next, 1).events().isEmpty(); sent++) {
                assertThat(sent).isLessThan(1000);
                Shipment part = node.shipment("n9", next, 1 + random.nextInt(7));
                long applied = ledger.accept(part, now);
                // The answer may be lost: the same part, or one from anywhere, is sent again.
                assertThat(ledger.accept(part, now)).isEqualTo(applied);
                ledger.accept(node.shipment("n9", 0, 3), now);
                if (random.nextInt(5) == 0) {
                    reopen();
                }
                next = applied;
            }
            assertThat(all()).isEqualTo(node.intervals(VmIntervalQuery.all()));
            node.prune(Instant.EPOCH);
            assertThat(ledger.accept(node.shipment("n9", 0, 1000), now)).isPositive();
            assertThat(all()).as("a log made anew").isEqualTo(node.intervals(VmIntervalQuery.all()));
        }
    }

    @Test
    void whatALostNodeLeftOpenIsClosedByEvidence() {
        UUID log = UUID.randomUUID();
        var settled = opened("7", T0);
        var requeued = opened("8", T0);
        var silent = opened("9", T0);
        ledger.accept(new Shipment("n1", log, 0, 300, List.of(settled, requeued, silent)), T0.plusSeconds(100));
        var again = new LedgerEvent.VmOpened(
                UUID.randomUUID(),
                T0,
                new JobKey("hpc1", "local", "8", 2),
                Events.ALICE,
                machine("n2", 0, List.of()),
                T0.plusSeconds(50));
        ledger.record(List.of(
                again,
                new LedgerEvent.JobSettled(UUID.randomUUID(), T0.plusSeconds(30), settled.job(), Events.ALICE, 0)));
        assertThat(ledger.concludeLost(T0.plusSeconds(100), T0.plusSeconds(9999)))
                .as("heard of since")
                .isZero();
        assertThat(ledger.concludeLost(T0.plusSeconds(101), T0.plusSeconds(9999)))
                .isEqualTo(3);
        assertThat(ledger.concludeLost(T0.plusSeconds(101), T0.plusSeconds(9999)))
                .isZero();
        assertThat(ends())
                .containsExactly(
                        "7 30 the job was settled",
                        "8 50 attempt 2 of the job had begun",
                        "9 100 nothing was heard of node 'n1' any more");
        var seen = closed(silent, Duration.ofSeconds(500));
        ledger.accept(new Shipment("n1", log, 300, 400, List.of(seen)), T0.plusSeconds(99_999));
        assertThat(ends()).as("a node that comes back is believed").hasSize(2);
        assertThat(ledger.intervals(VmIntervalQuery.all().ofJob("9"))).containsExactly(interval(silent, seen));
    }

    private List<String> ends() {
        return all().stream()
                .filter(run -> run.ending() != null && run.ending().evidence() != null)
                .map(run -> run.job().id() + " "
                        + Duration.between(T0, run.ending().ended()).toSeconds() + " "
                        + run.ending().evidence())
                .sorted()
                .toList();
    }

    private List<String> jobs(long since, long until) {
        return ledger.intervals(VmIntervalQuery.all().between(T0.plusSeconds(since), T0.plusSeconds(until))).stream()
                .map(found -> found.job().id())
                .toList();
    }
}

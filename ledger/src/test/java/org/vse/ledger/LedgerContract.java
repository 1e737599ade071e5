package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vse.ledger.Events.T0;
import static org.vse.ledger.Events.closed;
import static org.vse.ledger.Events.interval;
import static org.vse.ledger.Events.machine;
import static org.vse.ledger.Events.opened;
import static org.vse.ledger.Events.running;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
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

    private List<String> jobs(long since, long until) {
        return ledger.intervals(VmIntervalQuery.all().between(T0.plusSeconds(since), T0.plusSeconds(until))).stream()
                .map(found -> found.job().id())
                .toList();
    }
}

package org.vse.ledger.charge;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.ledger.Ending;
import org.vse.ledger.JobKey;
import org.vse.ledger.JobOutcome;
import org.vse.ledger.Machine;
import org.vse.ledger.Submitter;
import org.vse.ledger.VmEnd;
import org.vse.ledger.VmInterval;
import org.vse.ledger.charge.Difference.Reason;

class ReconciliationTest {
    private static final Instant T = Instant.parse("2026-11-21T08:00:00Z");
    private static final Instant NOW = T.plus(Duration.ofDays(1));

    private static Charge charge(String job, int attempt, long from, @Nullable Long to, int cores) {
        return new Charge(
                job,
                attempt,
                "alice",
                null,
                "batch",
                T.plusSeconds(from),
                to == null ? null : T.plusSeconds(to),
                cores,
                false);
    }

    private static VmInterval vm(String job, int attempt, long from, @Nullable Ending ending, int cores) {
        return new VmInterval(
                UUID.randomUUID(),
                new JobKey("slurm", "slurm", job, attempt),
                new Submitter("alice", 1000, "batch"),
                new Machine(
                        "vm0",
                        0,
                        "n1",
                        IntStream.range(0, cores).boxed().toList(),
                        cores,
                        1L << 30,
                        "debian-12",
                        "sha256:00",
                        "KVM"),
                T.plusSeconds(from),
                ending);
    }

    private static Ending ended(long at) {
        return new Ending(T.plusSeconds(at), VmEnd.FINISHED, 1L, 1L);
    }

    private static Reconciliation of(List<Charge> charges, List<VmInterval> vms, List<JobOutcome> outcomes) {
        return Reconciliation.of(charges, vms, outcomes, Reconciliation.Bounds.DEFAULT, Reconciliation.Scope.ALL, NOW);
    }

    private static Set<Reason> reasons(Charge charge, VmInterval... vms) {
        return of(List.of(charge), List.of(vms), List.of()).differences().stream()
                .map(Difference::reason)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Reason.class)));
    }

    @Test
    void bootAndTeardownExplainAnOrdinaryJob() {
        var result = of(List.of(charge("1", 1, 0, 100L, 2)), List.of(vm("1", 1, 8, ended(97), 2)), List.of());
        assertThat(result.unexplained()).isEmpty();
        assertThat(result.differences())
                .extracting(Difference::reason, Difference::coreTime)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(Reason.BOOT, Duration.ofSeconds(16)),
                        org.assertj.core.groups.Tuple.tuple(Reason.TEARDOWN, Duration.ofSeconds(6)));
    }

    @Test
    void gridEngineCountsFromTheScript() {
        var bounds = Accounting.GRID_ENGINE.bounds();
        var result = Reconciliation.of(
                List.of(charge("1", 1, 100, 9000L, 2), charge("2", 1, 1000, 9000L, 2)),
                List.of(vm("1", 1, 60, ended(9010), 2), vm("2", 1, 0, ended(9000), 2)),
                List.of(),
                bounds,
                Reconciliation.Scope.ALL,
                NOW);
        assertThat(result.differences())
                .extracting(Difference::job, Difference::reason, Difference::coreTime)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple("1", Reason.PROLOGUE, Duration.ofSeconds(-80)),
                        org.assertj.core.groups.Tuple.tuple("1", Reason.COMPLETING, Duration.ofSeconds(-20)),
                        org.assertj.core.groups.Tuple.tuple("2", Reason.OUTSIDE, Duration.ofSeconds(-2000)));
        assertThat(Accounting.SLURM.bounds()).isEqualTo(Reconciliation.Bounds.DEFAULT);
    }

    @Test
    void everySeededDiscrepancyIsFound() {
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 1200, ended(9000), 2)))
                .containsExactly(Reason.SLOW_BOOT);
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 0, ended(5000), 2)))
                .containsExactly(Reason.SLOW_TEARDOWN);
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 0, ended(9000), 4)))
                .containsExactly(Reason.MORE_CORES);
        assertThat(reasons(charge("1", 1, 0, 9000L, 4), vm("1", 1, 0, ended(9000), 2)))
                .containsExactly(Reason.UNUSED_CORES);
        assertThat(reasons(charge("1", 1, 100, 9000L, 2), vm("1", 1, 0, ended(9000), 2)))
                .containsExactly(Reason.OUTSIDE);
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 0, ended(9500), 2)))
                .containsExactly(Reason.OUTSIDE);
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 0, ended(9001), 2)))
                .containsExactly(Reason.ROUNDING);
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 0, ended(9040), 2)))
                .containsExactly(Reason.COMPLETING);
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 9020, ended(9040), 2)))
                .containsExactlyInAnyOrder(Reason.SLOW_BOOT, Reason.COMPLETING);
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 0, null, 2))).containsExactly(Reason.STILL_OPEN);
        assertThat(reasons(charge("1", 1, 0, null, 2), vm("1", 1, 0, null, 2))).isEmpty();
        assertThat(of(List.of(), List.of(vm("1", 1, 0, ended(9000), 2)), List.of())
                        .unexplained())
                .extracting(Difference::reason, Difference::coreTime)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(Reason.NOT_CHARGED, Duration.ofHours(-5)));
        Charge bob = new Charge("1", 1, "bob", null, null, T, T.plusSeconds(9000), 2, false);
        assertThat(reasons(bob, vm("1", 1, 0, ended(9000), 2))).containsExactly(Reason.OTHER_USER);
    }

    @Test
    void requeuesCheckpointsAndConclusionsAreTold() {
        Charge requeued = new Charge("1", 1, "alice", null, null, T, T.plusSeconds(9000), 2, true);
        assertThat(reasons(requeued, vm("1", 1, 0, ended(8990), 2))).containsExactly(Reason.REQUEUE);
        Ending saved = new Ending(T.plusSeconds(8990), VmEnd.CHECKPOINTED, 1L, 1L);
        assertThat(reasons(requeued, vm("1", 1, 0, saved, 2))).containsExactly(Reason.CHECKPOINT);
        Ending concluded =
                new Ending(T.plusSeconds(4000), VmEnd.LOST, null, null, null, null, "nothing was heard of node 'n1'");
        assertThat(reasons(charge("1", 1, 0, 9000L, 2), vm("1", 1, 0, concluded, 2)))
                .containsExactly(Reason.CONCLUDED);
    }

    @Test
    void jobsWithoutMachinesAreToldByTheirOutcome() {
        var job = new JobKey("slurm", "slurm", "1", 1);
        var who = new Submitter("alice", 1000, "batch");
        List<Charge> charges = List.of(charge("1", 1, 0, 3L, 2), charge("2", 1, 0, 60L, 2));
        var refused = of(
                charges,
                List.of(),
                List.of(new JobOutcome(job, who, T, JobOutcome.Kind.REFUSED, ErrorCode.USAGE, null)));
        assertThat(refused.differences())
                .extracting(Difference::reason, Difference::text)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(Reason.REFUSED, "USAGE"));
        assertThat(refused.withoutVm()).isEqualTo(1);
        var settled = of(charges, List.of(), List.of(new JobOutcome(job, who, T, JobOutcome.Kind.SETTLED, null, 0)));
        assertThat(settled.unexplained()).extracting(Difference::reason).containsExactly(Reason.NO_VM);
    }

    /** Grid Engine tells a job that it was started again, not how often; and a list of charges may begin with any attempt. */
    @Test
    void attemptsAreKnownAgainByTheirTimes() {
        var result = of(
                List.of(charge("1", 1, 0, 100L, 2), charge("1", 2, 200, 300L, 2), charge("1", 3, 400, 402L, 2)),
                List.of(vm("1", 1, 0, ended(100), 2), vm("1", 1_795_248_202, 200, ended(300), 2)),
                List.of(new JobOutcome(
                        new JobKey("slurm", "slurm", "1", 1_795_248_403),
                        new Submitter("alice", 1000, "batch"),
                        T.plusSeconds(401),
                        JobOutcome.Kind.REFUSED,
                        ErrorCode.USAGE,
                        null)));
        assertThat(result.differences()).extracting(Difference::reason).containsExactly(Reason.REFUSED);
        assertThat(result.compared()).isEqualTo(3);
        assertThat(reasons(charge("1", 2, 200, 300L, 2), vm("1", 1, 0, ended(100), 2)))
                .contains(Reason.OUTSIDE);
    }

    @Test
    void anAttemptThatWasPutBackIsNotCharged() {
        Charge put = new Charge("1", 1, "alice", null, null, T, T.plusSeconds(100), 0, true);
        assertThat(of(List.of(put), List.of(vm("1", 1, 10, ended(160), 2)), List.of())
                        .differences())
                .extracting(Difference::reason, Difference::coreTime)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(Reason.REQUEUE, Duration.ofMinutes(-5)));
        assertThat(reasons(put, vm("1", 1, 10, null, 2))).containsExactly(Reason.STILL_OPEN);
        assertThat(reasons(put, vm("1", 1, 10, ended(160), 2), vm("1", 7, 10, ended(90), 2)))
                .containsExactly(Reason.REQUEUE);
    }

    @Test
    void whatBeganBeforeTheTimeAskedForIsLeftOutWithItsMachines() {
        var scope = new Reconciliation.Scope(T.plusSeconds(5), T.plusSeconds(500), true);
        var result = Reconciliation.of(
                List.of(charge("1", 1, 0, 100L, 2), charge("2", 1, 50, 150L, 2), charge("3", 1, 499, 700L, 2)),
                List.of(
                        vm("1", 1, 8, ended(100), 2),
                        vm("2", 1, 60, ended(150), 2),
                        vm("3", 1, 510, ended(700), 2),
                        vm("4", 1, 501, ended(700), 2)),
                List.of(),
                Reconciliation.Bounds.DEFAULT,
                scope,
                NOW);
        assertThat(result.unexplained()).isEmpty();
        assertThat(result.compared()).isEqualTo(2);
    }

    @Test
    void whereOnlyEndsAreNotedAJobThatGoesOnIsExplained() {
        var ends = new Reconciliation.Scope(null, null, false);
        var result = Reconciliation.of(
                List.of(),
                List.of(vm("1", 1, 0, null, 2), vm("2", 1, 0, ended(9), 1)),
                List.of(),
                Reconciliation.Bounds.DEFAULT,
                ends,
                NOW);
        assertThat(result.differences())
                .extracting(Difference::job, Difference::reason)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("2", Reason.NOT_CHARGED),
                        org.assertj.core.groups.Tuple.tuple("1", Reason.GOES_ON));
    }

    /** Whatever ran: what was charged is what machines had and the differences, exactly. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void differencesAddUp(long seed) {
        Random random = new Random(seed);
        List<Charge> charges = new ArrayList<>();
        List<VmInterval> vms = new ArrayList<>();
        for (int job = 0; job < 40; job++) {
            long from = random.nextInt(5000);
            long to = from + random.nextInt(5000);
            charges.add(charge("" + job, 1, from, random.nextInt(9) == 0 ? null : to, 1 + random.nextInt(8)));
            for (int i = random.nextInt(4); i >= 0; i--) {
                long start = from + random.nextInt(700) - 100;
                long end = start + random.nextInt(6000);
                vms.add(vm("" + job, 1, start, random.nextInt(9) == 0 ? null : ended(end), 1 + random.nextInt(6)));
            }
        }
        var result = of(charges, vms, List.of());
        Duration sum = result.differences().stream().map(Difference::coreTime).reduce(Duration.ZERO, Duration::plus);
        assertThat(result.charged()).isEqualTo(result.vms().plus(sum));
        assertThat(result.compared()).isEqualTo(40);
    }
}

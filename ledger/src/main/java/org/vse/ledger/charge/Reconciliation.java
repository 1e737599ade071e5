package org.vse.ledger.charge;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vse.ledger.JobOutcome;
import org.vse.ledger.VmInterval;

/**
 * The ledger beside what a batch system has charged. For every attempt that had machines, or that the ledger knows as refused,
 * failed or settled, the core time charged is that of its machines and the sum of its differences, to the microsecond. Jobs
 * without machines are none of the ledger's.
 *
 * @param charged core time of the attempts that were compared
 * @param vms core time of their machines
 * @param compared how many attempts
 * @param withoutVm how many attempts of jobs that the ledger does not know
 */
public record Reconciliation(
        List<Difference> differences, Duration charged, Duration vms, int compared, int withoutVm) {
    public Reconciliation {
        differences = List.copyOf(differences);
    }

    /**
     * How long what is explained may take.
     *
     * @param ahead how long machines may run before the moment that the batch system has as the start of their job
     */
    public record Bounds(Duration boot, Duration teardown, Duration rounding, Duration ahead) {
        /** Ten minutes to boot, which includes the image's way, five to take down, two seconds of rounding, none ahead. */
        public static final Bounds DEFAULT =
                new Bounds(Duration.ofMinutes(10), Duration.ofMinutes(5), Duration.ofSeconds(2), Duration.ZERO);

        /** Of a batch system that counts from the start of the script: machines are up before it. */
        public Bounds fromScript() {
            return new Bounds(boot, teardown, rounding, boot);
        }
    }

    /**
     * Which attempts are asked for.
     *
     * @param since those that began earlier are left out; null for none
     * @param until those that began then or later are left out; null for none
     * @param running whether the batch system's accounting has jobs that are not over
     */
    public record Scope(@Nullable Instant since, @Nullable Instant until, boolean running) {
        /** All, of an accounting that has jobs that are not over. */
        public static final Scope ALL = new Scope(null, null, true);

        private boolean has(Instant begun) {
            return (since == null || !begun.isBefore(since)) && (until == null || begun.isBefore(until));
        }
    }

    /**
     * Compares. Not every batch system tells its jobs how often they began, so the attempts of a job are known again by their
     * times.
     *
     * @param charges of one batch system
     * @param intervals of the machines of its jobs
     * @param outcomes of its jobs
     * @param now how long what has no end has lasted until
     */
    public static Reconciliation of(
            List<Charge> charges,
            List<VmInterval> intervals,
            List<JobOutcome> outcomes,
            Bounds bounds,
            Scope scope,
            Instant now) {
        Attempts attempts = Attempts.of(intervals, outcomes, charges, now);
        List<Difference> found = new ArrayList<>();
        Duration charged = Duration.ZERO;
        Duration had = Duration.ZERO;
        int compared = 0;
        int without = 0;
        for (Charge charge : charges) {
            if (!scope.has(charge.started())) {
                continue;
            }
            List<Attempts.Attempt> here = attempts.of(charge);
            if (here.isEmpty()) {
                without++;
                continue;
            }
            compared++;
            charged = charged.plus(charge.coreTime(now));
            List<VmInterval> vms =
                    here.stream().flatMap(attempt -> attempt.vms().stream()).toList();
            had = had.plus(total(vms, now));
            Comparison comparison = new Comparison(charge, vms, bounds, now);
            found.addAll(vms.isEmpty() ? comparison.withoutMachines(here.get(0).outcome()) : comparison.differences());
        }
        for (Attempts.Attempt left : attempts.withoutCharge()) {
            if (left.vms().isEmpty() || !scope.has(left.begun())) {
                continue;
            }
            boolean goesOn = !scope.running() && left.vms().stream().anyMatch(VmInterval::running);
            Duration time = total(left.vms(), now);
            had = had.plus(time);
            found.add(new Difference(
                    left.job(),
                    left.number(),
                    left.vms().get(0).submitter().user(),
                    goesOn ? Difference.Reason.GOES_ON : Difference.Reason.NOT_CHARGED,
                    time.negated(),
                    goesOn ? "the batch system has it when it ends" : "the batch system has no such job"));
        }
        found.sort(Comparator.<Difference, Boolean>comparing(d -> d.reason().isExplained())
                .thenComparing(Difference::job)
                .thenComparing(Difference::attempt));
        return new Reconciliation(found, charged, had, compared, without);
    }

    private static Duration total(List<VmInterval> vms, Instant now) {
        return vms.stream().map(vm -> vm.coreTime(Instant.MIN, now)).reduce(Duration.ZERO, Duration::plus);
    }

    /** What somebody should look at. */
    public List<Difference> unexplained() {
        return differences.stream().filter(d -> !d.reason().isExplained()).toList();
    }
}

package org.vse.ledger.charge;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /** How long what is explained may take. */
    public record Bounds(Duration boot, Duration teardown, Duration rounding) {
        /** Ten minutes to boot, which includes the image's way, five to take down, two seconds of rounding. */
        public static final Bounds DEFAULT =
                new Bounds(Duration.ofMinutes(10), Duration.ofMinutes(5), Duration.ofSeconds(2));
    }

    private record Attempt(String job, int number) {}

    /**
     * Compares.
     *
     * @param charges of one batch system
     * @param intervals of the machines of its jobs
     * @param outcomes of its jobs
     * @param now how long what has no end has lasted until
     */
    public static Reconciliation of(
            List<Charge> charges, List<VmInterval> intervals, List<JobOutcome> outcomes, Bounds bounds, Instant now) {
        Map<Attempt, List<VmInterval>> machines = new LinkedHashMap<>();
        intervals.forEach(vm -> machines.computeIfAbsent(
                        new Attempt(vm.job().id(), vm.job().attempt()), key -> new ArrayList<>())
                .add(vm));
        Map<Attempt, JobOutcome> known = new LinkedHashMap<>();
        outcomes.forEach(outcome ->
                known.putIfAbsent(new Attempt(outcome.job().id(), outcome.job().attempt()), outcome));
        List<Difference> found = new ArrayList<>();
        Duration charged = Duration.ZERO;
        Duration had = Duration.ZERO;
        int compared = 0;
        int without = 0;
        for (Charge charge : charges) {
            Attempt attempt = new Attempt(charge.job(), charge.attempt());
            List<VmInterval> vms = machines.remove(attempt);
            JobOutcome outcome = known.get(attempt);
            if (vms == null && outcome == null) {
                without++;
                continue;
            }
            compared++;
            charged = charged.plus(charge.coreTime(now));
            if (vms == null) {
                found.addAll(new Comparison(charge, List.of(), bounds, now).withoutMachines(outcome));
            } else {
                had = had.plus(total(vms, now));
                found.addAll(new Comparison(charge, vms, bounds, now).differences());
            }
        }
        for (Map.Entry<Attempt, List<VmInterval>> left : machines.entrySet()) {
            Duration time = total(left.getValue(), now);
            had = had.plus(time);
            found.add(new Difference(
                    left.getKey().job(),
                    left.getKey().number(),
                    left.getValue().get(0).submitter().user(),
                    Difference.Reason.NOT_CHARGED,
                    time.negated(),
                    "the batch system has no such attempt"));
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

package org.vse.ledger.charge;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vse.ledger.JobOutcome;
import org.vse.ledger.VmInterval;

/** The attempts that a ledger knows, each beside what was charged for it. */
final class Attempts {
    private final Map<Charge, List<Attempt>> charged = new LinkedHashMap<>();
    private final List<Attempt> uncharged = new ArrayList<>();

    private Attempts() {}

    /** A ledger's attempt of a job. It has machines or an outcome. */
    record Attempt(
            String job,
            int number,
            List<VmInterval> vms,
            @Nullable JobOutcome outcome) {
        /** When its first machine began to run; without one, when it came out. */
        Instant begun() {
            return vms.stream()
                    .map(VmInterval::started)
                    .min(Comparator.naturalOrder())
                    .orElseGet(this::cameOut);
        }

        private Instant ended(Instant now) {
            return vms.stream()
                    .map(vm -> vm.ending() == null ? now : vm.ending().ended())
                    .max(Comparator.naturalOrder())
                    .orElseGet(this::cameOut);
        }

        private Instant cameOut() {
            if (outcome == null) {
                throw new IllegalStateException("attempt " + number + " of '" + job + "' is empty");
            }
            return outcome.at();
        }

        /** How long it was in the time of a charge, negative; when it was not, how far away it was. */
        private Duration distance(Charge charge, Instant now) {
            Instant begin = later(begun(), charge.started());
            Instant end = ended(now);
            Instant chargeEnd = charge.ended() == null ? now : charge.ended();
            return Duration.between(end.isBefore(chargeEnd) ? end : chargeEnd, begin);
        }

        private static Instant later(Instant one, Instant other) {
            return one.isBefore(other) ? other : one;
        }
    }

    /** Attempts of one job do not overlap: each belongs to the charge of its job that it was longest in, or else next to. */
    static Attempts of(List<VmInterval> intervals, List<JobOutcome> outcomes, List<Charge> charges, Instant now) {
        Map<String, List<Charge>> jobs = new LinkedHashMap<>();
        charges.forEach(charge ->
                jobs.computeIfAbsent(charge.job(), job -> new ArrayList<>()).add(charge));
        Attempts attempts = new Attempts();
        for (Attempt attempt : known(intervals, outcomes)) {
            jobs.getOrDefault(attempt.job(), List.of()).stream()
                    .min(Comparator.comparing(charge -> attempt.distance(charge, now)))
                    .map(charge -> attempts.charged.computeIfAbsent(charge, key -> new ArrayList<>()))
                    .orElse(attempts.uncharged)
                    .add(attempt);
        }
        return attempts;
    }

    private static List<Attempt> known(List<VmInterval> intervals, List<JobOutcome> outcomes) {
        record Key(String job, int number) {}
        Map<Key, List<VmInterval>> machines = new LinkedHashMap<>();
        intervals.forEach(
                vm -> machines.computeIfAbsent(new Key(vm.job().id(), vm.job().attempt()), key -> new ArrayList<>())
                        .add(vm));
        Map<Key, JobOutcome> ends = new LinkedHashMap<>();
        outcomes.forEach(outcome ->
                ends.putIfAbsent(new Key(outcome.job().id(), outcome.job().attempt()), outcome));
        ends.keySet().forEach(key -> machines.putIfAbsent(key, List.of()));
        return machines.entrySet().stream()
                .map(found -> new Attempt(
                        found.getKey().job(), found.getKey().number(), found.getValue(), ends.get(found.getKey())))
                .toList();
    }

    /** Those with machines come first. */
    List<Attempt> of(Charge charge) {
        return charged.getOrDefault(charge, List.of());
    }

    /** Of jobs for which nothing was charged. */
    List<Attempt> withoutCharge() {
        return uncharged;
    }
}

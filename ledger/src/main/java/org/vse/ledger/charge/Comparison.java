package org.vse.ledger.charge;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vse.ledger.Ending;
import org.vse.ledger.JobOutcome;
import org.vse.ledger.VmEnd;
import org.vse.ledger.VmInterval;

/** One attempt: what was charged for it beside what its machines had. */
record Comparison(Charge charge, List<VmInterval> vms, Reconciliation.Bounds bounds, Instant now) {

    /** Their core times add up to what was charged. */
    List<Difference> withoutMachines(@Nullable JobOutcome outcome) {
        Difference.Reason reason = outcome == null || outcome.kind() == JobOutcome.Kind.SETTLED
                ? Difference.Reason.NO_VM
                : outcome.kind() == JobOutcome.Kind.REFUSED ? Difference.Reason.REFUSED : Difference.Reason.FAILED;
        String text = outcome == null || outcome.code() == null
                ? "the ledger has no machine of it"
                : outcome.code().name();
        return List.of(difference(reason, charge.coreTime(now), text));
    }

    /** Their core times add up to what was charged less what the machines had. */
    List<Difference> differences() {
        if (charge.cores() == 0) {
            return uncharged();
        }
        List<Difference> found = new ArrayList<>();
        Instant begin = charge.started();
        Instant end = charge.ended() == null ? now : charge.ended();
        Instant lastStart =
                vms.stream().map(VmInterval::started).max(Instant::compareTo).orElse(begin);
        Instant firstEnd = vms.stream().map(this::endOf).min(Instant::compareTo).orElse(end);
        Instant up = clamp(lastStart, begin, end);
        Instant down = clamp(firstEnd.isBefore(up) ? up : firstEnd, begin, end);

        boot(found, begin, up);
        Duration between = missing(up, down);
        add(
                found,
                between.isNegative() ? Difference.Reason.MORE_CORES : Difference.Reason.UNUSED_CORES,
                between,
                "machines had "
                        + vms.stream().mapToInt(vm -> vm.machine().coreCount()).sum() + " of " + charge.cores()
                        + " cores");
        teardown(found, down, end);
        outside(found, begin, end);
        vms.stream()
                .filter(vm -> !vm.submitter().user().equals(charge.user()))
                .findFirst()
                .ifPresent(vm -> found.add(difference(
                        Difference.Reason.OTHER_USER,
                        Duration.ZERO,
                        "the ledger says '" + vm.submitter().user() + "'")));
        return found;
    }

    /** An attempt that went wrong, for which the batch system takes nothing, whenever its machines ran. */
    private List<Difference> uncharged() {
        Duration had = had(Instant.MIN, now);
        Instant end = charge.ended() == null ? now : charge.ended();
        boolean open = vms.stream().anyMatch(VmInterval::running)
                && Duration.between(end, now).compareTo(bounds.teardown()) > 0;
        return List.of(difference(
                open ? Difference.Reason.STILL_OPEN : Difference.Reason.REQUEUE,
                had.negated(),
                open
                        ? "the attempt has ended, the ledger has no end"
                        : "nothing is charged for an attempt that went wrong"));
    }

    private void boot(List<Difference> found, Instant begin, Instant up) {
        Duration time = Duration.between(begin, up);
        boolean slow = time.compareTo(bounds.boot()) > 0;
        add(
                found,
                slow ? Difference.Reason.SLOW_BOOT : Difference.Reason.BOOT,
                missing(begin, up),
                time.toSeconds() + " s until all machines ran");
    }

    private void teardown(List<Difference> found, Instant down, Instant end) {
        Duration time = Duration.between(down, end);
        Difference.Reason reason = Difference.Reason.TEARDOWN;
        if (time.compareTo(bounds.teardown()) > 0) {
            reason = Difference.Reason.SLOW_TEARDOWN;
        }
        if (vms.stream().map(VmInterval::ending).anyMatch(ending -> ending != null && ending.evidence() != null)) {
            reason = Difference.Reason.CONCLUDED;
        } else if (reason == Difference.Reason.TEARDOWN && vms.stream().anyMatch(vm -> isEnd(vm, VmEnd.CHECKPOINTED))) {
            reason = Difference.Reason.CHECKPOINT;
        } else if (reason == Difference.Reason.TEARDOWN && charge.requeued()) {
            reason = Difference.Reason.REQUEUE;
        }
        add(found, reason, missing(down, end), time.toSeconds() + " s from the first end of a machine");
    }

    private static boolean isEnd(VmInterval vm, VmEnd why) {
        Ending ending = vm.ending();
        return ending != null && ending.why() == why;
    }

    /** What machines had before and after the job. */
    private void outside(List<Difference> found, Instant begin, Instant end) {
        Duration before = had(Instant.MIN, begin);
        Duration after = had(end, now);
        Duration time = before.plus(after);
        Duration ahead = vms.stream()
                .map(vm -> Duration.between(vm.started(), begin))
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
        boolean early = ahead.compareTo(bounds.rounding()) > 0;
        Duration late = vms.stream()
                .map(vm -> Duration.between(end, endOf(vm)))
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
        boolean soon = late.compareTo(bounds.teardown()) <= 0;
        if (!soon && vms.stream().anyMatch(VmInterval::running)) {
            add(found, Difference.Reason.STILL_OPEN, time.negated(), "the job has ended, the ledger has no end");
        } else if (!soon || (early && ahead.compareTo(bounds.ahead()) > 0)) {
            add(found, Difference.Reason.OUTSIDE, time.negated(), "a machine ran when the job did not");
        } else {
            boolean completing = late.compareTo(bounds.rounding()) > 0;
            Duration rounding = (early ? Duration.ZERO : before).plus(completing ? Duration.ZERO : after);
            if (early) {
                String text = "the first machine was up " + ahead.toSeconds() + " s before the script";
                add(found, Difference.Reason.PROLOGUE, before.negated(), text);
            }
            if (completing) {
                String text = "the last machine ended " + late.toSeconds() + " s after the job's end";
                add(found, Difference.Reason.COMPLETING, after.negated(), text);
            }
            add(found, Difference.Reason.ROUNDING, rounding.negated(), "the batch system counts whole seconds");
        }
    }

    /** What machines had in a time. */
    private Duration had(Instant from, Instant to) {
        return vms.stream().map(vm -> vm.coreTime(from, to)).reduce(Duration.ZERO, Duration::plus);
    }

    /** What was charged in a time less what machines had in it. */
    private Duration missing(Instant from, Instant to) {
        return Duration.between(from, to).multipliedBy(charge.cores()).minus(had(from, to));
    }

    private Instant endOf(VmInterval vm) {
        Ending ending = vm.ending();
        return ending == null ? now : ending.ended();
    }

    private static Instant clamp(Instant time, Instant from, Instant to) {
        Instant latest = time.isAfter(to) ? to : time;
        return latest.isBefore(from) ? from : latest;
    }

    private void add(List<Difference> found, Difference.Reason reason, Duration time, String text) {
        if (!time.isZero()) {
            found.add(difference(reason, time, text));
        }
    }

    private Difference difference(Difference.Reason reason, Duration time, String text) {
        return new Difference(charge.job(), charge.attempt(), charge.user(), reason, time, text);
    }
}

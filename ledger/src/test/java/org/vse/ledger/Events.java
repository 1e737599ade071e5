package org.vse.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** Events to record, plausible unless asked otherwise. */
final class Events {
    static final Instant T0 = Instant.parse("2026-11-21T08:00:00.123456Z");
    static final Submitter ALICE = new Submitter("alice", 1000, "batch");
    static final String DIGEST = "sha256:" + "ab".repeat(32);

    private Events() {}

    static JobKey job(String id) {
        return new JobKey("hpc1", "local", id, 1);
    }

    static Machine machine(String node, int index, List<Integer> cores) {
        return new Machine("vse-7-" + index, index, node, cores, 2, 512L << 20, "debian-12", DIGEST, "TCG");
    }

    static LedgerEvent.VmOpened opened(String job, Instant started) {
        return opened(job, ALICE, machine("n1", 0, List.of(1, 0)), started);
    }

    static LedgerEvent.VmOpened opened(String job, Submitter who, Machine machine, Instant started) {
        return new LedgerEvent.VmOpened(UUID.randomUUID(), started, job(job), who, machine, started);
    }

    static LedgerEvent.VmClosed closed(LedgerEvent.VmOpened run, Duration after) {
        return closed(run, new Ending(run.started().plus(after), VmEnd.FINISHED, 5_000_000_000L, 300L << 20));
    }

    static LedgerEvent.VmClosed closed(LedgerEvent.VmOpened run, Ending ending) {
        return new LedgerEvent.VmClosed(UUID.randomUUID(), ending.ended(), run.job(), run.id(), ending);
    }

    static VmInterval interval(LedgerEvent.VmOpened run, LedgerEvent.VmClosed end) {
        return new VmInterval(run.id(), run.job(), run.submitter(), run.machine(), run.started(), end.ending());
    }

    static VmInterval running(LedgerEvent.VmOpened run) {
        return new VmInterval(run.id(), run.job(), run.submitter(), run.machine(), run.started(), null);
    }
}

package org.vse.ledger;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Puts events into the tables, in the transaction of a connection. An event whose id is there already changes nothing. */
final class EventWriter implements AutoCloseable {
    private static final String EVENT = "INSERT INTO event (id, kind, at, cluster, scheduler, job, attempt)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
    private static final String RUN =
            "INSERT INTO vm_run (opened, cluster, scheduler, job, attempt, user_name, uid, group_name, queue, account,"
                    + " array_index, vm, vm_index, node, cores, core_count, numa_nodes, vcpus, memory_bytes, image, digest,"
                    + " accelerator, started)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    /** What was seen comes before what was concluded, then the earlier before the later. */
    private static final String END =
            "INSERT INTO vm_end (opened, closed, ended, why, cpu_nanos, peak_memory_bytes, bytes_in, bytes_out, evidence)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (opened) DO UPDATE SET closed = excluded.closed,"
                    + " ended = excluded.ended, why = excluded.why, cpu_nanos = excluded.cpu_nanos,"
                    + " peak_memory_bytes = excluded.peak_memory_bytes, bytes_in = excluded.bytes_in,"
                    + " bytes_out = excluded.bytes_out, evidence = excluded.evidence"
                    + " WHERE (CASE WHEN excluded.evidence IS NULL THEN 0 ELSE 1 END, excluded.ended, excluded.closed)"
                    + " < (CASE WHEN vm_end.evidence IS NULL THEN 0 ELSE 1 END, vm_end.ended, vm_end.closed)";

    private static final String COUNTING_END =
            "UPDATE vm_run SET ended = e.ended, cpu_nanos = e.cpu_nanos FROM vm_end e"
                    + " WHERE e.opened = vm_run.opened AND vm_run.opened = ?";
    private static final String OUTCOME =
            "INSERT INTO job_outcome (event, cluster, scheduler, job, attempt, at, kind, user_name, uid, group_name, queue,"
                    + " account, array_index, code, exit_code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String MARK =
            "INSERT INTO job_mark (event, cluster, scheduler, job, attempt, at, kind, node, body)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private final PreparedStatement event;
    private final PreparedStatement run;
    private final PreparedStatement end;
    private final PreparedStatement countingEnd;
    private final PreparedStatement outcome;
    private final PreparedStatement mark;

    EventWriter(Connection connection) throws SQLException {
        event = connection.prepareStatement(EVENT);
        run = connection.prepareStatement(RUN);
        end = connection.prepareStatement(END);
        countingEnd = connection.prepareStatement(COUNTING_END);
        outcome = connection.prepareStatement(OUTCOME);
        mark = connection.prepareStatement(MARK);
    }

    void write(LedgerEvent what) throws SQLException {
        Insert insert = what.in(new Inserts());
        JobKey job = what.job();
        set(
                event,
                what.id(),
                insert.kind(),
                Micros.of(what.at()),
                job.cluster(),
                job.scheduler(),
                job.id(),
                job.attempt());
        if (event.executeUpdate() == 1) {
            set(insert.into(), insert.values().toArray());
            insert.into().executeUpdate();
            UUID run = insert.run();
            if (run != null) {
                set(countingEnd, run);
                countingEnd.executeUpdate();
            }
        }
    }

    @Override
    public void close() throws SQLException {
        for (PreparedStatement statement : List.of(event, run, end, countingEnd, outcome, mark)) {
            statement.close();
        }
    }

    private static void set(PreparedStatement statement, @Nullable Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            Object value = values[i];
            if (value == null) {
                statement.setNull(i + 1, Types.NULL);
            } else if (value instanceof Long number) {
                statement.setLong(i + 1, number);
            } else if (value instanceof Integer number) {
                statement.setInt(i + 1, number);
            } else {
                statement.setString(i + 1, value.toString());
            }
        }
    }

    private static String text(List<Integer> cores) {
        return cores.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /**
     * One row for one table.
     *
     * @param run whose end may count now; null when the event is not of a run
     */
    private record Insert(
            String kind, PreparedStatement into, @Nullable UUID run, List<@Nullable Object> values) {
        static Insert of(String kind, PreparedStatement into, @Nullable UUID run, @Nullable Object... values) {
            return new Insert(kind, into, run, Arrays.asList(values));
        }
    }

    private final class Inserts implements LedgerEvent.Cases<Insert> {
        @Override
        public Insert opened(LedgerEvent.VmOpened e) {
            JobKey job = e.job();
            Submitter who = e.submitter();
            Machine vm = e.machine();
            return Insert.of(
                    "VM_OPENED",
                    run,
                    e.id(),
                    e.id(),
                    job.cluster(),
                    job.scheduler(),
                    job.id(),
                    job.attempt(),
                    who.user(),
                    who.uid(),
                    who.group(),
                    who.queue(),
                    who.account(),
                    who.arrayIndex(),
                    vm.name(),
                    vm.index(),
                    vm.node(),
                    text(vm.cores()),
                    vm.coreCount(),
                    text(vm.numaNodes()),
                    vm.vcpus(),
                    vm.memoryBytes(),
                    vm.image(),
                    vm.digest(),
                    vm.accelerator(),
                    Micros.of(e.started()));
        }

        @Override
        public Insert closed(LedgerEvent.VmClosed e) {
            Ending ending = e.ending();
            return Insert.of(
                    "VM_CLOSED",
                    end,
                    e.opened(),
                    e.opened(),
                    e.id(),
                    Micros.of(ending.ended()),
                    ending.why().name(),
                    ending.cpuNanos(),
                    ending.peakMemoryBytes(),
                    ending.bytesIn(),
                    ending.bytesOut(),
                    ending.evidence());
        }

        @Override
        public Insert refused(LedgerEvent.JobRefused e) {
            return outcome(e, JobOutcome.Kind.REFUSED, e.submitter(), e.code().name(), null);
        }

        @Override
        public Insert failed(LedgerEvent.JobFailed e) {
            return outcome(e, JobOutcome.Kind.FAILED, e.submitter(), e.code().name(), null);
        }

        @Override
        public Insert settled(LedgerEvent.JobSettled e) {
            return outcome(e, JobOutcome.Kind.SETTLED, e.submitter(), null, e.exitCode());
        }

        @Override
        public Insert admitted(LedgerEvent.JobAdmitted e) {
            return mark(
                    e,
                    JobMark.Kind.ADMITTED,
                    e.nodes().isEmpty() ? e.job().cluster() : e.nodes().get(0));
        }

        @Override
        public Insert fetched(LedgerEvent.ImageFetched e) {
            return mark(e, JobMark.Kind.IMAGE_FETCHED, e.node());
        }

        @Override
        public Insert checkpointed(LedgerEvent.Checkpointed e) {
            return mark(e, JobMark.Kind.CHECKPOINTED, e.node());
        }

        @Override
        public Insert restored(LedgerEvent.Restored e) {
            return mark(e, JobMark.Kind.RESTORED, e.node());
        }

        private Insert mark(LedgerEvent e, JobMark.Kind kind, String node) {
            JobKey job = e.job();
            return Insert.of(
                    kind.name(),
                    mark,
                    null,
                    e.id(),
                    job.cluster(),
                    job.scheduler(),
                    job.id(),
                    job.attempt(),
                    Micros.of(e.at()),
                    kind.name(),
                    node,
                    new String(EventJson.write(e), StandardCharsets.UTF_8));
        }

        private Insert outcome(
                LedgerEvent e, JobOutcome.Kind kind, Submitter who, @Nullable String code, @Nullable Integer exitCode) {
            JobKey job = e.job();
            return Insert.of(
                    "JOB_" + kind,
                    outcome,
                    null,
                    e.id(),
                    job.cluster(),
                    job.scheduler(),
                    job.id(),
                    job.attempt(),
                    Micros.of(e.at()),
                    kind.name(),
                    who.user(),
                    who.uid(),
                    who.group(),
                    who.queue(),
                    who.account(),
                    who.arrayIndex(),
                    code,
                    exitCode);
        }
    }
}

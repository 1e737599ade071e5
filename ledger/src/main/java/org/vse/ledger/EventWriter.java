package org.vse.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Puts events into the tables, in the transaction of a connection. An event whose id is there already changes nothing. */
final class EventWriter implements AutoCloseable {
    private static final String EVENT = "INSERT INTO event (id, kind, at, cluster, scheduler, job, attempt)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
    private static final String RUN =
            "INSERT INTO vm_run (opened, cluster, scheduler, job, attempt, user_name, uid, queue,"
                    + " vm, vm_index, node, cores, vcpus, memory_bytes, image, digest, accelerator, started)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    private static final String END = "INSERT INTO vm_end (opened, closed, ended, why, cpu_nanos, peak_memory_bytes)"
            + " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (opened) DO UPDATE SET closed = excluded.closed,"
            + " ended = excluded.ended, why = excluded.why, cpu_nanos = excluded.cpu_nanos,"
            + " peak_memory_bytes = excluded.peak_memory_bytes"
            + " WHERE (excluded.ended, excluded.closed) < (vm_end.ended, vm_end.closed)";
    private static final String OUTCOME =
            "INSERT INTO job_outcome (event, cluster, scheduler, job, attempt, at, kind, user_name, uid, queue, code, exit_code)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private final PreparedStatement event;
    private final PreparedStatement run;
    private final PreparedStatement end;
    private final PreparedStatement outcome;

    EventWriter(Connection connection) throws SQLException {
        event = connection.prepareStatement(EVENT);
        run = connection.prepareStatement(RUN);
        end = connection.prepareStatement(END);
        outcome = connection.prepareStatement(OUTCOME);
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
        }
    }

    @Override
    public void close() throws SQLException {
        for (PreparedStatement statement : List.of(event, run, end, outcome)) {
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

    /** One row for one table. */
    private record Insert(String kind, PreparedStatement into, List<@Nullable Object> values) {
        static Insert of(String kind, PreparedStatement into, @Nullable Object... values) {
            return new Insert(kind, into, Arrays.asList(values));
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
                    job.cluster(),
                    job.scheduler(),
                    job.id(),
                    job.attempt(),
                    who.user(),
                    who.uid(),
                    who.queue(),
                    vm.name(),
                    vm.index(),
                    vm.node(),
                    text(vm.cores()),
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
                    e.id(),
                    Micros.of(ending.ended()),
                    ending.why().name(),
                    ending.cpuNanos(),
                    ending.peakMemoryBytes());
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

        private Insert outcome(
                LedgerEvent e, JobOutcome.Kind kind, Submitter who, @Nullable String code, @Nullable Integer exitCode) {
            JobKey job = e.job();
            return Insert.of(
                    "JOB_" + kind,
                    outcome,
                    e.id(),
                    job.cluster(),
                    job.scheduler(),
                    job.id(),
                    job.attempt(),
                    Micros.of(e.at()),
                    kind.name(),
                    who.user(),
                    who.uid(),
                    who.queue(),
                    code,
                    exitCode);
        }
    }
}

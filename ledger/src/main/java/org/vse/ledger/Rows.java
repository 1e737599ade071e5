package org.vse.ledger;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;

/** Records out of the rows of the database; the columns are selected by the constants here. */
final class Rows {
    /** Of tables {@code vm_run r} and {@code vm_end e}. */
    static final String INTERVAL =
            "r.opened, r.cluster, r.scheduler, r.job, r.attempt, r.user_name, r.uid, r.group_name, r.queue, r.account,"
                    + " r.array_index, r.vm, r.vm_index, r.node, r.cores, r.numa_nodes, r.vcpus, r.memory_bytes, r.image, r.digest, r.accelerator, r.started,"
                    + " e.ended, e.why, e.cpu_nanos, e.peak_memory_bytes, e.bytes_in, e.bytes_out, e.evidence";
    /** Of table {@code job_outcome}. */
    static final String OUTCOME =
            "cluster, scheduler, job, attempt, at, kind, user_name, uid, group_name, queue, account, array_index, code,"
                    + " exit_code";

    private Rows() {}

    static VmInterval interval(ResultSet row) throws SQLException {
        return new VmInterval(
                UUID.fromString(row.getString("opened")),
                job(row),
                submitter(row),
                new Machine(
                        row.getString("vm"),
                        row.getInt("vm_index"),
                        row.getString("node"),
                        numbers(row.getString("cores")),
                        numbers(row.getString("numa_nodes")),
                        row.getInt("vcpus"),
                        row.getLong("memory_bytes"),
                        row.getString("image"),
                        row.getString("digest"),
                        row.getString("accelerator")),
                Micros.toInstant(row.getLong("started")),
                ending(row));
    }

    static JobOutcome outcome(ResultSet row) throws SQLException {
        String code = row.getString("code");
        return new JobOutcome(
                job(row),
                submitter(row),
                Micros.toInstant(row.getLong("at")),
                JobOutcome.Kind.valueOf(row.getString("kind")),
                code == null ? null : ErrorCode.valueOf(code),
                number(row, "exit_code", (int) row.getLong("exit_code")));
    }

    static JobMark mark(ResultSet row) throws SQLException {
        return new JobMark(
                job(row),
                Micros.toInstant(row.getLong("at")),
                JobMark.Kind.valueOf(row.getString("kind")),
                row.getString("node"));
    }

    /** @param keys how many columns name the group */
    static Usage usage(ResultSet row, int keys) throws SQLException {
        List<@Nullable String> key = new ArrayList<>();
        for (int i = 1; i <= keys; i++) {
            key.add(row.getString(i));
        }
        return new Usage(
                key,
                row.getLong("vms"),
                row.getLong("running"),
                row.getLong("core_micros"),
                row.getLong("cpu_micros"),
                row.getLong("memory_mib_millis"),
                Micros.toInstant(row.getLong("first")));
    }

    static LedgerEvent opened(ResultSet row) throws SQLException {
        VmInterval run = interval(row);
        return new LedgerEvent.VmOpened(
                run.id(),
                Micros.toInstant(row.getLong("at")),
                run.job(),
                run.submitter(),
                run.machine(),
                run.started());
    }

    static LedgerEvent closed(ResultSet row) throws SQLException {
        return new LedgerEvent.VmClosed(
                UUID.fromString(row.getString("closed")),
                Micros.toInstant(row.getLong("at")),
                job(row),
                UUID.fromString(row.getString("opened")),
                Objects.requireNonNull(ending(row)));
    }

    static LedgerEvent ofOutcome(ResultSet row) throws SQLException {
        UUID id = UUID.fromString(row.getString("event"));
        JobOutcome outcome = outcome(row);
        ErrorCode code = outcome.code() == null ? ErrorCode.INTERNAL : outcome.code();
        return switch (outcome.kind()) {
            case REFUSED -> new LedgerEvent.JobRefused(id, outcome.at(), outcome.job(), outcome.submitter(), code);
            case FAILED -> new LedgerEvent.JobFailed(id, outcome.at(), outcome.job(), outcome.submitter(), code);
            case SETTLED ->
                new LedgerEvent.JobSettled(
                        id, outcome.at(), outcome.job(), outcome.submitter(), row.getInt("exit_code"));
        };
    }

    static LedgerEvent ofBody(ResultSet row) throws SQLException {
        try {
            return EventJson.read(row.getString("body").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new SQLException("an event that this version does not know", e);
        }
    }

    private static @Nullable Ending ending(ResultSet row) throws SQLException {
        String why = row.getString("why");
        if (why == null) {
            return null;
        }
        return new Ending(
                Micros.toInstant(row.getLong("ended")),
                VmEnd.valueOf(why),
                number(row, "cpu_nanos", row.getLong("cpu_nanos")),
                number(row, "peak_memory_bytes", row.getLong("peak_memory_bytes")),
                number(row, "bytes_in", row.getLong("bytes_in")),
                number(row, "bytes_out", row.getLong("bytes_out")),
                row.getString("evidence"));
    }

    private static JobKey job(ResultSet row) throws SQLException {
        return new JobKey(
                row.getString("cluster"), row.getString("scheduler"), row.getString("job"), row.getInt("attempt"));
    }

    private static Submitter submitter(ResultSet row) throws SQLException {
        return new Submitter(
                row.getString("user_name"),
                row.getInt("uid"),
                row.getString("group_name"),
                row.getString("queue"),
                row.getString("account"),
                number(row, "array_index", row.getInt("array_index")));
    }

    private static List<Integer> numbers(String text) {
        return text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(",")).map(Integer::valueOf).toList();
    }

    private static <T> @Nullable T number(ResultSet row, String column, T value) throws SQLException {
        return row.getObject(column) == null ? null : value;
    }
}

package org.vse.ledger;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;

/** Records out of the rows of the database; the columns are selected by the constants here. */
final class Rows {
    /** Of tables {@code vm_run r} and {@code vm_end e}. */
    static final String INTERVAL =
            "r.opened, r.cluster, r.scheduler, r.job, r.attempt, r.user_name, r.uid, r.queue, r.vm,"
                    + " r.vm_index, r.node, r.cores, r.vcpus, r.memory_bytes, r.image, r.digest, r.accelerator, r.started,"
                    + " e.ended, e.why, e.cpu_nanos, e.peak_memory_bytes";
    /** Of table {@code job_outcome}. */
    static final String OUTCOME = "cluster, scheduler, job, attempt, at, kind, user_name, uid, queue, code, exit_code";

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
                        cores(row.getString("cores")),
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

    private static @Nullable Ending ending(ResultSet row) throws SQLException {
        String why = row.getString("why");
        if (why == null) {
            return null;
        }
        return new Ending(
                Micros.toInstant(row.getLong("ended")),
                VmEnd.valueOf(why),
                number(row, "cpu_nanos", row.getLong("cpu_nanos")),
                number(row, "peak_memory_bytes", row.getLong("peak_memory_bytes")));
    }

    private static JobKey job(ResultSet row) throws SQLException {
        return new JobKey(
                row.getString("cluster"), row.getString("scheduler"), row.getString("job"), row.getInt("attempt"));
    }

    private static Submitter submitter(ResultSet row) throws SQLException {
        return new Submitter(row.getString("user_name"), row.getInt("uid"), row.getString("queue"));
    }

    private static List<Integer> cores(String text) {
        return text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(",")).map(Integer::valueOf).toList();
    }

    private static <T> @Nullable T number(ResultSet row, String column, T value) throws SQLException {
        return row.getObject(column) == null ? null : value;
    }
}

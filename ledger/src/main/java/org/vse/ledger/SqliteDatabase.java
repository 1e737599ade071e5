package org.vse.ledger;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The ledger's tables in one SQLite file.
 *
 * <p>The file is made from the event logs and can be made again from them: it is written with {@code synchronous=NORMAL},
 * which after a power cut may lose the newest transactions as a whole (sqlite.org/wal.html) and with each of them the log
 * position that says so.
 */
final class SqliteDatabase implements AutoCloseable {
    private static final int BUSY_MILLIS = 10_000;

    private final Path file;
    private final Connection writer;

    private SqliteDatabase(Path file, Connection writer) {
        this.file = file;
        this.writer = writer;
    }

    /** @throws VseException LEDGER_FAILED when the file is not a database of the ledger or is of a newer version */
    static SqliteDatabase open(Path file, Migrations migrations) {
        Connection connection = null;
        try {
            connection = connect(file);
            migrations.apply(connection);
            return new SqliteDatabase(file, connection);
        } catch (SQLException | VseException e) {
            close(connection, e);
            throw e instanceof VseException known
                    ? known.at(file.toString())
                    : failed("cannot open the ledger's database", file, (SQLException) e);
        }
    }

    /** How much of a log has been applied, 0 for a log never seen. */
    synchronized long applied(UUID log) {
        try (PreparedStatement select = writer.prepareStatement("SELECT applied FROM log_position WHERE log = ?")) {
            select.setString(1, log.toString());
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        } catch (SQLException e) {
            throw failed("cannot read the ledger's database", file, e);
        }
    }

    /** Applies events and remembers how far their log has been applied, all in one transaction. */
    synchronized void apply(UUID log, long end, List<LedgerEvent> events) {
        try {
            try (EventWriter tables = new EventWriter(writer);
                    PreparedStatement position = writer.prepareStatement("INSERT INTO log_position (log, applied)"
                            + " VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET applied = excluded.applied")) {
                for (LedgerEvent event : events) {
                    tables.write(event);
                }
                position.setString(1, log.toString());
                position.setLong(2, end);
                position.executeUpdate();
                writer.commit();
            } finally {
                writer.rollback();
            }
        } catch (SQLException e) {
            throw failed("cannot write to the ledger's database", file, e);
        }
    }

    /** @return by start, then machine name */
    List<VmInterval> intervals(VmIntervalQuery query) {
        Conditions where = new Conditions();
        Instant until = query.until();
        if (until != null) {
            where.and("r.started < ?", Micros.of(until));
        }
        Instant since = query.since();
        if (since != null) {
            where.and("(e.ended IS NULL OR e.ended > ? OR r.started >= ?)", Micros.of(since), Micros.of(since));
        }
        where.andIfGiven("r.cluster = ?", query.cluster());
        where.andIfGiven("r.user_name = ?", query.user());
        where.andIfGiven("r.node = ?", query.node());
        where.andIfGiven("? IN (r.image, r.digest)", query.image());
        where.andIfGiven("r.job = ?", query.job());
        if (query.runningOnly()) {
            where.and("e.ended IS NULL");
        }
        return select(
                "SELECT " + Rows.INTERVAL + " FROM vm_run r LEFT JOIN vm_end e ON e.opened = r.opened" + where.text()
                        + " ORDER BY r.started, r.vm, r.opened",
                where.values,
                Rows::interval);
    }

    /** @return by the time at which they were noticed */
    List<JobOutcome> outcomes(JobKey job) {
        return select(
                "SELECT " + Rows.OUTCOME + " FROM job_outcome"
                        + " WHERE job = ? AND cluster = ? AND scheduler = ? AND attempt = ? ORDER BY at, event",
                List.of(job.id(), job.cluster(), job.scheduler(), job.attempt()),
                Rows::outcome);
    }

    @Override
    public synchronized void close() {
        try {
            writer.close();
        } catch (SQLException e) {
            throw failed("cannot close the ledger's database", file, e);
        }
    }

    /** Reads on a connection of its own, so that a long report holds up no event. */
    private <T> List<T> select(String sql, List<Object> values, Row<T> row) {
        List<T> found = new ArrayList<>();
        try (Connection reader = connect(file);
                PreparedStatement select = reader.prepareStatement(sql)) {
            for (int i = 0; i < values.size(); i++) {
                select.setObject(i + 1, values.get(i));
            }
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    found.add(row.of(rows));
                }
            }
            return found;
        } catch (SQLException e) {
            throw failed("cannot read the ledger's database", file, e);
        }
    }

    private static Connection connect(Path file) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
        config.setBusyTimeout(BUSY_MILLIS);
        config.enforceForeignKeys(true);
        // The URI form (sqlite.org/uri.html) takes any path; in the plain form a '?' begins options.
        Connection connection = config.createConnection("jdbc:sqlite:" + file.toUri());
        connection.setAutoCommit(false);
        return connection;
    }

    private static VseException failed(String what, Path file, SQLException cause) {
        boolean full = cause.getErrorCode() == SQLiteErrorCode.SQLITE_FULL.code;
        Throwable root = cause.getCause() == null ? cause : cause.getCause();
        return VseException.of(full ? ErrorCode.DISK_FULL : ErrorCode.LEDGER_FAILED, what)
                .at(file.toString())
                .fact("reason", String.valueOf(root.getMessage()))
                .because(cause);
    }

    private static void close(@Nullable Connection connection, Exception cause) {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                cause.addSuppressed(e);
            }
        }
    }

    /** Reads one value out of the current row. */
    @FunctionalInterface
    private interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }

    /** A WHERE clause and its values. */
    private static final class Conditions {
        private final List<String> terms = new ArrayList<>();
        private final List<Object> values = new ArrayList<>();

        void and(String term, Object... termValues) {
            terms.add(term);
            values.addAll(Arrays.asList(termValues));
        }

        void andIfGiven(String term, @Nullable Object value) {
            if (value != null) {
                and(term, value);
            }
        }

        String text() {
            return terms.isEmpty() ? "" : " WHERE " + String.join(" AND ", terms);
        }
    }
}

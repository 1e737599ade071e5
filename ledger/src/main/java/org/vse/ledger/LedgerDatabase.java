package org.vse.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLRecoverableException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The ledger's tables. A connection that fails is replaced when it is needed next. */
final class LedgerDatabase implements AutoCloseable {
    private static final int FETCH = 2_000;
    private static final int IDS = 500;

    private final Engine engine;
    private @Nullable Connection writer;
    private boolean migrated;

    LedgerDatabase(Engine engine) {
        this.engine = engine;
    }

    /**
     * Opens the database and brings it to the newest schema. One that may be away is opened when it is there.
     *
     * @throws VseException LEDGER_FAILED when it is not a database of the ledger or is of a newer version
     */
    void open() {
        try {
            writer();
        } catch (SQLException e) {
            if (!engine.mayBeAway() || !isAway(e)) {
                throw failed("cannot open the ledger's database", e);
            }
        }
    }

    private static boolean isAway(SQLException e) {
        String state = e.getSQLState();
        return e instanceof SQLRecoverableException
                || (state != null && (state.startsWith("08") || state.startsWith("57")));
    }

    private synchronized Connection writer() throws SQLException {
        Connection known = writer;
        if (known != null) {
            return known;
        }
        Connection made = engine.connect();
        try {
            if (!migrated) {
                engine.migrations().apply(made);
                migrated = true;
            }
        } catch (SQLException e) {
            made.close();
            throw e;
        } catch (VseException e) {
            made.close();
            throw e.at(engine.place());
        }
        writer = made;
        return made;
    }

    /** Something to be done in one transaction. */
    @FunctionalInterface
    private interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    private synchronized <T> T transaction(Work<T> work) {
        try {
            Connection connection = writer();
            try {
                T result = work.on(connection);
                connection.commit();
                return result;
            } catch (SQLException e) {
                rollback(connection, e);
                throw e;
            }
        } catch (SQLException e) {
            throw failed("cannot write to the ledger's database", e);
        }
    }

    private void rollback(Connection connection, SQLException cause) {
        try {
            connection.rollback();
            if (!isAway(cause)) {
                return;
            }
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
        writer = null;
        try {
            connection.close();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /** How much of a log has been applied, 0 for a log never seen. */
    long applied(UUID log) {
        return transaction(connection -> applied(connection, log));
    }

    private static long applied(Connection connection, UUID log) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT applied FROM log_position WHERE log = ?")) {
            select.setString(1, log.toString());
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }

    /** Applies events and remembers how far their log has been applied, all in one transaction. */
    void apply(UUID log, long end, List<LedgerEvent> events) {
        transaction(connection -> {
            write(connection, events);
            try (PreparedStatement position = connection.prepareStatement("INSERT INTO log_position (log, applied)"
                    + " VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET applied = excluded.applied")) {
                position.setString(1, log.toString());
                position.setLong(2, end);
                return position.executeUpdate();
            }
        });
    }

    /**
     * Applies the next part of another node's log, in one transaction with its new position; any other part than the next
     * one changes nothing.
     *
     * @return how far that log has been applied now
     */
    long applyNext(Shipment shipment, Instant now) {
        return transaction(connection -> {
            long before = applied(connection, shipment.log());
            boolean next = before == shipment.from();
            if (next) {
                write(connection, shipment.events());
            }
            try (PreparedStatement position = connection.prepareStatement("INSERT INTO log_position"
                    + " (log, applied, node, heard) VALUES (?, ?, ?, ?) ON CONFLICT (log) DO UPDATE SET"
                    + " applied = excluded.applied, node = excluded.node, heard = excluded.heard")) {
                position.setString(1, shipment.log().toString());
                position.setLong(2, next ? shipment.end() : before);
                position.setString(3, shipment.node());
                position.setLong(4, Micros.of(now));
                position.executeUpdate();
            }
            return next ? shipment.end() : before;
        });
    }

    private static void write(Connection connection, List<LedgerEvent> events) throws SQLException {
        try (EventWriter tables = new EventWriter(connection)) {
            for (LedgerEvent event : events) {
                tables.write(event);
            }
        }
    }

    /** When a node's log was heard of last, by node; only nodes that ship. */
    List<NodeHeard> heard() {
        return select(
                "SELECT node, MAX(heard) AS heard FROM log_position WHERE node IS NOT NULL GROUP BY node ORDER BY node",
                List.of(),
                row -> new NodeHeard(row.getString("node"), Micros.toInstant(row.getLong("heard"))));
    }

    /** Which of these events are in the tables. */
    Set<UUID> known(List<UUID> ids) {
        return transaction(connection -> {
            Set<UUID> known = new HashSet<>();
            for (int from = 0; from < ids.size(); from += IDS) {
                List<UUID> some = ids.subList(from, Math.min(ids.size(), from + IDS));
                String marks = String.join(",", Collections.nCopies(some.size(), "?"));
                try (PreparedStatement select =
                        connection.prepareStatement("SELECT id FROM event WHERE id IN (" + marks + ")")) {
                    for (int i = 0; i < some.size(); i++) {
                        select.setString(i + 1, some.get(i).toString());
                    }
                    try (ResultSet row = select.executeQuery()) {
                        while (row.next()) {
                            known.add(UUID.fromString(row.getString(1)));
                        }
                    }
                }
            }
            return known;
        });
    }

    /**
     * Removes the runs that ended before a time, and what else happened before it.
     *
     * @return how many runs
     */
    int prune(Instant before) {
        long time = Micros.of(before);
        return transaction(connection -> {
            update(connection, "DELETE FROM job_mark WHERE at < ?", time);
            update(connection, "DELETE FROM job_outcome WHERE at < ?", time);
            update(connection, "DELETE FROM vm_end WHERE opened IN (SELECT opened FROM vm_run WHERE ended < ?)", time);
            int runs = update(connection, "DELETE FROM vm_run WHERE ended < ?", time);
            update(
                    connection,
                    "DELETE FROM event WHERE at < ?"
                            + " AND NOT EXISTS (SELECT 1 FROM vm_run r WHERE r.opened = event.id)"
                            + " AND NOT EXISTS (SELECT 1 FROM vm_end e WHERE e.closed = event.id)",
                    time);
            return runs;
        });
    }

    private static int update(Connection connection, String sql, long time) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, time);
            return statement.executeUpdate();
        }
    }

    /** @return by start, then machine name; the newest where the query has a limit */
    List<VmInterval> intervals(VmIntervalQuery query) {
        Conditions where = Conditions.of(query);
        // The newest are found in the index of their order alone, and looked up then.
        String from = query.limit() == 0
                ? " FROM vm_run r LEFT JOIN vm_end e ON e.opened = r.opened" + where.text()
                : " FROM (SELECT r.opened FROM vm_run r" + where.text()
                        + " ORDER BY r.started DESC, r.vm DESC, r.opened DESC LIMIT " + query.limit()
                        + ") k JOIN vm_run r ON r.opened = k.opened LEFT JOIN vm_end e ON e.opened = r.opened";
        return select(
                "SELECT " + Rows.INTERVAL + from + " ORDER BY r.started, r.vm, r.opened",
                where.values(),
                Rows::interval);
    }

    /**
     * Sums, the largest core time first; the newest groups where the query has a limit.
     *
     * @param now how long a run without an end has lasted until
     */
    List<Usage> usage(Grouping grouping, VmIntervalQuery query, Instant now) {
        Conditions where = Conditions.of(query);
        String keys = grouping.columns();
        String sums = new UsageSql(engine, query, now).sums();
        String from = " FROM vm_run r" + where.text() + " GROUP BY " + keys;
        String newest = " ORDER BY first DESC LIMIT " + query.limit();
        List<Object> values = new ArrayList<>(where.values());
        if (query.limit() == 0) {
            newest = "";
        } else if (grouping == Grouping.JOBS) {
            // There are nearly as many jobs as machines: only those that are wanted are summed up.
            from = " FROM (SELECT " + keys + ", MIN(r.started) AS first" + from + newest
                    + ") k JOIN vm_run r ON r.job = k.job AND r.cluster = k.cluster AND r.scheduler = k.scheduler"
                    + where.text() + " GROUP BY " + keys;
            newest = "";
            values.addAll(where.values());
        }
        int columns = grouping.titles().size();
        List<Usage> found =
                select("SELECT " + keys + ", " + sums + from + newest, values, row -> Rows.usage(row, columns));
        found.sort(UsageReport.LARGEST_FIRST);
        return found;
    }

    /** @return by the time at which they were noticed */
    List<JobOutcome> outcomes(JobKey job) {
        return select(
                "SELECT " + Rows.OUTCOME + " FROM job_outcome"
                        + " WHERE job = ? AND cluster = ? AND scheduler = ? AND attempt = ? ORDER BY at, event",
                List.of(job.id(), job.cluster(), job.scheduler(), job.attempt()),
                Rows::outcome);
    }

    /** Those noticed in {@code [since, until)}, by time. */
    List<JobOutcome> outcomes(@Nullable Instant since, @Nullable Instant until) {
        Conditions where = new Conditions()
                .andIfGiven("at >= ?", since == null ? null : Micros.of(since))
                .andIfGiven("at < ?", until == null ? null : Micros.of(until));
        return select(
                "SELECT " + Rows.OUTCOME + " FROM job_outcome" + where.text() + " ORDER BY at, event",
                where.values(),
                Rows::outcome);
    }

    /** Marks of the jobs whose machines a query asks for, by time. */
    List<JobMark> marks(VmIntervalQuery query) {
        Conditions where = new Conditions()
                .andIfGiven("at >= ?", query.since() == null ? null : Micros.of(query.since()))
                .andIfGiven("at < ?", query.until() == null ? null : Micros.of(query.until()))
                .andIfGiven("cluster = ?", query.cluster())
                .andIfGiven("node = ?", query.node())
                .andIfGiven("job = ?", query.job())
                .andIfGiven(
                        "EXISTS (SELECT 1 FROM vm_run r WHERE r.job = job_mark.job AND r.cluster = job_mark.cluster"
                                + " AND r.user_name = ?)",
                        query.user());
        return select(
                "SELECT cluster, scheduler, job, attempt, at, kind, node FROM job_mark" + where.text()
                        + " ORDER BY at, event",
                where.values(),
                Rows::mark);
    }

    /**
     * Gives every event that the tables are made of: those that would make the same tables elsewhere. Of several ends of a
     * run the one that counts.
     */
    void events(Consumer<LedgerEvent> to) {
        each(
                "SELECT " + Rows.INTERVAL + ", v.at FROM vm_run r JOIN event v ON v.id = r.opened"
                        + " LEFT JOIN vm_end e ON e.opened = r.opened ORDER BY r.started, r.opened",
                Rows::opened,
                to);
        each(
                "SELECT v.cluster, v.scheduler, v.job, v.attempt, v.at, e.* FROM vm_end e JOIN event v ON v.id = e.closed"
                        + " ORDER BY e.ended, e.opened",
                Rows::closed,
                to);
        each("SELECT event, " + Rows.OUTCOME + " FROM job_outcome ORDER BY at, event", Rows::ofOutcome, to);
        each("SELECT body FROM job_mark ORDER BY at, event", Rows::ofBody, to);
    }

    private void each(String sql, Row<LedgerEvent> row, Consumer<LedgerEvent> to) {
        read(sql, List.of(), row, to);
    }

    @Override
    public synchronized void close() {
        Connection open = writer;
        writer = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                throw failed("cannot close the ledger's database", e);
            }
        }
    }

    private <T> List<T> select(String sql, List<Object> values, Row<T> row) {
        List<T> found = new ArrayList<>();
        read(sql, values, row, found::add);
        return found;
    }

    /** Reads on a connection of its own, so that a long report holds up no event. */
    private <T> void read(String sql, List<Object> values, Row<T> row, Consumer<T> to) {
        open();
        try (Connection reader = engine.connect();
                PreparedStatement select = reader.prepareStatement(sql)) {
            select.setFetchSize(FETCH);
            for (int i = 0; i < values.size(); i++) {
                select.setObject(i + 1, values.get(i));
            }
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    to.accept(row.of(rows));
                }
            }
        } catch (SQLException e) {
            throw failed("cannot read the ledger's database", e);
        }
    }

    private VseException failed(String what, SQLException cause) {
        Throwable root = cause.getCause() == null ? cause : cause.getCause();
        return VseException.of(engine.isFull(cause) ? ErrorCode.DISK_FULL : ErrorCode.LEDGER_FAILED, what)
                .at(engine.place())
                .fact("reason", String.valueOf(root.getMessage()))
                .because(cause);
    }

    /** Reads one value out of the current row. */
    @FunctionalInterface
    private interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }
}

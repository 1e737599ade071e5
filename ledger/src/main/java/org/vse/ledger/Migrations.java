package org.vse.ledger;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Brings a database to the newest schema, one transaction for each step. Steps are never edited once released; a change is a
 * further step.
 *
 * @param steps the SQL of version 1, 2, … in order
 */
record Migrations(List<String> steps) {
    /** All steps of this release for SQLite. */
    static Migrations sqlite() {
        return new Migrations(List.of(resource("sqlite/0001.sql"), resource("sqlite/0002.sql")));
    }

    /** All steps of this release for PostgreSQL. */
    static Migrations postgresql() {
        return new Migrations(List.of(resource("postgresql/0001.sql")));
    }

    /**
     * @throws VseException LEDGER_FAILED when the database is of a newer version than the last step
     * @throws SQLException when a step fails; the database is then at the step before
     */
    void apply(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY)");
            connection.commit();
            int version = version(statement);
            if (version > steps.size()) {
                throw VseException.of(ErrorCode.LEDGER_FAILED, "the ledger was written by a newer version of vse")
                        .fact("schema", version)
                        .fact("known", steps.size())
                        .next("use the newer version");
            }
            for (int next = version + 1; next <= steps.size(); next++) {
                statement.executeUpdate(steps.get(next - 1));
                try (PreparedStatement done = connection.prepareStatement("INSERT INTO schema_version VALUES (?)")) {
                    done.setInt(1, next);
                    done.executeUpdate();
                }
                connection.commit();
            }
        } finally {
            connection.rollback();
        }
    }

    private static int version(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT COALESCE(MAX(version), 0) FROM schema_version")) {
            return row.next() ? row.getInt(1) : 0;
        }
    }

    private static String resource(String name) {
        try (InputStream sql = Migrations.class.getResourceAsStream(name)) {
            if (sql == null) {
                throw new IllegalStateException("resource " + name + " is missing");
            }
            return new String(sql.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("resource " + name + " is unreadable", e);
        }
    }
}

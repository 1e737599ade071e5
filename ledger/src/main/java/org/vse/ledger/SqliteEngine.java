package org.vse.ledger;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;

/**
 * One SQLite file.
 *
 * <p>The file is made from the event logs and can be made again from them: it is written with {@code synchronous=NORMAL},
 * which after a power cut may lose the newest transactions as a whole (sqlite.org/wal.html) and with each of them the log
 * position that says so.
 */
record SqliteEngine(Path file, Migrations migrations) implements Engine {
    private static final int BUSY_MILLIS = 10_000;
    private static final int CACHE_KIB = 16 << 10;

    @Override
    public Connection connect() throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
        config.setBusyTimeout(BUSY_MILLIS);
        config.setCacheSize(-CACHE_KIB);
        config.enforceForeignKeys(true);
        // The URI form (sqlite.org/uri.html) takes any path; in the plain form a '?' begins options.
        Connection connection = config.createConnection("jdbc:sqlite:" + file.toUri());
        connection.setAutoCommit(false);
        return connection;
    }

    @Override
    public String place() {
        return file.toString();
    }

    @Override
    public boolean isFull(SQLException e) {
        return e.getErrorCode() == SQLiteErrorCode.SQLITE_FULL.code;
    }

    @Override
    public boolean mayBeAway() {
        return false;
    }

    @Override
    public String least() {
        return "min";
    }

    @Override
    public String greatest() {
        return "max";
    }
}

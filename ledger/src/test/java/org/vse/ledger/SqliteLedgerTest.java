package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vse.ledger.Events.T0;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vse.failure.VseException;

class SqliteLedgerTest extends LedgerContract {
    @Override
    Ledger open(Path directory) {
        return Ledger.open(directory);
    }

    @Test
    void onlyTheOwnerReadsIt() throws IOException {
        Path inner = directory.resolve("a ledger?mode=ro#%20 ä");
        try (Ledger made = open(inner)) {
            made.record(Events.opened("7", T0));
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(inner)))
                    .isEqualTo("rwx------");
            assertThat(inner.resolve("ledger.sqlite")).exists();
        }
    }

    @Test
    void theDatabaseIsMadeAgainFromTheLog() throws IOException {
        var run = Events.opened("7", T0);
        ledger.record(run);
        ledger.close();
        Files.delete(directory.resolve("ledger.sqlite"));
        ledger = open(directory);
        assertThat(all()).containsExactly(Events.running(run));
    }

    @Test
    void aLogThatWasRemovedTakesNothingFromTheDatabase() throws IOException {
        var run = Events.opened("7", T0);
        ledger.record(run);
        ledger.close();
        Files.delete(directory.resolve("events.ndjson"));
        ledger = open(directory);
        var next = Events.opened("8", T0.plusSeconds(1));
        ledger.record(next);
        assertThat(all()).containsExactly(Events.running(run), Events.running(next));
    }

    @Test
    void aFileThatIsNoDatabaseIsRefused() throws IOException {
        Path other = directory.resolve("other");
        Files.createDirectories(other);
        Files.writeString(other.resolve("ledger.sqlite"), "not a database, however long this text may be".repeat(50));
        assertThatThrownBy(() -> open(other))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("ledger.sqlite")
                .hasMessageContaining("[LEDGER_FAILED]");
    }

    @Test
    void aNewerSchemaIsRefused() throws SQLException {
        execute("INSERT INTO schema_version VALUES (99)");
        ledger.close();
        assertThatThrownBy(() -> open(directory))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("newer version of vse")
                .hasMessageContaining("schema: 99");
        execute("DELETE FROM schema_version WHERE version = 99");
        ledger = open(directory);
    }

    @Test
    void aMigrationThatFailsLeavesTheStepBefore() throws SQLException {
        ledger.record(Events.opened("7", T0));
        ledger.close();
        String first = Migrations.all().steps().get(0);
        assertThatThrownBy(() -> Ledger.open(
                                directory,
                                new Migrations(List.of(
                                        first,
                                        "ALTER TABLE vm_run ADD COLUMN pool TEXT",
                                        "CREATE TABLE half (x TEXT); ALTER TABLE missing ADD COLUMN y TEXT")))
                        .close())
                .isInstanceOf(VseException.class)
                .hasMessageContaining("missing");
        assertThat(number("SELECT MAX(version) FROM schema_version")).isEqualTo(2);
        assertThat(number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'half'"))
                .isZero();
        ledger = Ledger.open(directory, new Migrations(List.of(first, "not run again", "CREATE TABLE third (x TEXT)")));
        assertThat(number("SELECT MAX(version) FROM schema_version")).isEqualTo(3);
        assertThat(all()).hasSize(1);
    }

    @Test
    void aDatabaseThatFailsHoldsNoEventUp() throws SQLException {
        execute("ALTER TABLE vm_run RENAME TO away");
        var run = Events.opened("7", T0);
        ledger.record(run);
        assertThatThrownBy(this::all).isInstanceOf(VseException.class).hasMessageContaining("[LEDGER_FAILED]");
        execute("ALTER TABLE away RENAME TO vm_run");
        assertThat(all()).containsExactly(Events.running(run));
    }

    @Test
    void itIsWrittenInWalModeWithForeignKeys() throws SQLException {
        ledger.record(Events.opened("7", T0));
        assertThat(directory.resolve("ledger.sqlite-wal")).exists();
        assertThat(number("SELECT COUNT(*) FROM pragma_foreign_key_list('vm_run')"))
                .isEqualTo(1);
    }

    @Test
    void aHundredThousandIntervalsAreNoTrouble() throws SQLException {
        // Run i begins at second i and lasts 30 s; made in the database itself, because recording them takes far
        // longer.
        execute("""
                CREATE TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
                    SELECT i, format('%08d-0000-0000-0000-000000000001', i) AS o,
                        format('%08d-0000-0000-0000-000000000002', i) AS c FROM n;
                INSERT INTO event SELECT o, 'VM_OPENED', 0, 'hpc1', 'local', i, 1 FROM n;
                INSERT INTO event SELECT c, 'VM_CLOSED', 0, 'hpc1', 'local', i, 1 FROM n;
                INSERT INTO vm_run SELECT o, 'hpc1', 'local', i, 1, 'u' || (i % 50), 1, NULL, 'vm', 0, 'n' || (i % 20),
                    '0,1', 2, 1048576, 'debian-12', 'sha256:00', 'KVM', i * 1000000 FROM n;
                INSERT INTO vm_end SELECT o, c, (i + 30) * 1000000, 'FINISHED', 1, 1 FROM n;
                """);
        var hour = VmIntervalQuery.all().between(Instant.ofEpochSecond(90_000), Instant.ofEpochSecond(93_600));
        long begin = System.nanoTime();
        assertThat(ledger.intervals(hour)).hasSize(3600 + 29);
        assertThat(ledger.intervals(hour.ofUser("u7"))).hasSize(72);
        assertThat(ledger.intervals(VmIntervalQuery.all().ofJob("77777"))).hasSize(1);
        assertThat(ledger.intervals(VmIntervalQuery.all().running())).isEmpty();
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .as("all four; generous, to catch only a query that has become quadratic")
                .isLessThan(Duration.ofSeconds(20));
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    private int number(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            assertThat(row.next()).isTrue();
            return row.getInt(1);
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("ledger.sqlite"));
    }
}

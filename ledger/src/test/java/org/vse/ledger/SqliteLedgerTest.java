package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vse.ledger.Events.T0;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
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
        List<String> released = Migrations.sqlite().steps();
        int last = released.size();
        List<String> failing = new ArrayList<>(released);
        failing.add("ALTER TABLE vm_run ADD COLUMN pool TEXT");
        failing.add("CREATE TABLE half (x TEXT); ALTER TABLE missing ADD COLUMN y TEXT");
        assertThatThrownBy(() -> open(failing).close())
                .isInstanceOf(VseException.class)
                .hasMessageContaining("missing");
        assertThat(number("SELECT MAX(version) FROM schema_version")).isEqualTo(last + 1);
        assertThat(number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'half'"))
                .isZero();
        failing.set(last, "not run again");
        failing.set(last + 1, "CREATE TABLE third (x TEXT)");
        ledger = open(failing);
        assertThat(number("SELECT MAX(version) FROM schema_version")).isEqualTo(last + 2);
        assertThat(all()).hasSize(1);
    }

    /** A database as version 0.1.0 wrote it, with one ended run, one running and one refusal. */
    @Test
    void theFirstReleasedSchemaIsBroughtForward() throws SQLException, IOException {
        ledger.close();
        Files.delete(directory.resolve("ledger.sqlite"));
        try (var dump = SqliteLedgerTest.class.getResourceAsStream("ledger-0.1.0.sql")) {
            execute(new String(Objects.requireNonNull(dump).readAllBytes(), StandardCharsets.UTF_8));
        }
        assertThat(number("SELECT MAX(version) FROM schema_version")).isEqualTo(1);
        ledger = open(directory);
        assertThat(all()).extracting(run -> run.job().id()).containsExactly("7", "8");
        assertThat(all().get(0).ending())
                .isEqualTo(new Ending(T0.plusSeconds(60), VmEnd.FINISHED, 5_000_000_000L, 300L << 20));
        assertThat(all().get(0).machine().coreCount()).isEqualTo(1);
        var sums = ledger.usage(Grouping.USERS, VmIntervalQuery.all(), T0.plusSeconds(100));
        assertThat(sums).extracting(Usage::coreMicros).containsExactly(60_000_000L + 2 * 90_000_000L);
        assertThat(ledger.outcomes(null, null)).extracting(JobOutcome::code).containsExactly(ErrorCode.IMAGE_UNKNOWN);
    }

    private Ledger open(List<String> steps) {
        return Ledger.open(directory, new SqliteEngine(directory.resolve("ledger.sqlite"), new Migrations(steps)));
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
                INSERT INTO vm_run (opened, cluster, scheduler, job, attempt, user_name, uid, vm, vm_index, node, cores,
                        core_count, vcpus, memory_bytes, image, digest, accelerator, started, ended, cpu_nanos)
                    SELECT o, 'hpc1', 'local', i, 1, 'u' || (i % 50), 1, 'vm', 0, 'n' || (i % 20), '0,1',
                        2, 2, 1048576, 'debian-12', 'sha256:00', 'KVM', i * 1000000, (i + 30) * 1000000, 1 FROM n;
                INSERT INTO vm_end (opened, closed, ended, why, cpu_nanos, peak_memory_bytes)
                    SELECT o, c, (i + 30) * 1000000, 'FINISHED', 1, 1 FROM n;
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

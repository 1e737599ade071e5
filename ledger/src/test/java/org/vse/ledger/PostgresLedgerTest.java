package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vse.ledger.Events.T0;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.vse.failure.VseException;

@Tag("system")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PostgresLedgerTest extends LedgerContract {
    private final Map<Path, PostgresAddress> databases = new HashMap<>();
    private @Nullable PostgresServer running;

    @BeforeAll
    void startServer() {
        running = new PostgresServer();
    }

    @AfterAll
    void endServer() {
        server().close();
    }

    private PostgresServer server() {
        return java.util.Objects.requireNonNull(running);
    }

    @Override
    Ledger open(Path where) {
        return Ledger.open(
                where, databases.computeIfAbsent(where, name -> server().create("ledger" + databases.size())));
    }

    private String database() {
        return java.util.Objects.requireNonNull(databases.get(directory)).database();
    }

    @Test
    void aServerThatIsAwayLosesNothing() {
        var run = Events.opened("7", T0);
        var end = Events.closed(run, Duration.ofMinutes(3));
        ledger.record(run);
        server().stop();
        ledger.record(end);
        assertThat(ledger.isBehind()).isTrue();
        assertThatThrownBy(this::all).isInstanceOf(VseException.class).hasMessageContaining("[LEDGER_FAILED]");
        reopen();
        ledger.record(Events.opened("8", T0.plusSeconds(1)));
        server().start();
        assertThat(ledger.isBehind()).isTrue();
        assertThat(all()).hasSize(2).contains(Events.interval(run, end));
        assertThat(ledger.isBehind()).isFalse();
    }

    @Test
    void theFirstReleasedSchemaIsBroughtForward() {
        ledger.close();
        PostgresAddress old = server().create("old");
        server().execute("old", "CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY)");
        server().execute("old", Migrations.postgresql().steps().get(0));
        server().execute("old", "INSERT INTO schema_version VALUES (1)");
        databases.put(directory, old);
        ledger = open(directory);
        ledger.record(Events.opened("7", T0));
        assertThat(all()).hasSize(1);
    }

    @Test
    void aNewerSchemaIsRefused() {
        server().execute(database(), "INSERT INTO schema_version VALUES (99)");
        ledger.close();
        assertThatThrownBy(() -> open(directory))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("newer version of vse");
        server().execute(database(), "DELETE FROM schema_version WHERE version = 99");
        ledger = open(directory);
    }

    @Test
    void anAddressNeverShowsItsPassword() {
        PostgresAddress tcp = PostgresAddress.parse("postgresql://vse@db.example.org:5433/ledger")
                .withPassword("secret");
        assertThat(tcp).hasToString("postgresql://vse@db.example.org:5433/ledger");
        for (String wrong : List.of(
                "postgresql://db/ledger",
                "postgresql://vse:secret@db/ledger",
                "postgresql://vse@db/",
                "postgresql://vse@db/l?sslmode=disable",
                "mysql://vse@db/l",
                "postgresql://vse@/l",
                "postgresql://vse@/l?host=relative")) {
            assertThatThrownBy(() -> PostgresAddress.parse(wrong))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}

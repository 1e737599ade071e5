package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerListenerTest {
    @TempDir
    Path dir;

    private final List<LedgerEvent> told = new ArrayList<>();
    private Ledger ledger;

    @BeforeEach
    void open() {
        ledger = Ledger.open(dir);
    }

    @AfterEach
    void close() {
        ledger.close();
    }

    @Test
    void whatIsRecordedIsToldInItsOrderOnceItIsDurable() {
        long empty = ledger.end();
        ledger.onRecorded(event -> {
            assertThat(ledger.end()).isGreaterThan(empty);
            told.add(event);
        });
        var run = Events.opened("7", Events.T0);
        var end = Events.closed(run, Duration.ofMinutes(3));
        ledger.record(List.of(run, end));
        assertThat(told).containsExactly(run, end);
        assertThat(ledger.shipment("n1", 0, 10).end()).isEqualTo(ledger.end());
    }

    @Test
    void whatIsNotDurableOrComesFromAnotherNodeIsNotTold() {
        ledger.onRecorded(told::add);
        var run = Events.opened("7", Events.T0);
        ledger.accept(new Shipment("n2", UUID.randomUUID(), 0, 100, List.of(run)), Events.T0);
        ledger.close();
        assertThatThrownBy(() -> ledger.record(Events.opened("8", Events.T0))).isInstanceOf(RuntimeException.class);
        assertThat(told).isEmpty();
    }

    @Test
    void aListenerThatFailsHarmsNeitherTheRecorderNorTheOthers() {
        ledger.onRecorded(event -> {
            throw new IllegalStateException("as asked");
        });
        ledger.onRecorded(told::add);
        ledger.record(Events.opened("7", Events.T0));
        assertThat(told).hasSize(1);
        assertThat(ledger.intervals(VmIntervalQuery.all())).hasSize(1);
    }
}

package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerInterruptTest {
    @TempDir
    Path dir;

    @Test
    void anInterruptedCallerClosesTheLedgerForNobody() {
        try (Ledger ledger = Ledger.open(dir)) {
            Thread.currentThread().interrupt();
            ledger.record(Events.opened("7", Events.T0));
            assertThat(ledger.intervals(VmIntervalQuery.all())).hasSize(1);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(ledger.intervals(VmIntervalQuery.all())).hasSize(1);
        }
    }
}

package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vse.ledger.Events.T0;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Crashes, as they look afterwards: a log longer than the database, a database longer than the log, a torn log. */
class LedgerCrashTest {
    @TempDir
    Path directory;

    @Test
    void whatTheDatabaseMissedIsAppliedAtTheNextOpening() {
        var run = Events.opened("7", T0);
        var end = Events.closed(run, Duration.ofSeconds(3));
        try (Ledger ledger = Ledger.open(directory)) {
            ledger.record(run);
        }
        try (EventLog log = EventLog.open(directory.resolve("events.ndjson"))) {
            log.append(List.of(end));
        }
        try (Ledger ledger = Ledger.open(directory)) {
            assertThat(ledger.intervals(VmIntervalQuery.all())).containsExactly(Events.interval(run, end));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void killedAnywhereAndRetriedTheLedgerIsTheSame(long seed) throws IOException {
        Random random = new Random(seed);
        List<LedgerEvent> script = new ArrayList<>();
        List<VmInterval> expected = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            var run = Events.opened("" + i, T0.plusSeconds(i));
            script.add(run);
            if (random.nextBoolean()) {
                var end = Events.closed(run, Duration.ofSeconds(random.nextInt(100)));
                script.add(random.nextInt(script.size() + 1), end);
                expected.add(Events.interval(run, end));
            } else {
                expected.add(Events.running(run));
            }
        }
        int done = 0;
        while (done < script.size()) {
            Path log = directory.resolve("events.ndjson");
            Path database = directory.resolve("ledger.sqlite");
            Path older = directory.resolve("older.sqlite");
            try (Ledger ledger = Ledger.open(directory)) {
                for (int i = random.nextInt(4); i > 0 && done < script.size(); i--) {
                    ledger.record(script.get(done++));
                }
            }
            if (random.nextInt(3) == 0 && Files.exists(older)) {
                Files.copy(older, database, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.copy(database, older, StandardCopyOption.REPLACE_EXISTING);
            }
            if (random.nextInt(2) == 0 && done > 0) {
                // The call for the last event did not return: any part of its line may be there, and it is recorded
                // again.
                byte[] bytes = Files.readAllBytes(log);
                int lastLine = bytes.length - 1;
                while (lastLine > 0 && bytes[lastLine - 1] != '\n') {
                    lastLine--;
                }
                if (lastLine > 0) {
                    done--;
                    Files.write(
                            log,
                            java.util.Arrays.copyOf(bytes, lastLine + random.nextInt(bytes.length - lastLine + 1)));
                }
            }
        }
        try (Ledger ledger = Ledger.open(directory)) {
            assertThat(ledger.intervals(VmIntervalQuery.all())).containsExactlyElementsOf(expected);
        }
    }
}

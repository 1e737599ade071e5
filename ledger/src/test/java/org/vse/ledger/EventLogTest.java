package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vse.ledger.Events.T0;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class EventLogTest {
    @TempDir
    Path directory;

    private final LedgerEvent first = Events.opened("7", T0);
    private final LedgerEvent second = Events.closed((LedgerEvent.VmOpened) first, Duration.ofSeconds(9));

    @Test
    void everyLineIsJsonAndEveryEventComesBack() throws IOException {
        try (EventLog log = EventLog.open(file())) {
            log.append(List.of(first));
            log.append(List.of(second));
            assertThat(log.read(0, 10).events()).containsExactly(first, second);
            assertThat(log.read(0, 10).end()).isEqualTo(log.end()).isEqualTo(Files.size(file()));
            EventLog.Batch one = log.read(0, 1);
            assertThat(one.events()).containsExactly(first);
            assertThat(log.read(one.end(), 10).events()).containsExactly(second);
            assertThat(log.read(log.end(), 10).events()).isEmpty();
        }
        var mapper = new com.fasterxml.jackson.databind.ObjectMapper();
        for (String line : Files.readAllLines(file())) {
            assertThat(mapper.readTree(line).required("body").isObject()).isTrue();
        }
    }

    @Test
    void aCrashAtAnyByteOfTheLastRecordLosesOnlyThatRecord() throws IOException {
        byte[] whole = written();
        int lastStart = lineStart(whole);
        for (int cut = lastStart; cut < whole.length; cut++) {
            Path log = directory.resolve("cut");
            Files.write(log, Arrays.copyOf(whole, cut));
            try (EventLog reopened = EventLog.open(log)) {
                assertThat(reopened.torn().isPresent()).as("cut at %s", cut).isEqualTo(cut > lastStart);
                int cutAt = cut;
                reopened.torn().ifPresent(torn -> {
                    assertThat(torn.offset()).isEqualTo(lastStart);
                    assertThat(torn.bytes()).isEqualTo(cutAt - lastStart);
                });
                reopened.append(List.of(second));
                assertThat(reopened.read(0, 10).events()).containsExactly(first, second);
            }
            try (EventLog again = EventLog.open(log)) {
                assertThat(again.torn()).isEmpty();
                assertThat(again.read(0, 10).events()).containsExactly(first, second);
            }
        }
    }

    @Test
    void aCrashAtAnyByteOfTheFirstLineLeavesAnEmptyLog() throws IOException {
        EventLog.open(file()).close();
        byte[] whole = Files.readAllBytes(file());
        for (int cut = 0; cut < whole.length; cut++) {
            Files.write(file(), Arrays.copyOf(whole, cut));
            try (EventLog log = EventLog.open(file())) {
                assertThat(log.torn().isPresent()).as("cut at %s", cut).isEqualTo(cut > 0);
                log.append(List.of(first));
                assertThat(log.read(0, 10).events()).containsExactly(first);
            }
        }
    }

    @Test
    void aLastLineWithAHoleIsCutOffToo() throws IOException {
        byte[] whole = written();
        Arrays.fill(whole, lineStart(whole) + 40, whole.length - 5, (byte) 0);
        Files.write(file(), whole);
        try (EventLog log = EventLog.open(file())) {
            assertThat(log.torn()).isPresent();
            assertThat(log.read(0, 10).events()).containsExactly(first);
        }
    }

    @Test
    void damageBeforeTheLastLineIsAnErrorThatNamesThePlace() throws IOException {
        byte[] whole = written();
        int secondLine = new String(whole, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf('\n') + 1;
        whole[secondLine + 60] ^= 1;
        Files.write(file(), whole);
        try (EventLog log = EventLog.open(file())) {
            assertThat(log.torn()).isEmpty();
            assertThatThrownBy(() -> log.read(0, 10))
                    .isInstanceOf(VseException.class)
                    .hasMessageContaining("damaged at byte " + secondLine)
                    .hasMessageContaining(file().toString());
        }
    }

    @Test
    void anEventOfANewerVersionIsNotPassedOver() throws IOException {
        EventLog.open(file()).close();
        Files.write(
                file(),
                LogFrame.of("{\"event\":\"vm-moved\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                StandardOpenOption.APPEND);
        try (EventLog log = EventLog.open(file())) {
            assertThatThrownBy(() -> log.read(0, 10))
                    .isInstanceOf(VseException.class)
                    .hasMessageContaining("vm-moved")
                    .hasMessageContaining("[LEDGER_FAILED]");
        }
    }

    @Test
    void aForeignFileIsNotTouched() throws IOException {
        for (String text : List.of("hello", "{\"a\":1}\n".repeat(50))) {
            Files.writeString(file(), text);
            assertThatThrownBy(() -> EventLog.open(file()))
                    .isInstanceOf(VseException.class)
                    .hasMessageContaining("not an event log");
            assertThat(file()).hasContent(text);
        }
    }

    @Test
    void aFullDiskIsNamed() {
        assertThatThrownBy(() -> EventLog.open(Path.of("/dev/full")))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DISK_FULL));
    }

    @Test
    void anEventThatIsTooLargeIsRefusedAndTheLogGoesOn() {
        var huge = Events.opened("x".repeat(EventLog.MAX_LINE), T0);
        try (EventLog log = EventLog.open(file())) {
            assertThatThrownBy(() -> log.append(List.of(first, huge))).isInstanceOf(IllegalArgumentException.class);
            log.append(List.of(second));
            assertThat(log.read(0, 10).events()).containsExactly(second);
        }
    }

    @Test
    void linesMayCrossTheBlocksInWhichTheyAreRead() {
        var large = Events.opened("x".repeat(200_000), T0);
        try (EventLog log = EventLog.open(file())) {
            log.append(List.of(first, large, second, large));
        }
        try (EventLog log = EventLog.open(file())) {
            assertThat(log.read(0, 10).events()).containsExactly(first, large, second, large);
        }
    }

    private Path file() {
        return directory.resolve("events.ndjson");
    }

    private byte[] written() throws IOException {
        try (EventLog log = EventLog.open(file())) {
            log.append(List.of(first, second));
        }
        return Files.readAllBytes(file());
    }

    private static int lineStart(byte[] whole) {
        int i = whole.length - 1;
        while (whole[i - 1] != '\n') {
            i--;
        }
        return i;
    }
}

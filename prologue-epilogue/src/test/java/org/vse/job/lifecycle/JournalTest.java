package org.vse.job.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class JournalTest {
    @TempDir
    Path dir;

    private Path file() {
        return dir.resolve("journal");
    }

    private Journal open() {
        return Journal.open(file(), JobFixture.json(), Clock.systemUTC());
    }

    @Test
    void anotherProcessFindsWhatWasWritten() {
        try (Journal journal = open()) {
            journal.enter(JobState.ADMITTED);
            journal.intent("stage");
            journal.done("stage");
            journal.enter(JobState.STAGED);
            journal.intent("share");
        }
        try (Journal journal = open()) {
            assertThat(journal.state()).isEqualTo(JobState.STAGED);
            assertThat(journal.begun()).containsExactly("stage", "share");
            assertThat(journal.applied()).containsExactly("stage");
            assertThat(journal.isGoingBack()).isFalse();
            journal.undone("share");
            assertThat(journal.begun()).containsExactly("stage");
            assertThat(journal.isGoingBack()).isTrue();
        }
    }

    @Test
    void aLastLineCutAnywhereIsDroppedAndWritingGoesOn() throws IOException {
        try (Journal journal = open()) {
            journal.enter(JobState.ADMITTED);
            journal.intent("stäge");
            journal.done("stäge");
        }
        byte[] whole = Files.readAllBytes(file());
        int last = whole.length - 1;
        while (whole[last - 1] != '\n') {
            last--;
        }
        for (int length = last; length < whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            try (Journal journal = open()) {
                assertThat(journal.begun()).as("cut at %d", length).containsExactly("stäge");
                assertThat(journal.applied()).as("cut at %d", length).isEmpty();
                journal.done("stäge");
            }
            assertThat(Files.readAllLines(file())).as("cut at %d", length).hasSize(3);
            try (Journal journal = open()) {
                assertThat(journal.applied()).as("cut at %d", length).containsExactly("stäge");
            }
        }
    }

    @Test
    void aDamagedLineIsNamedWithItsPlace() throws IOException {
        try (Journal journal = open()) {
            journal.enter(JobState.ADMITTED);
            journal.intent("stage");
            journal.done("stage");
        }
        List<String> lines = Files.readAllLines(file());
        for (String damage : List.of("{", "null and void", "{\"at\":1,\"kind\":\"NEVER\"}", "\0\0\0\0", "{\"x\":1}")) {
            Files.write(file(), List.of(lines.get(0), damage, lines.get(2)));
            VseException failure = catchThrowableOfType(VseException.class, this::open);
            assertThat(failure).as(damage).isNotNull();
            assertThat(failure.code()).as(damage).isEqualTo(ErrorCode.JOURNAL_CORRUPT);
            assertThat(failure.where()).isEqualTo(file() + ":2");
        }
    }

    @Test
    void anIllegalMoveThrowsAndWritesNothing() throws IOException {
        try (Journal journal = open()) {
            assertIllegal(journal, JobState.RUNNING);
            journal.enter(JobState.ADMITTED);
            byte[] before = Files.readAllBytes(file());
            assertIllegal(journal, JobState.ADMITTED);
            assertIllegal(journal, JobState.SETTLED);
            assertThat(Files.readAllBytes(file())).isEqualTo(before);
            journal.enter(JobState.FAILED);
            assertIllegal(journal, JobState.FAILED);
        }
    }

    private static void assertIllegal(Journal journal, JobState next) {
        VseException failure = catchThrowableOfType(VseException.class, () -> journal.enter(next));
        assertThat(failure.code()).isEqualTo(ErrorCode.ILLEGAL_TRANSITION);
    }

    @Test
    void anInterruptOfTheWriterHarmsNothing() {
        try (Journal journal = open()) {
            Thread.currentThread().interrupt();
            journal.enter(JobState.ADMITTED);
            assertThat(Thread.interrupted()).isTrue();
            journal.intent("stage");
        }
        try (Journal journal = open()) {
            assertThat(journal.begun()).containsExactly("stage");
        }
    }
}

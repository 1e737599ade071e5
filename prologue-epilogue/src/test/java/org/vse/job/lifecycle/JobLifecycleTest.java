package org.vse.job.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class JobLifecycleTest {
    private static final List<String> NAMES = List.of("a", "b", "c", "d", "e");

    @TempDir
    Path dir;

    private final List<String> calls = new ArrayList<>();
    private final Set<String> made = new HashSet<>();
    private final Set<String> applyFails = new HashSet<>();
    private final Set<String> undoFails = new HashSet<>();

    /** Makes something with its name, and takes it away. */
    private final class Scripted implements Step {
        private final String name;

        Scripted(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void apply(Job job, Progress progress) {
            calls.add("+" + name);
            made.add(name);
            if (applyFails.contains(name)) {
                throw VseException.of(ErrorCode.LIBVIRT_FAILED, "apply " + name);
            }
        }

        @Override
        public void undo(Job job) {
            calls.add("-" + name);
            if (undoFails.contains(name)) {
                throw VseException.of(ErrorCode.NETWORK_FAILED, "undo " + name);
            }
            made.remove(name);
        }
    }

    private JobLifecycle lifecycle() {
        return new JobLifecycle(
                NAMES.stream().map(Scripted::new).map(Step.class::cast).toList());
    }

    @Test
    void forwardStopsAtTheFirstErrorAndBackUndoesWhatBegan() throws IOException {
        Job job = JobFixture.admitted(dir, "1");
        applyFails.add("c");
        VseException failure =
                catchThrowableOfType(VseException.class, () -> lifecycle().forward(job, job));
        assertThat(failure.what()).isEqualTo("apply c");
        lifecycle().back(job);
        assertThat(calls).containsExactly("+a", "+b", "+c", "-c", "-b", "-a");
        assertThat(made).isEmpty();
        lifecycle().back(job);
        assertThat(calls).hasSize(6);
    }

    @Test
    void backTriesEverythingAndJoinsTheErrors() throws IOException {
        Job job = JobFixture.admitted(dir, "1");
        lifecycle().forward(job, job);
        undoFails.addAll(List.of("d", "b"));
        VseException failure =
                catchThrowableOfType(VseException.class, () -> lifecycle().back(job));
        assertThat(failure.what()).isEqualTo("undo d");
        assertThat(failure.getSuppressed()).singleElement().asString().contains("undo b");
        assertThat(made).containsExactlyInAnyOrder("b", "d");
        undoFails.clear();
        calls.clear();
        lifecycle().back(job);
        assertThat(calls).containsExactly("-d", "-b");
        assertThat(made).isEmpty();
    }

    @Test
    void onceTheWayBackHasBegunNothingIsAppliedAgain() throws IOException {
        Job job = JobFixture.admitted(dir, "1");
        lifecycle().forward(job, job);
        undoFails.add("c");
        assertThat(catchThrowableOfType(VseException.class, () -> lifecycle().back(job)))
                .isNotNull();
        job.close();
        calls.clear();
        Job later = JobFixture.reopened(dir, "1");
        lifecycle().forward(later, later);
        assertThat(calls).isEmpty();
    }

    @Test
    void whateverWriteACrashCutsTheNextProcessFinishesAndLeavesNothing() throws IOException {
        Random random = new Random(20_261_121);
        for (int round = 0; round < 200; round++) {
            String id = "j" + round;
            calls.clear();
            made.clear();
            applyFails.clear();
            if (random.nextBoolean()) {
                applyFails.add(NAMES.get(random.nextInt(NAMES.size())));
            }
            Job job = JobFixture.admitted(dir, id);
            boolean failed = runs(job);
            if (random.nextBoolean()) {
                lifecycle().back(job);
            }
            job.close();
            List<JournalEntry> all = job.journal().entries();
            int survived = 1 + random.nextInt(all.size());
            crash(job, survived, random);
            made.clear();
            made.addAll(leftBy(all, survived));
            Job later = JobFixture.reopened(dir, id);
            if (!failed && !later.journal().isGoingBack()) {
                lifecycle().forward(later, later);
                assertThat(later.journal().applied()).containsExactlyElementsOf(NAMES);
            }
            lifecycle().back(later);
            later.close();
            assertThat(made)
                    .as("round %d, crash after entry %d of %s", round, survived, all)
                    .isEmpty();
            assertThat(later.journal().begun()).isEmpty();
        }
    }

    private boolean runs(Job job) {
        try {
            lifecycle().forward(job, job);
            return false;
        } catch (VseException e) {
            return true;
        }
    }

    /** Keeps that many entries of the journal, and some of the bytes of the next. */
    private static void crash(Job job, int survived, Random random) throws IOException {
        byte[] bytes = Files.readAllBytes(job.files().journal());
        int end = 0;
        for (int line = 0; line < survived; end++) {
            line += bytes[end] == '\n' ? 1 : 0;
        }
        int next = end;
        while (next < bytes.length && bytes[next] != '\n') {
            next++;
        }
        int torn = next > end ? random.nextInt(next - end) : 0;
        Files.write(job.files().journal(), Arrays.copyOf(bytes, end + torn));
    }

    /** What the world has after that entry: what was begun and not undone. */
    private static Set<String> leftBy(List<JournalEntry> all, int survived) {
        Set<String> left = new HashSet<>();
        for (JournalEntry entry : all.subList(0, survived)) {
            if (entry.kind() == JournalEntry.Kind.INTENT) {
                left.add(String.valueOf(entry.step()));
            } else if (entry.kind() == JournalEntry.Kind.UNDONE) {
                left.remove(String.valueOf(entry.step()));
            }
        }
        return left;
    }

    @Test
    void whoIsToldHearsOfEveryEndOnceAndHowLongItTook() throws IOException {
        Job job = JobFixture.admitted(dir, "1");
        applyFails.add("c");
        List<String> told = new ArrayList<>();
        JobLifecycle lifecycle = lifecycle().telling((of, step, end, took) -> {
            assertThat(of).isSameAs(job);
            assertThat(took).isBetween(Duration.ZERO, Duration.ofMinutes(1));
            told.add(step + " " + end);
        });
        assertThat(catchThrowableOfType(VseException.class, () -> lifecycle.forward(job, job)))
                .isNotNull();
        undoFails.add("b");
        assertThat(catchThrowableOfType(VseException.class, () -> lifecycle.back(job)))
                .isNotNull();
        assertThat(told).containsExactly("a DONE", "b DONE", "c FAILED", "c UNDONE", "a UNDONE");
    }

    @Test
    void aStepLastsFromWhenItFirstBegan() throws IOException {
        Job job = JobFixture.admitted(dir, "1");
        job.journal().intent("a");
        job.close();
        JobFiles files = JobFixture.files(dir, "1");
        Clock later = Clock.offset(Clock.systemUTC(), Duration.ofHours(3));
        try (Journal journal = Journal.open(files.journal(), JobFixture.json(), later)) {
            journal.intent("a");
            assertThat(journal.since("a")).isBetween(Duration.ofHours(3), Duration.ofHours(4));
            assertThat(journal.since("b")).isZero();
        }
        Clock back = Clock.offset(Clock.systemUTC(), Duration.ofHours(-3));
        try (Journal journal = Journal.open(files.journal(), JobFixture.json(), back)) {
            assertThat(journal.since("a")).isZero();
        }
    }
}

package org.vse.job.lifecycle;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What a job attempt has begun and finished, one JSON line an entry, each on disk before the call returns.
 *
 * <p>A last line without its newline was cut off by a crash: it was never reported to anybody and is dropped. Any other
 * line that cannot be read is JOURNAL_CORRUPT. An interrupt of the writing thread harms nothing, which is why this is no
 * {@link java.nio.channels.FileChannel}.
 */
public final class Journal implements AutoCloseable {
    private final Path file;
    private final RandomAccessFile disk;
    private final ObjectMapper json;
    private final Clock clock;
    private final List<JournalEntry> entries;
    private long end;

    private Journal(
            Path file, RandomAccessFile disk, ObjectMapper json, Clock clock, List<JournalEntry> entries, long end) {
        this.file = file;
        this.disk = disk;
        this.end = end;
        this.json = json;
        this.clock = clock;
        this.entries = entries;
    }

    /** Opens a journal, new or as a crash has left it. */
    public static Journal open(Path file, ObjectMapper json, Clock clock) {
        try {
            byte[] bytes = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
            int end = bytes.length;
            while (end > 0 && bytes[end - 1] != '\n') {
                end--;
            }
            List<JournalEntry> entries = new ArrayList<>();
            int line = 0;
            for (String text :
                    new String(bytes, 0, end, StandardCharsets.UTF_8).lines().toList()) {
                line++;
                entries.add(parse(json, file, line, text));
            }
            DurableFile.makePrivate(file);
            RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw");
            disk.setLength(end);
            return new Journal(file, disk, json, clock, entries, end);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /** The state last entered; null before the first. */
    public synchronized @Nullable JobState state() {
        JobState state = null;
        for (JournalEntry entry : entries) {
            state = entry.state() == null ? state : entry.state();
        }
        return state;
    }

    /** When that state was entered; empty until it is. */
    public synchronized Optional<Instant> entered(JobState state) {
        return entries.stream()
                .filter(entry -> entry.state() == state)
                .map(JournalEntry::at)
                .findFirst();
    }

    /** When that step was first about to be applied; empty until it is. */
    public synchronized Optional<Instant> began(String step) {
        return entries.stream()
                .filter(entry -> entry.kind() == JournalEntry.Kind.INTENT && step.equals(entry.step()))
                .map(JournalEntry::at)
                .findFirst();
    }

    /** Time since that step was first about to be applied, whoever applied it; zero when it was not. */
    public Duration since(String step) {
        Instant now = clock.instant();
        Duration since = Duration.between(began(step).orElse(now), now);
        return since.isNegative() ? Duration.ZERO : since;
    }

    /** Enters a state. */
    public synchronized void enter(JobState next) {
        JobState now = state();
        if (now == null ? next != JobState.ADMITTED && next != JobState.FAILED : !now.mayBecome(next)) {
            throw VseException.of(ErrorCode.ILLEGAL_TRANSITION, "a job cannot go from " + now + " to " + next)
                    .at(file.toString());
        }
        write(new JournalEntry(clock.instant(), JournalEntry.Kind.STATE, null, next));
    }

    /** Says that a step is about to be applied. */
    public void intent(String step) {
        write(new JournalEntry(clock.instant(), JournalEntry.Kind.INTENT, step, null));
    }

    /** Says that a step has been applied. */
    public void done(String step) {
        write(new JournalEntry(clock.instant(), JournalEntry.Kind.DONE, step, null));
    }

    /** Says that a step has been undone. */
    public void undone(String step) {
        write(new JournalEntry(clock.instant(), JournalEntry.Kind.UNDONE, step, null));
    }

    /** Steps that may have left something: begun and not undone since, in the order in which they began. */
    public synchronized Set<String> begun() {
        Set<String> begun = new LinkedHashSet<>();
        for (JournalEntry entry : entries) {
            if (entry.kind() == JournalEntry.Kind.INTENT && entry.step() != null) {
                begun.add(entry.step());
            } else if (entry.kind() == JournalEntry.Kind.UNDONE && entry.step() != null) {
                begun.remove(entry.step());
            }
        }
        return begun;
    }

    /** Steps that were applied to their end and not undone since. */
    public synchronized Set<String> applied() {
        Set<String> applied = new LinkedHashSet<>();
        for (JournalEntry entry : entries) {
            if (entry.kind() == JournalEntry.Kind.DONE && entry.step() != null) {
                applied.add(entry.step());
            } else if (entry.kind() == JournalEntry.Kind.UNDONE && entry.step() != null) {
                applied.remove(entry.step());
            }
        }
        return applied;
    }

    /** True when a step has been undone: the way back has begun, and nothing is applied any more. */
    public synchronized boolean isGoingBack() {
        return entries.stream().anyMatch(entry -> entry.kind() == JournalEntry.Kind.UNDONE);
    }

    /** Everything written so far. */
    public synchronized List<JournalEntry> entries() {
        return List.copyOf(entries);
    }

    @Override
    public void close() {
        try {
            disk.close();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private synchronized void write(JournalEntry entry) {
        try {
            byte[] line = (json.writeValueAsString(entry) + "\n").getBytes(StandardCharsets.UTF_8);
            disk.seek(end);
            disk.write(line);
            disk.getFD().sync();
            end += line.length;
            entries.add(entry);
        } catch (IOException e) {
            VseException failure = failed(file, e);
            takeBack(failure);
            throw failure;
        }
    }

    private void takeBack(VseException failure) {
        try {
            disk.setLength(end);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private static JournalEntry parse(ObjectMapper json, Path file, int line, String text) {
        try {
            JournalEntry entry = json.readerFor(JournalEntry.class)
                    .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .readValue(text);
            if (entry == null) {
                throw new JsonParseException(null, "null is not an entry");
            }
            return entry;
        } catch (JsonProcessingException e) {
            throw VseException.of(ErrorCode.JOURNAL_CORRUPT, "the job's journal has a line that cannot be read")
                    .at(file + ":" + line)
                    .fact("reason", e.getOriginalMessage())
                    .next(
                            "keep the job's directory for a report, then move it away; its machines are found by their label")
                    .because(e);
        }
    }

    private static VseException failed(Path file, IOException e) {
        return VseException.storage("the job's journal cannot be written", file, e);
    }
}

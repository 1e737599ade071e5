package org.vse.job.lifecycle;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What a job tells its user, numbered from 0 and kept in a file, so that a reader who lost the daemon goes on where it
 * was. The last event of a feed is {@code settled}; what comes after it is not kept.
 *
 * <p>An event that the disk refuses is told all the same and written with the next one, so that a full disk neither ends a
 * job nor hides why it ended; {@link #requireKept} asks for what is still missing.
 */
public final class EventFeed {
    private static final Logger LOG = LoggerFactory.getLogger(EventFeed.class);

    /** Name of the last event. */
    public static final String LAST = "settled";

    private final Path file;
    private final ObjectMapper json;
    private final List<String> lines;
    private boolean ended;
    /** How many of the lines are in the file. */
    private int kept;

    private EventFeed(Path file, ObjectMapper json, List<String> lines, boolean ended) {
        this.file = file;
        this.json = json;
        this.lines = lines;
        this.ended = ended;
        this.kept = lines.size();
    }

    /** Opens a feed, new or as a crash has left it: from the first line on that is incomplete or damaged it is dropped. */
    public static EventFeed open(Path file, ObjectMapper json) {
        try {
            List<String> lines = new ArrayList<>();
            boolean ended = false;
            DurableFile.makePrivate(file);
            byte[] bytes = Files.readAllBytes(file);
            int begin = 0;
            for (int i = 0; i < bytes.length; i++) {
                if (bytes[i] == '\n') {
                    Optional<String> name = name(json, Arrays.copyOfRange(bytes, begin, i));
                    if (name.isEmpty()) {
                        break;
                    }
                    lines.add(new String(bytes, begin, i - begin, StandardCharsets.UTF_8));
                    ended |= LAST.equals(name.get());
                    begin = i + 1;
                }
            }
            if (begin < bytes.length) {
                cut(file, begin);
            }
            return new EventFeed(file, json, lines, ended);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the job's events cannot be read")
                    .at(file.toString())
                    .because(e);
        }
    }

    private static Optional<String> name(ObjectMapper json, byte[] line) throws IOException {
        try {
            JsonNode event = json.readTree(line).path("event");
            return event.isTextual() ? Optional.of(event.textValue()) : Optional.empty();
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
            disk.setLength(length);
        }
    }

    /** The first event of that name. */
    public synchronized Optional<JsonNode> first(String name) {
        try {
            for (String line : lines) {
                JsonNode event = json.readTree(line);
                if (event.path("event").asText().equals(name)) {
                    return Optional.of(event);
                }
            }
            return Optional.empty();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A new event of that name, to be completed and {@link #publish}ed. */
    public ObjectNode event(String name) {
        return json.createObjectNode().put("event", name);
    }

    /** Numbers an event, keeps it and wakes the readers; does nothing once the feed has ended. */
    public synchronized void publish(ObjectNode event) {
        if (ended) {
            return;
        }
        ObjectNode numbered = json.createObjectNode().put("n", lines.size());
        numbered.setAll(event);
        lines.add(numbered.toString());
        ended = LAST.equals(event.path("event").asText());
        try {
            keep();
        } catch (IOException e) {
            LOG.warn("events of '{}' are not kept yet: {}", file, e.getMessage());
        }
        notifyAll();
    }

    /**
     * Writes what the disk refused before.
     *
     * @throws VseException DISK_FULL or STORAGE_FAILED when it still does
     */
    synchronized void requireKept() {
        try {
            keep();
        } catch (IOException e) {
            throw VseException.storage("the job's events cannot be written", file, e);
        }
    }

    private void keep() throws IOException {
        if (kept == lines.size()) {
            return;
        }
        String missing = String.join("\n", lines.subList(kept, lines.size())) + "\n";
        long before = Files.exists(file) ? Files.size(file) : 0;
        try {
            // Not as a string: half a character, which foreign text may have, is no reason to refuse it.
            Files.write(
                    file,
                    missing.getBytes(StandardCharsets.UTF_8),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            cut(file, before);
            throw e;
        }
        kept = lines.size();
    }

    /** Publishes an event that has nothing but its name. */
    public void publish(String name) {
        publish(event(name));
    }

    /** True when the last event has been published. */
    public synchronized boolean isEnded() {
        return ended;
    }

    /**
     * The events from a number on; waits for the first of them.
     *
     * @param timeoutMillis how long to wait
     * @return empty when none came in time or the feed ended before that number
     */
    public synchronized List<String> from(int number, long timeoutMillis) throws InterruptedException {
        long deadline = System.nanoTime() + timeoutMillis * 1_000_000;
        while (lines.size() <= number && !ended) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return List.of();
            }
            wait(left);
        }
        return List.copyOf(lines.subList(Math.min(number, lines.size()), lines.size()));
    }
}

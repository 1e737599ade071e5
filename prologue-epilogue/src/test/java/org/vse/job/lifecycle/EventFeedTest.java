package org.vse.job.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

@Timeout(20)
class EventFeedTest {
    @TempDir
    Path dir;

    private Path file() {
        return dir.resolve("events");
    }

    private EventFeed open() {
        return EventFeed.open(file(), JobFixture.json());
    }

    @Test
    void eventsAreNumberedAcrossProcesses() throws Exception {
        open().publish("accepted");
        EventFeed second = open();
        second.publish(second.event("notice").put("text", "zwei"));
        List<Integer> numbers = new ArrayList<>();
        for (String line : open().from(0, 0)) {
            numbers.add(JobFixture.json().readTree(line).path("n").intValue());
        }
        assertThat(numbers).containsExactly(0, 1);
        assertThat(open().first("notice").map(event -> event.path("text").asText()))
                .contains("zwei");
        assertThat(open().first("ended")).isEmpty();
    }

    @Test
    void aLastLineCutAnywhereIsDropped() throws Exception {
        EventFeed feed = open();
        feed.publish("accepted");
        long kept = Files.size(file());
        feed.publish(feed.event("notice").put("text", "ünïcödé"));
        byte[] whole = Files.readAllBytes(file());
        for (int length = (int) kept; length < whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            EventFeed healed = open();
            assertThat(healed.from(0, 0)).as("cut at %d", length).hasSize(1);
            healed.publish("running");
            assertThat(Files.readAllLines(file())).as("cut at %d", length).hasSize(2);
        }
    }

    @Test
    void aFeedWithoutItsBytesAfterAPowerCutIsCutThere() throws IOException, InterruptedException {
        open().publish("accepted");
        Files.write(file(), new byte[500], java.nio.file.StandardOpenOption.APPEND);
        Files.write(file(), "\n{\"n\":1}\n".getBytes(StandardCharsets.UTF_8), java.nio.file.StandardOpenOption.APPEND);
        assertThat(open().from(0, 0)).hasSize(1);
    }

    @Test
    void aReaderIsWokenByTheNextEvent() throws Exception {
        EventFeed feed = open();
        feed.publish("accepted");
        CompletableFuture<List<String>> next = CompletableFuture.supplyAsync(() -> {
            try {
                return feed.from(1, 10_000);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        feed.publish("running");
        assertThat(next.get(5, TimeUnit.SECONDS)).hasSize(1);
        assertThat(feed.from(2, 10)).isEmpty();
    }

    @Test
    void whatTheDiskRefusesIsToldAndKeptLater() throws Exception {
        Path part = Files.createDirectory(dir.resolve("part"));
        EventFeed feed = EventFeed.open(part.resolve("events"), JobFixture.json());
        feed.publish("accepted");
        Path aside = Files.move(part, dir.resolve("aside"));
        feed.publish("failed");
        assertThat(feed.from(1, 0)).hasSize(1);
        assertThatThrownBy(feed::requireKept)
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORAGE_FAILED));
        Files.move(aside, part);
        feed.publish(EventFeed.LAST);
        feed.requireKept();
        assertThat(EventFeed.open(part.resolve("events"), JobFixture.json()).from(0, 0))
                .isEqualTo(feed.from(0, 0))
                .hasSize(3);
    }

    @Test
    void nothingIsKeptAfterTheEnd() throws Exception {
        EventFeed feed = open();
        feed.publish("accepted");
        feed.publish(EventFeed.LAST);
        assertThat(feed.isEnded()).isTrue();
        feed.publish("running");
        EventFeed later = open();
        assertThat(later.isEnded()).isTrue();
        later.publish("running");
        assertThat(later.from(0, 0)).hasSize(2);
        assertThat(later.from(2, 60_000)).isEmpty();
        assertThat(later.from(Integer.MAX_VALUE, 60_000)).isEmpty();
    }

    @Test
    void textOfAnyKindStaysOneLine() throws Exception {
        EventFeed feed = open();
        feed.publish(feed.event("notice").put("text", "a\nb\u2028\r\u0000"));
        feed.publish("running");
        List<String> lines = open().from(0, 0);
        assertThat(lines).hasSize(2);
        JsonNode first = JobFixture.json().readTree(lines.get(0));
        assertThat(first.path("text").asText()).isEqualTo("a\nb\u2028\r\u0000");
    }
}

package org.vse.job.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.lifecycle.StepWatch.End;
import org.vse.ledger.JobKey;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.Submitter;

class DaemonLogTest {
    private static final LoggerContext LOGGING = (LoggerContext) LoggerFactory.getILoggerFactory();

    @TempDir
    Path dir;

    private final Logger logger = LOGGING.getLogger("org.vse.job.log");
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();
    private final ByteArrayOutputStream json = new ByteArrayOutputStream();
    private final List<Appender<ILoggingEvent>> appenders = List.of(
            DaemonLog.appender(LOGGING, text, LogFormat.TEXT, "n1"),
            DaemonLog.appender(LOGGING, json, LogFormat.JSON, "n1"));

    @BeforeEach
    void begin() {
        logger.setLevel(Level.INFO);
        logger.setAdditive(false);
        appenders.forEach(logger::addAppender);
    }

    @AfterEach
    void end() {
        appenders.forEach(logger::detachAppender);
        logger.setAdditive(true);
        logger.setLevel(null);
    }

    private List<String> lines() {
        return text.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private List<JsonNode> objects() throws IOException {
        return new ObjectMapper()
                .readerFor(JsonNode.class)
                .<JsonNode>readValues(json.toByteArray())
                .readAll();
    }

    @Test
    void anEventIsOneLineWithItsJobAttemptAndNode() throws IOException {
        new JobLog()
                .recorded(new LedgerEvent.JobFailed(
                        UUID.randomUUID(),
                        Instant.now(),
                        new JobKey("slurm", "slurm", "17_3", 2),
                        new Submitter("carol", 4321, "batch"),
                        ErrorCode.GUEST_DIED));
        assertThat(lines())
                .singleElement()
                .asString()
                .matches("[-0-9]{10}T[0-9:.]{12}Z INFO  node=n1 job=17_3 attempt=2 JobLog: failed: GUEST_DIED");
        assertThat(objects()).singleElement().satisfies(object -> {
            assertThat(object.path("node").asText()).isEqualTo("n1");
            assertThat(object.path("job").asText()).isEqualTo("17_3");
            assertThat(object.path("attempt").asText()).isEqualTo("2");
            assertThat(object.path("level").asText()).isEqualTo("INFO");
            assertThat(object.path("message").asText()).isEqualTo("failed: GUEST_DIED");
            assertThat(Instant.parse(object.path("time").asText())).isAfter(Instant.EPOCH);
        });
    }

    @Test
    void aStepIsOneLineAndWhatFollowsIsOfTheOuterJob() throws IOException {
        Job inner = JobFixture.admitted(dir, "local-2");
        JobScope.in(JobFixture.record("local-1"), () -> {
            new JobLog().ended(inner, "create", End.DONE, Duration.ofMillis(312));
            logger.info("between");
        });
        logger.info("after");
        inner.close();
        assertThat(lines().get(0)).endsWith("job=local-2 attempt=1 JobLog: step create done after 0.312 s");
        assertThat(lines().get(1)).endsWith("job=local-1 attempt=1 log: between");
        assertThat(lines().get(2)).endsWith("job=- attempt=- log: after");
        assertThat(objects().get(2).has("job")).isFalse();
    }

    @Test
    void whatOthersHaveSaidBeginsNoLine() throws IOException {
        logger.info("said: {}", "a\nb\r\u001b[2Jc\u0000");
        assertThat(lines()).singleElement().asString().endsWith("log: said: a b  [2Jc ");
        assertThat(json.toString(StandardCharsets.UTF_8)).hasLineCount(1).doesNotContain("\u001b");
    }

    @Test
    void aFailureOfOursHasItsTrace() throws IOException {
        logger.error("oh", new IllegalStateException("cause"));
        assertThat(lines()).anyMatch(line -> line.contains("IllegalStateException: cause"));
        assertThat(objects().get(0).path("trace").asText()).contains("IllegalStateException: cause", "DaemonLogTest");
    }
}

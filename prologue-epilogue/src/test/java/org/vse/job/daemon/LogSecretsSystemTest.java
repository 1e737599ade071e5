package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.log.DaemonLog;
import org.vse.job.log.JobLog;
import org.vse.job.log.LogFormat;
import org.vse.job.step.Steps;
import org.vse.policy.layer.Policy;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeDriver.Call;
import org.vse.provisioner.fake.Fault;

/** Jobs with secrets in everything that a user gives, and no line of the log that has one. Needs qemu-img. */
@Tag("system")
@Timeout(60)
class LogSecretsSystemTest {
    private static final String SECRET = "hunter2";

    @TempDir
    Path dir;

    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Level level = root.getLevel();
    private final List<Appender<ILoggingEvent>> before = new ArrayList<>();
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();

    @AfterEach
    void restore() {
        root.detachAndStopAllAppenders();
        before.forEach(root::addAppender);
        root.setLevel(level);
        root.getLoggerContext().getLogger("org.vse").setLevel(null);
    }

    private static Submission submission() {
        return new Submission(
                new Submission.Script(
                        "/home/carol/job.sh",
                        "#VSE image=test share=none network=user\nexport KEY=" + SECRET + "\necho $KEY\n"),
                List.of(SECRET),
                null,
                "/tmp",
                Map.of("TOKEN", SECRET, SECRET, "x"),
                false,
                null,
                new JobRecord.Terminal(24, 80, "dumb"),
                List.of());
    }

    private static void awaitEnd(EventFeed feed) throws InterruptedException {
        int seen = 0;
        while (!feed.isEnded()) {
            seen += feed.from(seen, 20_000).size();
        }
    }

    @ParameterizedTest
    @EnumSource
    void neitherOfAJobThatEndsNorOfOneThatFails(LogFormat format) throws Exception {
        root.iteratorForAppenders().forEachRemaining(before::add);
        DaemonLog.begin(log, format, "here");
        FakeDriver driver = new FakeDriver("me", Files.createDirectory(dir.resolve("vms")), new ScriptedGuest(true));
        try (TestNode parts = new TestNode(dir, driver)) {
            JobLog lines = new JobLog();
            parts.node().ledger().onRecorded(lines::recorded);
            LocalDesk desk = new LocalDesk(
                    parts.node(),
                    parts.config(List.of(0, 1), 10),
                    parts.json(),
                    new JobTable(),
                    over -> new JobRunner(
                            parts.node(),
                            record -> Steps.lifecycle(parts.node()).telling(lines),
                            over),
                    List.of());
            parts.publish(disk(), Set.of());
            Admission admission = Admission.of(
                    submission(), TestNode.CAROL, Policy.vendor(), parts.node().images(), Standing.ROOT);
            awaitEnd(desk.accept(admission).feed());
            driver.inject(
                    Call.START,
                    new Fault.Fail(VseException.of(ErrorCode.LIBVIRT_FAILED, "'" + SECRET + "' is not known")
                            .fact("environment", "TOKEN=" + SECRET)));
            awaitEnd(desk.accept(admission).feed());
            desk.runner().awaitIdle();
        }
        String text = log.toString(StandardCharsets.UTF_8);
        assertThat(text)
                .contains("settled: exit code 7", "failed: LIBVIRT_FAILED", "step create failed after")
                .doesNotContain(SECRET);
        assertThat(text.lines())
                .allMatch(line ->
                        format == LogFormat.JSON ? line.contains("\"node\":\"here\"") : line.contains("node=here"))
                .anyMatch(line -> format == LogFormat.JSON
                        ? line.contains("\"job\":\"local-2\",\"attempt\":\"1\"")
                                || line.contains("\"attempt\":\"1\",\"job\":\"local-2\"")
                        : line.contains("job=local-2 attempt=1"));
        if (format == LogFormat.JSON) {
            new ObjectMapper()
                    .readerFor(Map.class)
                    .readValues(log.toByteArray())
                    .readAll();
        }
    }

    private byte[] disk() throws Exception {
        Path file = dir.resolve("disk.qcow2");
        new CommandRunner()
                .run(Command.of("qemu-img", "create", "-q", "-f", "qcow2", file.toString(), "1M"))
                .orThrow("making a disk");
        return Files.readAllBytes(file);
    }
}

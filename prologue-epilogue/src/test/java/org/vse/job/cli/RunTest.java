package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.job.client.FakeVsed;
import org.vse.job.client.FakeVsed.Call;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;

@Timeout(30)
class RunTest {
    private static final String ACCEPTED = "{\"n\":0,\"event\":\"accepted\",\"job\":\"local-7\"}\n";
    private static final String RUNNING = "{\"n\":1,\"event\":\"running\"}\n";
    private static final String SETTLED = "{\"n\":9,\"event\":\"settled\"}\n";
    private static final String JOB = "/v1/jobs/local-7";

    @TempDir
    Path dir;

    private Shell shell;
    private FakeVsed vsed;

    @BeforeEach
    void start() throws IOException {
        shell = new Shell(dir);
        vsed = new FakeVsed(shell.socket());
        Files.writeString(dir.resolve("job.sh"), "#!/bin/bash\n#VSE image=debian-12\necho hi\n");
    }

    @AfterEach
    void stop() throws IOException {
        vsed.close();
        assertThat(vsed.errors()).isEmpty();
    }

    @Test
    void submitsTheWholeJob() {
        AtomicReference<JsonObject> submission = new AtomicReference<>();
        vsed.on("POST /v1/jobs", call -> {
            submission.set(Json.readObject(call.body()));
            events(call, ACCEPTED, RUNNING, ended(0, 0, 0), SETTLED);
        });
        output("", "");
        shell.with("OMP_NUM_THREADS", "2").with("LD_PRELOAD", "/x").with("PWD", dir.toString());
        assertThat(shell.run("run", "--user", "alice", "job.sh", "-x", "--user", "a b"))
                .isZero();
        JsonObject sent = Objects.requireNonNull(submission.get());
        assertThat(sent.object("script").orElseThrow().text("name"))
                .contains(dir.resolve("job.sh").toString());
        assertThat(sent.object("script").orElseThrow().text("text").orElseThrow())
                .endsWith("echo hi\n");
        assertThat(sent.shown("args")).isEqualTo("-x,--user,a b");
        assertThat(sent.text("user")).contains("alice");
        assertThat(sent.text("cwd")).contains(dir.toString());
        assertThat(sent.members()).containsEntry("interactive", false).containsEntry("image", null);
        assertThat(sent.object("environment").orElseThrow().members())
                .containsEntry("OMP_NUM_THREADS", "2")
                .doesNotContainKeys("LD_PRELOAD", "VSE_RUN_DIR");
    }

    @Test
    void outputIsByteExactAndTheExitCodeTheScripts() {
        byte[] bytes = new byte[300_000];
        new Random(3).nextBytes(bytes);
        vsed.on("POST /v1/jobs", call -> events(call, ACCEPTED, RUNNING, ended(137, bytes.length, 4), SETTLED));
        vsed.on("GET " + JOB + "/output/stdout", call -> {
            call.stream();
            call.chunk(Arrays.copyOf(bytes, 100_000));
            call.chunk(Arrays.copyOfRange(bytes, 100_000, bytes.length));
            call.end();
        });
        vsed.on("GET " + JOB + "/output/stderr", call -> stream(call, "oops"));
        assertThat(shell.run("run", "--quiet", "job.sh")).isEqualTo(137);
        assertThat(shell.outBytes()).isEqualTo(bytes);
        assertThat(shell.err()).isEqualTo("oops");
    }

    @Test
    void progressGoesToStandardErrorOnly() {
        vsed.on(
                "POST /v1/jobs",
                call -> events(
                        call,
                        ACCEPTED,
                        "{\"n\":1,\"event\":\"step\",\"step\":\"ready\"}\n",
                        "{\"n\":2,\"event\":\"waiting\",\"step\":\"ready\",\"for\":\"vm 0\",\"until\":null}\n",
                        "{\"n\":3,\"event\":\"notice\",\"text\":\"no share\"}\n",
                        "{\"n\":4,\"event\":\"running\"}\n",
                        ended(0, 3, 0),
                        SETTLED));
        output("hi\n", "");
        assertThat(shell.run("run", "job.sh")).isZero();
        assertThat(shell.out()).isEqualTo("hi\n");
        assertThat(shell.err().lines().map(line -> line.replaceAll("[0-9.]+ s", "T")))
                .containsExactly(
                        "vse: job local-7",
                        "vse: ready: waiting for vm 0",
                        "vse: note: no share",
                        "vse: running after T (ready T)",
                        "vse: exit code 0 after T, torn down in T");
    }

    @Test
    void aFailureOfVseIs125AndRendered() {
        String failed = """
                {"n":1,"event":"failed","failure":{"code":"BOOT_TIMEOUT","what":"vm 0 did not answer","next":"x"}}
                """;
        vsed.on("POST /v1/jobs", call -> events(call, ACCEPTED, failed, SETTLED));
        assertThat(shell.run("run", "job.sh")).isEqualTo(125);
        assertThat(shell.err()).endsWith("vse: vm 0 did not answer [BOOT_TIMEOUT]\n  next: x\n");
    }

    @Test
    void aTeardownThatFailsDoesNotHideTheScriptsFailure() {
        String failed = "{\"n\":6,\"event\":\"failed\",\"failure\":{\"code\":\"SHARE_FAILED\",\"what\":\"w\"}}\n";
        output("", "");
        vsed.on("POST /v1/jobs", call -> events(call, ACCEPTED, RUNNING, ended(4, 0, 0), failed, SETTLED));
        assertThat(shell.run("run", "job.sh")).isEqualTo(4);
        vsed.on("POST /v1/jobs", call -> events(call, ACCEPTED, RUNNING, ended(0, 0, 0), failed, SETTLED));
        assertThat(shell.run("run", "job.sh")).isEqualTo(125);
    }

    @Test
    void aRefusedSubmissionIsTheDaemonsMessage() {
        vsed.on(
                "POST /v1/jobs",
                call -> call.json(
                        400,
                        "{\"failure\":{\"code\":\"IMAGE_UNKNOWN\",\"what\":\"no image 'x'\",\"where\":\"job.sh:2:12\"}}"));
        assertThat(shell.run("run", "job.sh")).isEqualTo(125);
        assertThat(shell.err()).isEqualTo("vse: job.sh:2:12: no image 'x' [IMAGE_UNKNOWN]\n");
    }

    @Test
    void aSubmissionThatTheDaemonCannotTakeIsRefusedHere() {
        shell.with("HUGE", "x".repeat(1 << 20));
        assertThat(shell.run("run", "job.sh")).isEqualTo(2);
        assertThat(shell.err()).contains("too large together", "allowed: 1024 KiB", "HUGE 1024 KiB");
        assertThat(vsed.calls()).isEmpty();
    }

    @Test
    void nothingIsLostOrDoubledWhenTheDaemonIsKilled() throws Exception {
        byte[] bytes = new byte[1_000_000];
        new Random(5).nextBytes(bytes);
        CountDownLatch half = new CountDownLatch(1);
        vsed.on("POST /v1/jobs", call -> {
            events(call, false, ACCEPTED, RUNNING);
            half.await();
            vsed.kill();
        });
        vsed.on("GET " + JOB + "/output/stderr", call -> {
            call.stream();
            half.await();
        });
        vsed.on("GET " + JOB + "/output/stdout", call -> {
            call.stream();
            call.chunk(Arrays.copyOf(bytes, 400_000));
            call.raw("3d090\r\n");
            call.raw(Arrays.copyOfRange(bytes, 400_000, 500_000));
            half.countDown();
            new CountDownLatch(1).await();
        });
        // The new daemon is this test's: the launcher's program only asks for it through a file.
        Path asked = dir.resolve("asked");
        Path launcher = Files.writeString(
                dir.resolve("launcher"),
                "#!/bin/bash\ntouch " + asked + "\nread -r _ <" + dir.resolve("go") + "\necho ready\n");
        assertThat(launcher.toFile().setExecutable(true)).isTrue();
        new ProcessBuilder("mkfifo", dir.resolve("go").toString()).start().waitFor();
        shell.self(launcher.toString());
        AtomicReference<FakeVsed> second = new AtomicReference<>();
        Thread site = new Thread(() -> {
            try (OutputStream go = Files.newOutputStream(dir.resolve("go"))) {
                Files.delete(shell.socket());
                second.set(second(bytes));
                go.write('\n');
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        site.start();
        int code = shell.run("run", "job.sh");
        site.join();
        assertThat(code).isEqualTo(5);
        assertThat(shell.outBytes()).isEqualTo(bytes);
        assertThat(shell.err())
                .contains("vse: vsed has gone; job local-7 goes on, starting another vsed", "attached to job local-7")
                .contains("once\n");
        assertThat(shell.err().split("vse: job local-7\n")).hasSize(2);
        try (FakeVsed other = Objects.requireNonNull(second.get())) {
            assertThat(other.calls()).contains("GET /v1/jobs/local-7/events?from=2");
            assertThat(other.errors()).isEmpty();
        }
    }

    private FakeVsed second(byte[] bytes) throws IOException {
        return new FakeVsed(shell.socket())
                // Repeats an event that was seen: it must not count twice.
                .on("GET " + JOB + "/events", call -> events(call, RUNNING, ended(5, bytes.length, 5), SETTLED))
                .on("GET " + JOB + "/output/stdout", call -> {
                    int offset = Integer.parseInt(call.query("offset"));
                    assertThat(offset).isBetween(400_000, 500_000);
                    call.stream();
                    call.chunk(Arrays.copyOfRange(bytes, offset, bytes.length));
                    call.end();
                })
                .on("GET " + JOB + "/output/stderr", call -> stream(call, "once\n"));
    }

    @Test
    void aStreamThatEndsEarlyInOrderIsAskedForItsRest() {
        vsed.on("POST /v1/jobs", call -> events(call, ACCEPTED, RUNNING, ended(0, 6, 0), SETTLED));
        vsed.on(
                "GET " + JOB + "/output/stdout",
                call -> stream(call, call.query("offset").equals("0") ? "abc" : "def"));
        vsed.on("GET " + JOB + "/output/stderr", call -> stream(call, ""));
        assertThat(shell.run("run", "job.sh")).isZero();
        assertThat(shell.out()).isEqualTo("abcdef");
    }

    @Test
    void missingOutputIsAFailureAndNotSilence() {
        vsed.on("POST /v1/jobs", call -> events(call, ACCEPTED, RUNNING, ended(0, 6, 0), SETTLED));
        output("", "");
        assertThat(shell.run("run", "job.sh")).isEqualTo(125);
        assertThat(shell.err()).contains("stdout of job local-7 is incomplete [STORAGE_FAILED]", "written: 6 bytes");
    }

    @Test
    void nobodyReadingTheOutputCancels() {
        CountDownLatch cancelled = new CountDownLatch(1);
        vsed.on("POST /v1/jobs", call -> {
            events(call, false, ACCEPTED, RUNNING);
            cancelled.await();
            call.chunk(ended(143, 9, 0) + SETTLED);
            call.end();
        });
        output("some text", "");
        vsed.on("POST " + JOB + "/cancel", call -> {
            call.json(200, "{}");
            cancelled.countDown();
        });
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        assertThat(shell.stdout(broken).run("run", "job.sh")).isEqualTo(141);
        assertThat(shell.err()).contains("vse: nobody reads the output any more: cancelling job local-7");
    }

    @Test
    void aSignalBeforeTheScriptCancelsAndIsTheExitCode() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        vsed.on("POST /v1/jobs", call -> {
            events(call, false, ACCEPTED);
            cancelled.await();
            call.chunk(SETTLED);
            call.end();
        });
        vsed.on("POST " + JOB + "/cancel", call -> {
            call.json(200, "{}");
            cancelled.countDown();
        });
        JobAttachment attachment = attachment();
        AtomicInteger code = new AtomicInteger();
        Thread run = runs(attachment, code);
        shell.awaitErr("vse: job local-7\n");
        attachment.signal("TERM");
        run.join();
        assertThat(code).hasValue(143);
    }

    @Test
    void signalsReachTheScriptAndTwoCancel() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        vsed.on("POST /v1/jobs", call -> {
            events(call, false, ACCEPTED, RUNNING);
            cancelled.await();
            call.chunk(ended(130, 0, 0) + SETTLED);
            call.end();
        });
        output("", "");
        vsed.on("POST " + JOB + "/signal", call -> call.json(200, "{}"));
        vsed.on("POST " + JOB + "/cancel", call -> {
            call.json(200, "{}");
            cancelled.countDown();
        });
        JobAttachment attachment = attachment();
        AtomicInteger code = new AtomicInteger();
        Thread run = runs(attachment, code);
        shell.awaitErr("vse: running after");
        attachment.signal("INT");
        attachment.signal("INT");
        run.join();
        assertThat(code).hasValue(130);
        assertThat(vsed.calls()).contains("POST " + JOB + "/signal {\"signal\":\"INT\"}", "POST " + JOB + "/cancel {}");
        assertThat(shell.err()).contains("SIGINT passed on to job local-7", "SIGINT: cancelling job local-7");
    }

    @Test
    void withoutATerminalAnInteractiveJobTakesBytes() {
        CountDownLatch echoed = new CountDownLatch(1);
        vsed.on("POST /v1/jobs", call -> {
            assertThat(Json.readObject(call.body()).members())
                    .containsEntry("interactive", true)
                    .containsEntry("image", "debian-12")
                    .containsEntry("script", null)
                    .containsEntry("terminal", null);
            // The shell is started when somebody has come to its terminal.
            events(call, false, ACCEPTED, "{\"n\":1,\"event\":\"terminal\"}\n");
            echoed.await();
            call.chunk("{\"n\":2,\"event\":\"running\"}\n" + ended(7, 0, 0) + SETTLED);
            call.end();
        });
        vsed.on("POST " + JOB + "/terminal", call -> {
            call.raw("HTTP/1.1 101 X\r\n\r\n$ ");
            ByteBuffer buffer = ByteBuffer.allocate(100);
            do {
                call.channel().read(buffer);
            } while (buffer.position() == 0 || buffer.get(buffer.position() - 1) != 4);
            call.raw(Arrays.copyOf(buffer.array(), buffer.position()));
            echoed.countDown();
        });
        shell.stdin(new ByteArrayInputStream("exit 7\n".getBytes(StandardCharsets.UTF_8)));
        assertThat(shell.run("run", "--interactive", "debian-12")).isEqualTo(7);
        assertThat(shell.out()).isEqualTo("$ exit 7\n\u0004");
    }

    private JobAttachment attachment() {
        Context context = shell.context();
        return new JobAttachment(
                context.client(),
                new Comeback(context.client(), context.launcher(true), Duration.ofSeconds(1), line -> {}),
                context.io(),
                new ProgressPrinter(context.io(), Clock.systemUTC(), false),
                Clock.systemUTC(),
                null,
                code -> {});
    }

    private static Thread runs(JobAttachment attachment, AtomicInteger code) {
        Thread thread = new Thread(() -> {
            try {
                code.set(attachment.run("{}"));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        thread.start();
        return thread;
    }

    private void output(String stdout, String stderr) {
        for (List<String> stream : List.of(List.of("stdout", stdout), List.of("stderr", stderr))) {
            vsed.on("GET " + JOB + "/output/" + stream.get(0), call -> stream(call, stream.get(1)));
        }
    }

    private static void stream(Call call, String text) throws IOException {
        call.stream();
        if (!text.isEmpty()) {
            call.chunk(text);
        }
        call.end();
    }

    private static void events(Call call, String... lines) throws IOException {
        events(call, true, lines);
    }

    private static void events(Call call, boolean end, String... lines) throws IOException {
        call.stream();
        for (String line : lines) {
            call.chunk(line);
        }
        if (end) {
            call.end();
        }
    }

    private static String ended(int exitCode, long stdout, long stderr) {
        return "{\"n\":5,\"event\":\"ended\",\"exitCode\":" + exitCode + ",\"bytes\":{\"stdout\":" + stdout
                + ",\"stderr\":" + stderr + "}}\n";
    }
}

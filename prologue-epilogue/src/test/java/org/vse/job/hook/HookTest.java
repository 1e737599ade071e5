package org.vse.job.hook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.job.client.FakeVsed;

@Timeout(30)
class HookTest {
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "SLURM_JOB_ID", "17", "SLURM_JOB_UID", "1001", "SLURM_JOB_RESTART_COUNT", "0", "SECRET", "x", "LD_X", "y");

    @TempDir
    Path dir;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Consumer<String> signal = name -> {};
    private FakeVsed vsed;
    private Path script;

    @BeforeEach
    void start() throws IOException {
        vsed = new FakeVsed(dir.resolve("run/vsed.sock"));
        script = Files.writeString(dir.resolve("slurm_script"), "#!/bin/sh\n");
    }

    @AfterEach
    void stop() throws IOException {
        vsed.close();
    }

    private int hook(String... words) {
        Hook hook = new Hook(
                ENVIRONMENT,
                Path.of("/home/x"),
                InputStream.nullInputStream(),
                out,
                err,
                dir.resolve("fd"),
                (names, handler) -> signal = handler);
        return hook.run(List.of(words));
    }

    private int point(String point, String... arguments) {
        List<String> words = new java.util.ArrayList<>(List.of(
                point, "--scheduler", "slurm", "--run", dir.resolve("run").toString(), "--"));
        words.addAll(List.of(arguments));
        return hook(words.toArray(String[]::new));
    }

    private String said() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private static FakeVsed.Handler stream(String text) {
        return call -> {
            call.stream();
            call.chunk(text);
            call.end();
        };
    }

    @Test
    void aPrologueSendsWhatTheBatchSystemSetsAndNothingElse() {
        vsed.on("POST /v1/hooks/prologue", call -> call.json(200, "{\"job\":\"17\"}"));
        assertThat(point("prologue")).isZero();
        assertThat(vsed.calls())
                .singleElement()
                .asString()
                .contains("\"SLURM_JOB_ID\":\"17\"")
                .doesNotContain("SECRET");
        assertThat(said()).isEmpty();
    }

    @Test
    void whateverHappensNoNodeIsDrained() throws IOException {
        vsed.on(
                "POST /v1/hooks/prologue",
                call -> call.json(503, "{\"failure\":{\"code\":\"BOOT_TIMEOUT\",\"what\":\"no\"}}"));
        assertThat(point("prologue")).isZero();
        vsed.kill();
        assertThat(point("prologue")).isZero();
        assertThat(point("epilogue")).isZero();
        assertThat(said()).contains("[DAEMON_UNREACHABLE]");
    }

    @Test
    void anEpilogueWithoutADaemonLeavesWordForTheNextOne() throws IOException {
        assertThat(EndedJobs.read(dir.resolve("run"))).isEmpty();
        vsed.kill();
        assertThat(point("epilogue")).isZero();
        assertThat(point("epilogue")).isZero();
        assertThat(EndedJobs.read(dir.resolve("run"))).singleElement().satisfies(ended -> {
            assertThat(ended.covers("slurm", "17", 1)).isTrue();
            assertThat(ended.covers("slurm", "17", 2)).isFalse();
            assertThat(ended.covers("slurm", "18", 1)).isFalse();
            assertThat(ended.covers("torque", "17", 1)).isFalse();
        });
    }

    @Test
    void anEpilogueTellsThatTheMachinesWereSavedWhereItStartsTheJobAgain() {
        vsed.on("POST /v1/hooks/epilogue", call -> call.json(200, "{\"ended\":true,\"saved\":true}"));
        assertThat(point("epilogue")).isZero();
        assertThat(out.size()).isZero();
        String run = dir.resolve("run").toString();
        assertThat(hook("epilogue", "--scheduler", "openpbs", "--run", run)).isZero();
        assertThat(out).hasToString("saved\n");
    }

    @Test
    void aStarterWithoutADaemonFailsTheJobAndSaysSo() throws IOException {
        vsed.kill();
        assertThat(point("starter", script.toString())).isEqualTo(125);
        assertThat(said()).contains("[DAEMON_UNREACHABLE]");
        assertThat(out.size()).isZero();
    }

    @Test
    void aScriptsOutputAndExitCodeAreItsOwn() {
        vsed.on("POST /v1/hooks/starter", call -> call.json(200, "{\"job\":\"17\"}"))
                .on("GET /v1/jobs/17/events", stream("""
                                {"n":0,"event":"accepted"}
                                {"n":1,"event":"running"}
                                {"n":2,"event":"ended","exitCode":7,"bytes":{"stdout":4,"stderr":3}}
                                """))
                .on("GET /v1/jobs/17/output/stdout", stream("out\n"))
                .on("GET /v1/jobs/17/output/stderr", stream("er\n"));
        assertThat(point("starter", script.toString(), "a", "b c")).isEqualTo(7);
        assertThat(out).hasToString("out\n");
        assertThat(said()).isEqualTo("er\n");
        assertThat(vsed.calls().get(0))
                .contains("\"a\",\"b c\"")
                .contains("\"cwd\":\"/home/x\"")
                .contains("\"SECRET\":\"x\"")
                .doesNotContain("LD_X")
                .contains("\"scriptSha256\":\"a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf\"");
    }

    @Test
    void signalsReachTheScriptOnceItRunsAndStopsPauseItsMachines() throws Exception {
        CountDownLatch delivered = new CountDownLatch(3);
        vsed.on("POST /v1/hooks/starter", call -> {
                    signal.accept("USR1");
                    call.json(200, "{\"job\":\"17\"}");
                })
                .on("GET /v1/jobs/17/events", call -> {
                    call.stream();
                    call.chunk("{\"n\":0,\"event\":\"running\"}\n");
                    signal.accept("TSTP");
                    signal.accept("CONT");
                    delivered.await();
                    call.chunk("{\"n\":1,\"event\":\"ended\",\"exitCode\":0,\"bytes\":{\"stdout\":0,\"stderr\":0}}\n");
                    call.end();
                })
                .on("GET /v1/jobs/17/output/stdout", stream(""))
                .on("GET /v1/jobs/17/output/stderr", stream(""))
                .on("POST /v1/jobs/17/signal", call -> {
                    call.json(200, "{}");
                    delivered.countDown();
                })
                .on("POST /v1/hooks/suspend", call -> {
                    call.json(200, "{}");
                    delivered.countDown();
                })
                .on("POST /v1/hooks/resume", call -> {
                    call.json(200, "{}");
                    delivered.countDown();
                });
        assertThat(point("starter", script.toString())).isZero();
        assertThat(vsed.calls()).anyMatch(call -> call.contains("/signal") && call.contains("USR1"));
        assertThat(vsed.errors()).isEmpty();
    }

    @Test
    void aWrongCommandLineIsExplained() {
        assertThat(hook("prologue", "--scheduler", "lsf")).isEqualTo(2);
        assertThat(hook("prolog")).isEqualTo(2);
        assertThat(hook("starter")).isEqualTo(2);
        assertThat(said()).contains("allowed").contains("slurm");
    }
}

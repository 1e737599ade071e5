package org.vse.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

@Timeout(60)
class CommandRunnerTest {
    @TempDir
    Path directory;

    private final CommandRunner runner = new CommandRunner();

    @Test
    void outputErrorsAndExitCodeComeBack() {
        CommandResult result = runner.run(sh("echo out; echo err >&2; exit 3"));
        assertThat(result.stdout()).isEqualTo("out\n");
        assertThat(result.stderr()).isEqualTo("err\n");
        assertThat(result.exitCode()).isEqualTo(3);
        assertThatThrownBy(() -> result.orThrow("making a test"))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_FAILED))
                .hasMessageContaining("making a test failed: sh exited 3")
                .hasMessageContaining("said   : err");
        assertThat(runner.run(Command.of("true")).orThrow("nothing").exitCode()).isZero();
    }

    @Test
    void aProgramThatFindsTheDiskFullIsNamedSo() {
        assertThatThrownBy(() -> runner.run(Command.of("dd", "if=/dev/zero", "of=/dev/full", "bs=1", "count=1"))
                        .orThrow("writing"))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DISK_FULL))
                .hasMessageContaining("writing failed: dd exited 1")
                .hasMessageContaining("next");
    }

    @ParameterizedTest
    @CsvSource({"TERM, 143", "KILL, 137", "SEGV, 139", "HUP, 129"})
    void anEndBySignalIs128AndTheSignal(String signal, int exitCode) {
        assertThat(runner.run(sh("kill -" + signal + " $$")).exitCode()).isEqualTo(exitCode);
    }

    @Test
    void argumentsAreNoShellLine() {
        String hostile = "$(id) `id` \"; rm -rf / #\n * ~ 🦄";
        assertThat(runner.run(Command.of("printf", "%s", hostile)).stdout()).isEqualTo(hostile);
    }

    @Test
    void theEnvironmentIsOnlyWhatWasGiven() {
        CommandResult result = runner.run(Command.of("env").withEnv(Map.of("VSE_X", "a b\nc", "HOME", "/h")));
        assertThat(result.stdout().lines())
                .containsExactlyInAnyOrder(
                        "VSE_X=a b",
                        "c",
                        "HOME=/h",
                        "LANG=C.UTF-8",
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    }

    @Test
    void theProgramIsSearchedInTheCommandsOwnPath() throws IOException {
        Path program = Files.writeString(directory.resolve("only-here"), "#!/bin/sh\necho found\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        assertThat(runner.run(Command.of("only-here").withEnv(Map.of("PATH", directory.toString())))
                        .stdout())
                .isEqualTo("found\n");
        assertThat(runner.run(Command.of("./only-here").withCwd(directory)).stdout())
                .isEqualTo("found\n");
    }

    @Test
    void aProgramThatDoesNotExistIsNamed() {
        for (String program : List.of("vse-no-such-program", "/no/such/program")) {
            assertThatThrownBy(() -> runner.run(Command.of(program)))
                    .isInstanceOfSatisfying(
                            VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_MISSING))
                    .hasMessageContaining("'" + program + "'");
        }
    }

    @Test
    void aProgramThatCannotStartSaysWhy() throws IOException {
        Path text = Files.writeString(directory.resolve("text"), "no program");
        assertThatThrownBy(() -> runner.run(Command.of(text.toString())))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_FAILED))
                .hasMessageContaining("Permission denied");
        assertThatThrownBy(() -> runner.run(Command.of("true").withCwd(directory.resolve("gone"))))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("[COMMAND_FAILED]")
                .hasMessageContaining("gone");
    }

    @Test
    void aTimeoutKillsTheWholeTree() throws Exception {
        Path pids = directory.resolve("pids");
        Command tree = sh("sleep 1000 & echo $! >> " + pids + "; sh -c 'sleep 1000 & echo $! >> " + pids
                        + "; wait' & echo $! >> " + pids + "; wait")
                .withTimeout(Duration.ofMillis(1500));
        assertThatThrownBy(() -> runner.run(tree))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_TIMEOUT))
                .hasMessageContaining("sh did not end within 1.5 s");
        List<String> lines = Files.readAllLines(pids);
        assertThat(lines).hasSize(3);
        for (String pid : lines) {
            awaitEnd(Long.parseLong(pid));
        }
    }

    @Test
    void aChildThatKeepsTheOutputOpenDoesNotHoldTheCallForEver() throws Exception {
        Path pid = directory.resolve("pid");
        Command leaves = sh("sleep 1000 & echo $! > " + pid + "; echo done").withTimeout(Duration.ofMillis(800));
        // Java closes the pipe of an ended program when nobody reads from it at that moment; both ways are in bounds.
        long begin = System.nanoTime();
        try {
            assertThat(runner.run(leaves).stdout()).isEqualTo("done\n");
        } catch (VseException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.COMMAND_TIMEOUT);
            assertThat(e.what()).contains("did not close its output");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
        long left = Long.parseLong(Files.readString(pid).strip());
        ProcessIdentity.of(left).orElseThrow().signal(9);
        awaitEnd(left);
    }

    @Test
    void ofLongOutputTheEndIsKept() {
        Command noisy = new Command(List.of("seq", "1", "300000"), Map.of(), null, "", Duration.ofSeconds(30), 100_000);
        String out = runner.run(noisy).stdout();
        assertThat(out).hasSize(100_000).endsWith("299999\n300000\n");
    }

    @Test
    void inputIsGivenAndMayBeLeftUnread() {
        String text = "größe 🦄\n".repeat(20_000);
        Command cat = new Command(List.of("cat"), Map.of(), null, text, Duration.ofSeconds(30), 1 << 20);
        assertThat(runner.run(cat).stdout()).isEqualTo(text);
        assertThat(runner.run(Command.of("true").withStdin(text)).exitCode()).isZero();
        assertThat(runner.run(Command.of("cat")).stdout()).isEmpty();
    }

    @Test
    void anInterruptKillsTheProgram() throws Exception {
        Path pid = directory.resolve("pid");
        CompletableFuture<VseException> thrown = new CompletableFuture<>();
        Thread waiting = new Thread(() -> {
            try {
                runner.run(sh("echo $$ > " + pid + ".new; mv " + pid + ".new " + pid + "; exec sleep 1000")
                        .withTimeout(Duration.ofSeconds(50)));
                thrown.completeExceptionally(new AssertionError("it returned"));
            } catch (VseException e) {
                if (Thread.currentThread().isInterrupted()) {
                    thrown.complete(e);
                } else {
                    thrown.completeExceptionally(new AssertionError("the interrupt was lost", e));
                }
            }
        });
        waiting.start();
        while (!Files.exists(pid)) {
            Thread.onSpinWait();
        }
        waiting.interrupt();
        assertThat(thrown.get(20, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.STEP_INTERRUPTED);
        awaitEnd(Long.parseLong(Files.readString(pid).strip()));
    }

    @Test
    void aStartedProgramWritesToItsLogAndReadsNothing() throws Exception {
        Path log = Files.writeString(directory.resolve("log"), "before\n");
        Process process = runner.start(sh("cat; echo out; echo err >&2"), log);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(log).hasContent("before\nout\nerr\n");
    }

    @Test
    void aReportOfTheStartCanBeReadWhileTheProgramGoesOn() throws Exception {
        Path log = directory.resolve("log");
        Process process = runner.startReporting(sh("echo trouble >&2; echo ready; exec sleep 1000"), log);
        try {
            assertThat(process.inputReader().readLine()).isEqualTo("ready");
            assertThat(process.isAlive()).isTrue();
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertThat(log).hasContent("trouble\n");
    }

    @Test
    void onItsOwnStreamsTheExitCodeIsTheSame() {
        assertThat(runner.runInherited(sh("exit 5"))).isEqualTo(5);
        assertThat(runner.runInherited(sh("kill -TERM $$"))).isEqualTo(143);
    }

    @Test
    void installedProgramsAreFound() {
        assertThat(CommandRunner.find("sh")).isPresent();
        assertThat(CommandRunner.find("vse-no-such-program")).isEmpty();
    }

    @Test
    void whatIsNoCommandIsRefused() {
        assertThatThrownBy(() -> Command.of()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Command.of("a\0b")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Command(List.of("a"), Map.of(), null, "", Duration.ZERO, -1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static Command sh(String script) {
        return Command.of("sh", "-c", script);
    }

    private static void awaitEnd(long pid) throws InterruptedException, ExecutionException, TimeoutException {
        if (ProcessIdentity.of(pid).isPresent()) {
            ProcessHandle.of(pid)
                    .map(ProcessHandle::onExit)
                    .orElse(CompletableFuture.completedFuture(null))
                    .get(20, TimeUnit.SECONDS);
        }
        assertThat(ProcessIdentity.of(pid)).isEmpty();
    }
}

package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Scripts in a real guest, with the example image's own shell. */
@Tag("system")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GuestJobSystemTest {
    private static final int UID = 1234;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final GuestJob job = new GuestJob(Duration.ofSeconds(60));
    private PlainGuest machine;

    /** What is done to the guest before the first test. */
    void prepare(PlainGuest guest) {
        assertThat(guest.sh("readlink -f /bin/sh")).isNotEmpty();
    }

    @BeforeAll
    void boot() throws Exception {
        machine = PlainGuest.boot();
        prepare(machine);
        GuestAccount user = new GuestAccount(
                "vse-alice",
                UID,
                List.of(new GuestAccount.Group("vse-alice", 1235), new GuestAccount.Group("vse lab", 1236)),
                "/home/vse-alice",
                "/bin/bash");
        GuestSetup setup = new GuestSetup(
                Instant.now(),
                "vm0",
                List.of(),
                user,
                Optional.empty(),
                List.of(),
                List.of("/home/vse-alice/my dir"),
                List.of(),
                Optional.empty());
        new GuestConfigurator(Duration.ofSeconds(10), PATIENCE).apply(machine.control, setup);
    }

    @AfterAll
    void end() throws Exception {
        machine.close();
    }

    @BeforeEach
    @AfterEach
    void forget() throws IOException {
        machine.forgetScript();
    }

    private static ScriptLaunch launch(String script, String... arguments) {
        return launch(script.getBytes(StandardCharsets.UTF_8), Map.of(), "/home/vse-alice", arguments);
    }

    private static ScriptLaunch launch(
            byte[] script, Map<String, String> environment, String cwd, String... arguments) {
        return new ScriptLaunch(
                Optional.of(new JobScript("/home/vse-alice/my job=1.sh", script)),
                List.of(arguments),
                environment,
                cwd,
                UID,
                List.of(1235, 1236),
                027,
                "/bin/bash",
                Optional.empty());
    }

    private ControlRecords records() throws IOException {
        return ControlRecords.parse(Files.readAllBytes(machine.file(ControlRecords.PORT)));
    }

    private JobStatus.Exited awaitEnd() throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            ControlRecords records = records();
            if (records.status() instanceof JobStatus.Exited exited
                    && Files.size(machine.file(GuestJob.STDOUT_PORT)) >= exited.stdoutBytes()
                    && Files.size(machine.file(GuestJob.STDERR_PORT)) >= exited.stderrBytes()) {
                assertThat(Files.size(machine.file(GuestJob.STDOUT_PORT))).isEqualTo(exited.stdoutBytes());
                assertThat(Files.size(machine.file(GuestJob.STDERR_PORT))).isEqualTo(exited.stderrBytes());
                assertThat(job.status(machine.control)).isEqualTo(exited);
                return exited;
            }
            if (System.nanoTime() > end || records.status() instanceof JobStatus.Lost) {
                throw new AssertionError(records + machine.sh("cat /run/vse/job/log; ps -ef | grep -v '\\['"));
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    private int run(ScriptLaunch launch) throws IOException {
        job.start(machine.control, launch);
        return awaitEnd().exitCode();
    }

    private String out() throws IOException {
        return Files.readString(machine.file(GuestJob.STDOUT_PORT));
    }

    private String err() throws IOException {
        return Files.readString(machine.file(GuestJob.STDERR_PORT));
    }

    /** Returns when the script has written this line. */
    private void awaitLine(String line) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!out().contains(line + "\n")) {
            if (System.nanoTime() > end) {
                throw new AssertionError("no line " + line + " in " + out() + err());
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Test
    void theScriptIsTheUsers() throws IOException {
        assertThat(run(launch("#!/bin/sh\nid -u; id -g; id -G; pwd; umask; echo $0; ls -l /proc/self/fd | wc -l\n"
                        + "grep -E 'Sig(Blk|Ign)|Cap(Inh|Prm|Eff)' /proc/self/status")))
                .isZero();
        // total, 0, 1, 2 and the directory that ls itself reads
        assertThat(out().replaceAll("[\t ]+", " ")).isEqualTo("""
                        1234
                        1235
                        1235 1236
                        /home/vse-alice
                        0027
                        /run/vse/job/script/my job_1.sh
                        5
                        SigBlk: 0000000000000000
                        SigIgn: 0000000000000000
                        CapInh: 0000000000000000
                        CapPrm: 0000000000000000
                        CapEff: 0000000000000000
                        """);
    }

    @Test
    void argumentsAndEnvironmentArriveAsTheyAre() throws IOException {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("LINES_", "\na\n\nb\n");
        environment.put("QUOTES", "'\"`$(id)\\ *");
        environment.put("EMPTY", "");
        environment.put("ÜMLAUT", "ü€😀\u0085");
        environment.put("-u", "x=y");
        environment.put("BASH_FUNC_greet%%", "() {  echo \"hello\n$1\"\n}");
        environment.put("LD_PRELOAD", "");
        for (int i = 1; i < 256; i++) {
            environment.put("CHAR_" + i, String.valueOf((char) i));
        }
        assertThat(run(launch(
                        "#!/bin/bash\ntr '\\0' '\\1' < /proc/$$/environ; printf '<%s>' \"$@\"; greet you"
                                .getBytes(StandardCharsets.UTF_8),
                        environment,
                        "/home/vse-alice/my dir",
                        "a b",
                        "",
                        "'\"\\",
                        "x\ny\n",
                        "*",
                        "-n",
                        "A=b",
                        "ü\u0081€",
                        "")))
                .isZero();
        assertThat(err()).isEmpty();
        String text = out();
        String variables = "\1" + text.substring(0, text.lastIndexOf("\1") + 1);
        assertThat(variables).doesNotContain("HOSTNAME", "LC_ALL", "IFS");
        environment.forEach((name, value) -> assertThat(variables).contains("\1" + name + "=" + value + "\1"));
        assertThat(text.substring(text.lastIndexOf("\1") + 1))
                .isEqualTo("<a b><><'\"\\><x\ny\n><*><-n><A=b><ü\u0081€><>hello\nyou\n");
    }

    @Test
    void hundredMegabytesArriveLiveAndExact() throws Exception {
        job.start(machine.control, launch("""
                        #!/bin/sh
                        head -c 1000003 /dev/urandom > /tmp/r
                        all() { i=0; while [ $i -lt 100 ]; do cat /tmp/r; i=$((i+1)); done; }
                        all | sha256sum >&2
                        all
                        """));
        long patience = System.nanoTime() + PATIENCE.toNanos();
        while (Files.size(machine.file(GuestJob.STDOUT_PORT)) == 0) {
            assertThat(System.nanoTime()).isLessThan(patience);
            LockSupport.parkNanos(2_000_000);
        }
        assertThat(records().status()).isInstanceOf(JobStatus.Running.class);
        long begin = System.nanoTime();
        JobStatus.Exited end = awaitEnd();
        double seconds = (System.nanoTime() - begin) / 1e9;
        assertThat(end).isEqualTo(new JobStatus.Exited(0, 100_000_300, 68));
        String sha = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256")
                        .digest(Files.readAllBytes(machine.file(GuestJob.STDOUT_PORT))));
        assertThat(err()).isEqualTo(sha + "  -\n");
        System.out.printf("MEASURED 100 MB of output in %.2f s, %.0f MB/s%n", seconds, 100 / seconds);
    }

    @Test
    void binaryOutputOnBothStreams() throws IOException {
        assertThat(run(launch("#!/bin/bash\nfor i in {0..255}; do printf \"\\\\x$(printf %x $i)\"; "
                        + "printf \"\\\\x$(printf %x $((255-i)))\" >&2; done")))
                .isZero();
        byte[] up = Files.readAllBytes(machine.file(GuestJob.STDOUT_PORT));
        byte[] down = Files.readAllBytes(machine.file(GuestJob.STDERR_PORT));
        assertThat(up).hasSize(256);
        assertThat(down).hasSize(256);
        for (int i = 0; i < 256; i++) {
            assertThat(up[i]).isEqualTo((byte) i);
            assertThat(down[i]).isEqualTo((byte) (255 - i));
        }
    }

    @Test
    void streamsCanBeReopenedByTheirNames() throws IOException {
        assertThat(run(launch("#!/bin/sh\necho a > /dev/stdout; echo b > /dev/stderr; echo c >> /dev/fd/1")))
                .isZero();
        assertThat(out()).isEqualTo("a\nc\n");
        assertThat(err()).isEqualTo("b\n");
    }

    @Test
    void aClosedStreamIsNoEnd() throws IOException {
        assertThat(run(launch("#!/bin/sh\necho a\nexec 3>&1 1>&-\nsleep 0.2\nexec 1>&3 3>&-\necho b\nexec >&- 2>&-\n"
                        + "sleep 0.2; exit 3")))
                .isEqualTo(3);
        assertThat(out()).isEqualTo("a\nb\n");
    }

    @Test
    void exitCodes() throws IOException {
        assertThat(run(launch("#!/bin/sh\nexit 300"))).isEqualTo(44);
        forget();
        assertThat(run(launch("#!/bin/sh\nkill -s KILL $$"))).isEqualTo(137);
        forget();
        assertThat(run(launch("#!/bin/sh\nkill -s SEGV $$"))).isEqualTo(139);
        forget();
        assertThat(run(launch("#!/bin/sh\nkill -s INT $$"))).isEqualTo(130);
        forget();
        assertThat(run(launch("#!/bin/sh\nexec /bin/sh -c 'echo exec; exit 9'")))
                .isEqualTo(9);
        assertThat(out()).isEqualTo("exec\n");
        forget();
        assertThat(run(launch("#!/bin/cat\nas it is\n"))).isZero();
        assertThat(out()).isEqualTo("#!/bin/cat\nas it is\n");
    }

    @Test
    void whatTheScriptLeavesBehindEndsWithIt() throws IOException {
        long begin = System.nanoTime();
        assertThat(run(launch("""
                                #!/bin/bash
                                sleep 1000 &
                                setsid sleep 1001 &
                                (trap '' TERM HUP; exec setsid sleep 1002) &
                                (trap 'echo ended in peace; exit' TERM; while :; do sleep 0.1; done) &
                                echo done
                                exit 5
                                """))).isEqualTo(5);
        assertThat(out()).startsWith("done\n").contains("ended in peace\n");
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
        assertThat(machine.sh("ps -eo args | grep -c '^sleep 100' || :").strip())
                .isEqualTo("0");
    }

    @Test
    void aProcessOfRootThatHoldsTheOutputIsNoHindrance() throws IOException {
        job.start(machine.control, launch("#!/bin/sh\necho up; while [ ! -e go ]; do sleep 0.05; done\nexit 6"));
        awaitLine("up");
        machine.sh("setsid -f sleep 1003 > /run/vse/job/stdout < /dev/null 2> /dev/null");
        machine.sh("touch /home/vse-alice/go");
        assertThat(awaitEnd().exitCode()).isEqualTo(6);
    }

    @Test
    void interpreters() throws IOException {
        assertThat(run(launch("#!/no/such/interp -x\necho never"))).isEqualTo(127);
        assertThat(err())
                .isEqualTo("vse: the interpreter '/no/such/interp' in the first line of 'my job_1.sh' is not in the"
                        + " image\n");
        forget();
        assertThat(run(launch("#!/bin/bash\r\necho never\r\n"))).isEqualTo(127);
        assertThat(err()).contains("'/bin/bash'", "carriage return", "dos2unix");
        forget();
        assertThat(run(launch("echo $BASH_VERSION $0 $1\nexit 4", "one"))).isEqualTo(4);
        assertThat(out()).matches("[0-9].* /run/vse/job/script/my job_1.sh one\n");
    }

    @Test
    void aMissingDirectoryIsNamed() throws IOException {
        assertThat(run(launch("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8), Map.of(), "/no/such dir")))
                .isEqualTo(125);
        assertThat(err())
                .isEqualTo("vse: cannot change to directory '/no/such dir': there is no such directory in the guest\n");
        forget();
        machine.sh("mkdir -p /root/x; chmod 700 /root");
        assertThat(run(launch("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8), Map.of(), "/root")))
                .isEqualTo(125);
        assertThat(err()).endsWith("permission denied\n");
    }

    @Test
    void theLargestScript() throws IOException {
        StringBuilder text = new StringBuilder("#!/bin/sh\ncksum < \"$0\"\nexit 0\n");
        while (text.length() < JobScript.MAX_BYTES - 64) {
            text.append("#\u0080\u00ff'\"\\$`").append(text.length()).append('\n');
        }
        byte[] script = text.toString().getBytes(StandardCharsets.ISO_8859_1);
        String large = "v".repeat(100_000);
        Map<String, String> environment = Map.of("A", large, "B", large, "C", large, "PATH", "/usr/bin:/bin");
        assertThat(run(launch(script, environment, "/", large, large))).isZero();
        assertThat(out()).endsWith(" " + script.length + "\n");
    }

    @Test
    void signalsReachTheWholeScript() throws IOException {
        String script = """
                #!/bin/bash
                trap 'echo int' INT
                trap 'echo usr1' USR1
                trap 'echo term; exit 17' TERM
                echo ready
                while :; do sleep 1000; done
                """;
        job.start(machine.control, launch(script));
        awaitLine("ready");
        assertThat(job.status(machine.control)).isEqualTo(new JobStatus.Running());
        assertThat(job.signal(machine.control, JobSignal.USR1)).isTrue();
        awaitLine("usr1");
        assertThat(job.signal(machine.control, JobSignal.INT)).isTrue();
        awaitLine("int");
        assertThat(job.signal(machine.control, JobSignal.STOP)).isTrue();
        assertThat(machine.sh("cat /proc/$(cat /run/vse/job/pid)/stat")).contains(") T ");
        assertThat(job.signal(machine.control, JobSignal.CONT)).isTrue();
        assertThat(job.signal(machine.control, JobSignal.TERM)).isTrue();
        assertThat(awaitEnd().exitCode()).isEqualTo(17);
        assertThat(job.signal(machine.control, JobSignal.KILL)).isFalse();
    }

    @Test
    void killingForkingProcessesEndsAll() throws IOException {
        job.start(
                machine.control, launch("#!/bin/bash\necho ready\nf() { while :; do (sleep 0.01); done; }\nf & f & f"));
        awaitLine("ready");
        assertThat(job.signal(machine.control, JobSignal.KILL)).isTrue();
        assertThat(awaitEnd().exitCode()).isEqualTo(137);
    }

    @Test
    void theScriptOutlivesTheAgent() throws IOException {
        job.start(
                machine.control,
                launch("#!/bin/sh\necho ready\nuntil [ -e /tmp/go ]; do sleep 0.1; done\necho after\nexit 8"));
        awaitLine("ready");
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> machine.control.exec(
                        List.of("/bin/sh", "-c", "kill -s KILL $(pidof qemu-ga)"),
                        new byte[0],
                        Duration.ofSeconds(2),
                        100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_UNRESPONSIVE));
        machine.control.awaitReady(Instant.now().plus(PATIENCE));
        assertThat(job.status(machine.control)).isInstanceOf(JobStatus.Running.class);
        machine.sh("touch /tmp/go");
        assertThat(awaitEnd().exitCode()).isEqualTo(8);
        assertThat(out()).isEqualTo("ready\nafter\n");
    }

    @Test
    void aRunnerThatWasKilledIsKnownToBeLost() throws IOException {
        assertThat(job.status(machine.control)).isEqualTo(new JobStatus.NotStarted());
        job.start(machine.control, launch("#!/bin/sh\necho ready\nsleep 1000"));
        awaitLine("ready");
        machine.sh("for p in $(cat /sys/fs/cgroup/vse.runner/cgroup.procs); do kill -s KILL $p; done");
        assertThat(job.status(machine.control)).isEqualTo(new JobStatus.Lost("runner"));
        assertThat(job.signal(machine.control, JobSignal.KILL)).isTrue();
    }

    @Test
    void aSecondStartIsRefusedAndHarmsNothing() throws IOException {
        job.start(machine.control, launch("#!/bin/sh\necho first\nsleep 1\nexit 2"));
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> job.start(machine.control, launch("#!/bin/sh\necho second")))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.JOB_STATE));
        assertThat(awaitEnd().exitCode()).isEqualTo(2);
        assertThat(out()).isEqualTo("first\n");
    }

    @Test
    void latencies() throws IOException {
        long best = Long.MAX_VALUE;
        long bestStart = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            forget();
            long begin = System.nanoTime();
            job.start(machine.control, launch("#!/bin/sh\necho line"));
            bestStart = Math.min(bestStart, System.nanoTime() - begin);
            awaitLine("line");
            long line = System.nanoTime();
            awaitEnd();
            best = Math.min(best, System.nanoTime() - begin);
            System.out.printf(
                    "MEASURED start to first line %d ms, to end %d ms%n",
                    (line - begin) / 1_000_000, (System.nanoTime() - begin) / 1_000_000);
        }
        System.out.printf("MEASURED best: start call %d ms, to end %d ms%n", bestStart / 1_000_000, best / 1_000_000);
        assertThat(bestStart).isLessThan(PATIENCE.toNanos());
    }
}

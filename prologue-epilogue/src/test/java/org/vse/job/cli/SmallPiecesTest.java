package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.cli.Interrupts.Action;
import org.vse.job.client.JobEnvironment;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;

class SmallPiecesTest {
    private static final Site SYSTEM =
            new Site(Path.of("/run/vse"), Path.of("/var/lib/vse"), Path.of("/etc/vse"), null, 0);

    private static final Instant NOW = Instant.parse("2026-11-21T09:00:00Z");

    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource({"local-7,local-7,0", "local-7.1,local-7,1", "12.server,12.server,0", "12.server.3,12.server,3"})
    void aVmIsNamedByJobAndNumber(String text, String job, int index) {
        assertThat(JobRef.parse(text)).isEqualTo(new JobRef(job, index));
    }

    @ParameterizedTest
    @CsvSource({
        "2026-11-20,2026-11-19T23:00:00Z",
        "2026-11-20T09:30,2026-11-20T08:30:00Z",
        "2026-11-20T09:30:00Z,2026-11-20T09:30:00Z",
        "2026-11-20T09:30:00+05:00,2026-11-20T04:30:00Z",
        "90m,2026-11-21T07:30:00Z",
        "7d,2026-11-14T09:00:00Z"
    })
    void momentsInEveryForm(String text, Instant expected) {
        assertThat(Moments.parse(text, NOW, ZoneOffset.ofHours(1))).isEqualTo(expected);
    }

    @Test
    void aWrongMomentSaysWhatIsAllowed() {
        VseException e =
                catchThrowableOfType(VseException.class, () -> Moments.parse("yesterday", NOW, ZoneId.of("UTC")));
        assertThat(e.render()).contains("'yesterday'", "2026-11-21T09:00:00Z", "7d");
    }

    @Test
    void tablesAlignAndCsvQuotes() {
        JsonObject one = Json.readObject("{\"id\":\"local-1\",\"cores\":[0,1],\"end\":null}");
        JsonObject two = Json.readObject("{\"id\":\"x,\\\"y\\\"\",\"cores\":[],\"end\":\"a\\nb\"}");
        Table table = Table.of(List.of(one, two));
        assertThat(table.text()).isEqualTo("""
                        ID       CORES  END
                        local-1  0,1    -
                        x,"y"    -      a?b""");
        assertThat(table.csv()).isEqualTo("id,cores,end\nlocal-1,\"0,1\",\n\"x,\"\"y\"\"\",,\"a\nb\"");
    }

    @Test
    void theJobGetsTheEnvironmentWithoutTheSession() {
        Map<String, String> all = Map.ofEntries(
                Map.entry("PATH", "/bin"),
                Map.entry("HOME", "/home/a"),
                Map.entry("OMP_NUM_THREADS", "2"),
                Map.entry("XDG_CONFIG_HOME", "/home/a/.config"),
                Map.entry("BASH_FUNC_module%%", "() { :; }"),
                Map.entry("LD_PRELOAD", "/x.so"),
                Map.entry("LD_LIBRARY_PATH", "/x"),
                Map.entry("SSH_AUTH_SOCK", "/tmp/s"),
                Map.entry("XDG_RUNTIME_DIR", "/run/user/1"),
                Map.entry("XDG_SESSION_ID", "3"),
                Map.entry("TMPDIR", "/scratch"),
                Map.entry("HOSTNAME", "login1"),
                Map.entry("VSE_RUN_DIR", "/r"));
        assertThat(JobEnvironment.of(all, false))
                .containsOnlyKeys("PATH", "HOME", "OMP_NUM_THREADS", "XDG_CONFIG_HOME", "BASH_FUNC_module%%");
        assertThat(JobEnvironment.of(all, true)).doesNotContainKey("HOME").containsKey("PATH");
    }

    @Test
    void theLogicalDirectoryCountsWhenItIsRight() throws IOException {
        Path real = Files.createDirectory(dir.resolve("real")).toRealPath();
        Path link = Files.createSymbolicLink(dir.resolve("link"), real);
        assertThat(WorkDirectory.logical(Map.of("PWD", link.toString()), real)).isEqualTo(link);
        assertThat(WorkDirectory.logical(Map.of("PWD", dir.toString()), real)).isEqualTo(real);
        assertThat(WorkDirectory.logical(Map.of("PWD", link + "/../link"), real))
                .isEqualTo(real);
        assertThat(WorkDirectory.logical(Map.of("PWD", "real"), real)).isEqualTo(real);
        assertThat(WorkDirectory.logical(Map.of(), real)).isEqualTo(real);
    }

    @Test
    void scriptsAreReadWhole() throws IOException {
        Path script = Files.writeString(dir.resolve("job.sh"), "#!/bin/bash\necho é\n");
        ScriptFile expected = new ScriptFile(script, "#!/bin/bash\necho é\n");
        assertThat(ScriptFile.read("job.sh", dir)).isEqualTo(expected);
        assertThat(ScriptFile.read("./job.sh", dir)).isEqualTo(expected);
        assertThat(ScriptFile.read(script.toString(), Path.of("/"))).isEqualTo(expected);
        Files.write(script, new byte[ScriptFile.MAX_BYTES]);
        Files.writeString(script, "a".repeat(ScriptFile.MAX_BYTES));
        assertThat(ScriptFile.read("job.sh", dir).text()).hasSize(ScriptFile.MAX_BYTES);
    }

    @Test
    void scriptsThatCannotBeReadSayWhy() throws IOException {
        Files.writeString(dir.resolve("large"), "a".repeat(ScriptFile.MAX_BYTES + 1));
        Files.write(dir.resolve("latin1"), "line\nok\ncaf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        Files.write(dir.resolve("binary"), new byte[] {0x7f, 'E', 'L', 'F', '\n', 0});
        Files.write(dir.resolve("cut"), new byte[] {'a', (byte) 0xc3});
        assertThat(refusal("none"))
                .contains("there is no file 'none'", dir.resolve("none").toString());
        assertThat(refusal(".")).contains("is a directory");
        assertThat(refusal("/dev/null")).contains("is not a file");
        assertThat(refusal("large")).contains("large:1:1", "524288 bytes");
        assertThat(refusal("latin1")).contains("latin1:3:4: the script is not UTF-8 text");
        assertThat(refusal("binary")).contains("binary:1:1: the file is a program");
        assertThat(refusal("cut")).contains("not UTF-8 text");
    }

    @Test
    void aSignalBeforeTheScriptCancels() {
        Interrupts interrupts = new Interrupts();
        assertThat(interrupts.on("INT", 0)).isEqualTo(Action.CANCEL);
        assertThat(interrupts.on("INT", seconds(1))).isEqualTo(Action.WAIT);
        assertThat(interrupts.on("INT", seconds(2))).isEqualTo(Action.LEAVE);
    }

    @Test
    void theFirstSignalIsTheScriptsTheSecondSoonAfterCancels() {
        Interrupts interrupts = new Interrupts();
        interrupts.running();
        assertThat(interrupts.on("INT", 0)).isEqualTo(Action.PASS_ON);
        assertThat(interrupts.on("INT", seconds(4))).isEqualTo(Action.PASS_ON);
        assertThat(interrupts.on("TERM", seconds(5))).isEqualTo(Action.PASS_ON);
        assertThat(interrupts.on("TERM", seconds(7))).isEqualTo(Action.CANCEL);
        assertThat(interrupts.on("TERM", seconds(8))).isEqualTo(Action.WAIT);
    }

    @Test
    void anEndedJobIsWaitedForUnlessTheUserInsists() {
        Interrupts interrupts = new Interrupts();
        interrupts.running();
        assertThat(interrupts.on("INT", 0)).isEqualTo(Action.PASS_ON);
        interrupts.ending();
        assertThat(interrupts.on("INT", seconds(1))).isEqualTo(Action.WAIT);
        assertThat(interrupts.on("INT", seconds(9))).isEqualTo(Action.WAIT);
        assertThat(interrupts.on("INT", seconds(10))).isEqualTo(Action.LEAVE);
    }

    @Test
    void progressSaysEachWaitOnceAndThenHowLongStill() {
        Progress progress = new Progress(NOW);
        String waiting = """
                {"event":"waiting","step":"ready","for":"the guest of vm 0 to answer","until":"2026-11-21T09:00:30Z"}""";
        assertThat(say(progress, "{\"event\":\"accepted\",\"job\":\"local-7\"}", 0))
                .isEqualTo("vse: job local-7");
        assertThat(say(progress, "{\"event\":\"step\",\"step\":\"stage\"}", 100))
                .isEmpty();
        assertThat(say(progress, "{\"event\":\"step\",\"step\":\"ready\"}", 300))
                .isEmpty();
        assertThat(say(progress, waiting, 400))
                .isEqualTo("vse: ready: waiting for the guest of vm 0 to answer, 29 s left");
        assertThat(say(progress, waiting, 2000)).isEmpty();
        assertThat(progress.tick(NOW.plusMillis(5300))).isEmpty();
        assertThat(progress.tick(NOW.plusMillis(5400)))
                .contains("vse: ready: waiting for the guest of vm 0 to answer, 24 s left");
        assertThat(progress.tick(NOW.plusMillis(6000))).isEmpty();
        assertThat(say(progress, "{\"event\":\"running\"}", 7300))
                .isEqualTo("vse: running after 7.3 s (stage 0.2 s, ready 7.0 s)");
        assertThat(progress.tick(NOW.plusSeconds(60))).isEmpty();
        assertThat(say(progress, "{\"event\":\"ended\",\"exitCode\":3}", 9300)).isEmpty();
        assertThat(say(progress, "{\"event\":\"settled\"}", 9800))
                .isEqualTo("vse: exit code 3 after 2.0 s, torn down in 0.5 s");
    }

    @Test
    void sshGoesThroughTheTunnelWhateverTheJobIsCalled() {
        List<String> argv = VmCommands.Ssh.argv(
                new Self(List.of("/opt/a b/vse")),
                new JobRef("12[3].h'x%h", 1),
                Path.of("/tmp/k"),
                "alice",
                "-oProxyCommand=evil",
                List.of("ls", "-l"));
        assertThat(argv)
                .startsWith("ssh", "-i", "/tmp/k", "-l", "alice")
                .contains("ProxyCommand='/opt/a b/vse' 'vm' 'tunnel' '--' '12[3].h'\\''x%%h' '1'")
                .endsWith("--", "-oProxyCommand=evil", "ls", "-l");
    }

    @Test
    void linesForARawTerminalReturnToTheMargin() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Io io = new Io(InputStream.nullInputStream(), OutputStream.nullOutputStream(), err, true, true);
        io.forRawTerminal().say("vse: é");
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("vse: é\r\n");
    }

    @Test
    void sitesAreMovedByTheEnvironment() {
        assertThat(Site.of(Map.of(), 0, () -> false)).isEqualTo(SYSTEM);
        assertThat(Site.of(Map.of("VSE_RUN_DIR", "/r", "VSE_STATE_DIR", "", "VSE_CONFIG_DIR", "/c"), 0, () -> false))
                .isEqualTo(new Site(Path.of("/r"), Path.of("/var/lib/vse"), Path.of("/c"), null, 0));
    }

    @Test
    void anOrdinaryUserHasASiteOfTheirOwnUnlessRootsDaemonAnswers() {
        Map<String, String> home = Map.of("HOME", "/home/carol");
        Site own = new Site(
                Path.of("/tmp/vse-4321"),
                Path.of("/home/carol/.local/state/vse"),
                Path.of("/home/carol/.config/vse"),
                Path.of("/var/lib/vse/images"),
                4321);
        assertThat(Site.of(home, 4321, () -> false)).isEqualTo(own);
        assertThat(Site.of(home, 4321, () -> true))
                .isEqualTo(new Site(SYSTEM.run(), SYSTEM.state(), SYSTEM.config(), null, 4321));
        assertThat(Site.of(
                        Map.of(
                                "HOME", "/home/carol",
                                "VSE_RUN_DIR", "/r",
                                "XDG_STATE_HOME", "/s",
                                "XDG_CONFIG_HOME", "/c",
                                "VSE_IMAGES_DIR", "/i"),
                        4321,
                        () -> {
                            throw new AssertionError("who names a directory asks nobody");
                        }))
                .isEqualTo(new Site(Path.of("/r"), Path.of("/s/vse"), Path.of("/c/vse"), Path.of("/i"), 4321));
        assertThat(Site.of(own.variables(), 4321, () -> true)).isEqualTo(own);
    }

    private String refusal(String script) {
        VseException e = catchThrowableOfType(VseException.class, () -> ScriptFile.read(script, dir));
        assertThat(e.code()).isEqualTo(ErrorCode.SCRIPT_UNREADABLE);
        return e.render();
    }

    private static String say(Progress progress, String event, long millis) {
        return progress.on(Json.readObject(event), NOW.plusMillis(millis)).orElse("");
    }

    private static long seconds(long seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}

package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.job.client.FakeVsed;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

@Timeout(30)
class VseTest {
    private static final String JOB = """
            {"id":"local-7","state":"RUNNING","user":"alice","image":"debian-12","submitted":"2026-11-21T09:00:00Z",
            "ended":null,"exitCode":null,"vms":[{"index":0,"name":"vm0","node":"n1","cores":[2,3],"state":"RUNNING",
            "address":"10.0.0.2"}],"failure":null}""";

    @TempDir
    Path dir;

    private Shell shell;
    private FakeVsed vsed;

    @BeforeEach
    void start() throws IOException {
        shell = new Shell(dir);
        vsed = new FakeVsed(shell.socket());
    }

    @AfterEach
    void stop() throws IOException {
        vsed.close();
        assertThat(vsed.errors()).isEmpty();
    }

    static Stream<List<String>> commands() {
        CommandLine root = Vse.commandLine(new Shell(Path.of("/nonexistent")).context());
        return all(root)
                .map(command -> List.of(command.getCommandSpec().qualifiedName().split(" ")));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHelps(List<String> name) {
        String[] arguments =
                Stream.concat(name.stream().skip(1), Stream.of("--help")).toArray(String[]::new);
        assertThat(shell.run(arguments)).isZero();
        assertThat(shell.out()).startsWith("Usage: " + String.join(" ", name));
        assertThat(shell.err()).isEmpty();
    }

    @Test
    void everyOptionHasAVariableOfItsOwnAndShowsIt() {
        CommandLine root = Vse.commandLine(shell.context());
        Map<String, Set<String>> shared = new java.util.TreeMap<>();
        all(root).forEach(command -> {
            for (OptionSpec option : command.getCommandSpec().options()) {
                if (!option.longestName().equals("--help")) {
                    String variable = EnvironmentTwins.variable(option);
                    assertThat(option.description()).contains("[" + variable + "]");
                    shared.computeIfAbsent(variable, v -> new java.util.TreeSet<>())
                            .add(option.longestName());
                }
            }
        });
        assertThat(shared).containsKeys("VSE_YES", "VSE_FORMAT", "VSE_QUIET", "VSE_RUN_USER", "VSE_DOWN_CANCEL_JOBS");
        assertThat(shared.values()).allMatch(names -> names.size() == 1);
    }

    @Test
    void everyLeafHasExamples() {
        all(Vse.commandLine(shell.context()))
                .filter(command -> command.getSubcommands().isEmpty()
                        && !command.getCommandSpec().usageMessage().hidden())
                .forEach(
                        command -> assertThat(command.getUsageMessage()).containsPattern("Examples:\\R  (sudo )?vse "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "jbo | unmatched argument at index 0: 'jbo' | vse --help",
                "job shw | did you mean: show | vse job --help",
                "run --usr x | did you mean: --user | vse run --help",
                "job | missing required subcommand | vse job --help",
                "job show | missing required parameter: 'JOB' | vse job show --help",
                "job ls --format xml | expected one of [table, json] | vse job ls --help",
                "run | there is nothing to run | vse run --help",
                "run --interactive debian-12 job.sh | --interactive takes no script | vse run --help",
                "report vms --since never | 'never' is not a point in time | 7d"
            })
    void aMistakeOnTheCommandLineExitsTwoAndHelps(String line, String what, String next) {
        assertThat(shell.run(line.split(" "))).isEqualTo(2);
        assertThat(shell.err()).startsWith("vse: ").contains("[USAGE]", what, next);
        assertThat(shell.out()).isEmpty();
    }

    @Test
    void aWrongVariableIsNamed() {
        assertThat(shell.with("VSE_QUIET", "maybe").run("run", "x")).isEqualTo(2);
        assertThat(shell.err()).contains("vse: VSE_QUIET: 'maybe' is not a truth value [USAGE]\n", "yes, no");
    }

    @Test
    void variablesGiveDefaultsAndOptionsWin() {
        vsed.on("GET /v1/jobs", call -> call.json(200, "{\"jobs\":[" + JOB + "]}"));
        shell.with("VSE_FORMAT", "json");
        assertThat(shell.run("job", "ls")).isZero();
        assertThat(shell.out()).isEqualTo("{\"jobs\":[" + JOB + "]}\n");
        assertThat(shell.run("job", "ls", "--format", "table")).isZero();
        assertThat(shell.out()).contains("ID       STATE    USER   IMAGE");
    }

    @Test
    void listsAreTables() {
        vsed.on("GET /v1/jobs", call -> call.json(200, "{\"jobs\":[" + JOB + "]}"));
        assertThat(shell.run("job", "ls")).isZero();
        assertThat(shell.out()).isEqualTo("""
                        ID       STATE    USER   IMAGE      SUBMITTED             ENDED  EXITCODE
                        local-7  RUNNING  alice  debian-12  2026-11-21T09:00:00Z  -      -
                        """);
    }

    @Test
    void aJobIsShownWithItsVms() {
        vsed.on("GET /v1/jobs/local-7", call -> call.json(200, JOB));
        assertThat(shell.run("job", "show", "local-7")).isZero();
        assertThat(shell.out())
                .contains("state     : RUNNING\n", "ended     : -\n", "0      vm0   n1    2,3    RUNNING");
    }

    @Test
    void aFailedJobIsShownWithItsFailure() {
        vsed.on(
                "GET /v1/jobs/a%20b",
                call -> call.json(
                        200,
                        "{\"id\":\"a b\",\"failure\":{\"code\":\"DISK_FULL\",\"what\":\"no room\",\"next\":\"tidy up\"}}"));
        assertThat(shell.run("job", "show", "a b")).isZero();
        assertThat(shell.out()).isEqualTo("id        : a b\n\nvse: no room [DISK_FULL]\n  next: tidy up\n");
    }

    @Test
    void theDaemonsFailuresAreTheUsersMessages() {
        assertThat(shell.run("job", "show", "nope")).isEqualTo(125);
        assertThat(shell.err()).isEqualTo("vse: no such job [JOB_UNKNOWN]\n");
    }

    @Test
    void logsAndConsolesAreBytes() {
        vsed.on("GET /v1/jobs/j/output/stderr", call -> {
            assertThat(call.target()).endsWith("?offset=5&follow=true");
            call.stream();
            call.chunk("no line feed");
            call.end();
        });
        vsed.on("GET /v1/jobs/j/console/2", call -> call.json(200, "boot"));
        assertThat(shell.run("job", "logs", "--stderr", "-f", "--offset", "5", "j"))
                .isZero();
        assertThat(shell.run("vm", "console", "j.2")).isZero();
        assertThat(shell.out()).isEqualTo("no line feedboot");
    }

    @Test
    void cancelGoesOnAfterAJobThatCannotBe() {
        vsed.on("POST /v1/jobs/b/cancel", call -> call.json(200, "{}"));
        assertThat(shell.run("job", "cancel", "a", "b")).isEqualTo(125);
        assertThat(shell.err()).isEqualTo("vse: no such job [JOB_UNKNOWN]\nvse: cancelling job b\n");
    }

    @Test
    void reportsFilterAndFormat() {
        vsed.on(
                "GET /v1/report/vms",
                call -> call.json(200, "{\"empty\":false,\"more\":true,\"text\":\"JobID\\r\\nlocal-7\\r\\n\"}"));
        assertThat(shell.run("report", "vms", "--since", "2026-11-20T00:00:00Z", "--user", "a&b", "--format", "csv"))
                .isZero();
        assertThat(shell.out()).isEqualTo("JobID\r\nlocal-7\n");
        assertThat(shell.err()).contains("older ones were left out");
        String zone = URLEncoder.encode(ZoneId.systemDefault().getId(), StandardCharsets.UTF_8);
        assertThat(vsed.calls())
                .containsExactly("GET /v1/report/vms?limit=10000&format=csv&zone=" + zone
                        + "&since=2026-11-20T00%3A00%3A00Z&user=a%26b");
    }

    @Test
    void anEmptyReportIsSaidAndPrintsNothing() {
        vsed.on("GET /v1/report/vms", call -> call.json(200, "{\"empty\":true,\"more\":false,\"text\":\"JobID\"}"));
        assertThat(shell.run("report", "vms")).isZero();
        assertThat(shell.out()).isEmpty();
        assertThat(shell.err()).isEqualTo("vse: no VM ran in this time\n");
    }

    @Test
    void versionIsTheProjects() {
        assertThat(shell.run("version")).isZero();
        assertThat(shell.out()).matches("vse [0-9]+\\.[0-9]+\\.[0-9]+ \\(java .+\\)\n");
    }

    @Test
    void theTunnelCarriesBytesBothWays() {
        vsed.on("POST /v1/jobs/j/tunnel/1", call -> {
            assertThat(call.query("port")).isEqualTo("22");
            call.raw("HTTP/1.1 101 X\r\n\r\nSSH-2.0\r\n");
        });
        assertThat(shell.run("vm", "tunnel", "j", "1")).isZero();
        assertThat(shell.out()).isEqualTo("SSH-2.0\r\n");
    }

    @Test
    void downWithoutADaemonIsDone() throws IOException {
        vsed.close();
        assertThat(shell.run("down")).isZero();
        assertThat(shell.err()).isEqualTo("vse: no vsed is running\n");
    }

    @Test
    void downWaitsForTheEndOfTheDaemon() throws IOException {
        Process sleeper = new ProcessBuilder("sleep", "60").start();
        vsed.on("GET /v1/health", call -> call.json(200, "{\"pid\":" + sleeper.pid() + "}"));
        vsed.on("POST /v1/down", call -> {
            call.json(200, "{}");
            sleeper.destroy();
        });
        assertThat(shell.run("down", "--cancel-jobs")).isZero();
        assertThat(sleeper.toHandle().isAlive()).isFalse();
        assertThat(vsed.calls()).contains("POST /v1/down {\"cancelJobs\":true}");
    }

    @Test
    void upStartsADaemonOnceAndReportsIt() throws IOException {
        vsed.on("GET /v1/health", call -> call.json(200, "{\"pid\":7,\"version\":\"0.1.0\"}"));
        assertThat(shell.run("up")).isZero();
        assertThat(shell.err()).isEqualTo("vse: vsed was running already, pid 7, version 0.1.0\n");
    }

    @Test
    void aDaemonThatDoesNotStartIsQuoted() throws IOException {
        vsed.close();
        Path script = script("echo 'vse: no libvirt [LIBVIRT_FAILED]'\nexit 1\n");
        assertThat(shell.self(script.toString()).run("up")).isEqualTo(125);
        assertThat(shell.err())
                .contains("vse: starting vsed, log " + dir.resolve("state/vsed.out"))
                .contains("vsed did not start [DAEMON_START_FAILED]", "said: vse: no libvirt [LIBVIRT_FAILED]");
    }

    @Test
    void aDaemonThatDiesWithoutAWordIsExplainedByItsLog() throws IOException {
        vsed.close();
        Path script = script("echo 'Error: out of memory' >&2\nexit 1\n");
        assertThat(shell.self(script.toString()).run("up")).isEqualTo(125);
        assertThat(shell.err()).contains("said: Error: out of memory", "log : " + dir.resolve("state/vsed.out"));
    }

    @Test
    void aDaemonIsDetachedAndGetsOnlyItsOwnVariables() throws IOException {
        vsed.close();
        Path script = script("{ ps -o sid= -p $$; echo $$; env; } >\"$VSE_STATE_DIR/seen\"\necho ready\n");
        shell.with("LD_PRELOAD", "").with("SECRET", "x").with("http_proxy", "http://p");
        assertThat(new DaemonLauncher(
                                shell.context().site(),
                                new Self(List.of(script.toString())),
                                shell.context().environment(),
                                shell.context().runner(),
                                line -> {})
                        .ensure(shell.context().client()))
                .isTrue();
        List<String> seen = Files.readAllLines(dir.resolve("state/seen"));
        assertThat(seen.get(0).strip()).isEqualTo(seen.get(1));
        assertThat(seen).contains("http_proxy=http://p").noneMatch(line -> line.startsWith("SECRET"));
    }

    @Test
    void theHiddenCommandIsTheDaemon() {
        assertThat(shell.daemon(ready -> {
                            ready.println("ready");
                            return 3;
                        })
                        .run("vsed"))
                .isEqualTo(3);
        assertThat(shell.out()).isEqualTo("ready\n");
    }

    private Path script(String text) throws IOException {
        Path script = Files.writeString(dir.resolve("daemon"), "#!/bin/bash\n" + text);
        assertThat(script.toFile().setExecutable(true)).isTrue();
        return script;
    }

    private static Stream<CommandLine> all(CommandLine command) {
        return Stream.concat(
                Stream.of(command), command.getSubcommands().values().stream().flatMap(VseTest::all));
    }
}

package org.vse.job.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

class GridEngineInstallationTest {
    private static final List<Role> ALL = List.of(Role.values());
    private static final List<String> LAUNCHER = List.of("/opt/vse/vse");
    private static final String COMMON = "var/lib/gridengine/default/common/";
    private static final String QUEUES = "var/spool/gridengine/qmaster/cqueues/";
    private static final String PLAIN = """
        # Version: 8.1.9
        qname                 batch
        slots                 2
        prolog                NONE
        epilog                NONE
        starter_method        NONE
        suspend_method        NONE
        resume_method         NONE
        terminate_method      NONE
        """;

    @TempDir
    Path root;

    private InstallPlan.Host host;

    @BeforeEach
    void cell() throws IOException {
        host = new InstallPlan.Host(root);
        Files.createDirectories(root.resolve(QUEUES));
        Files.createDirectories(root.resolve(COMMON));
        write(COMMON + "bootstrap", "qmaster_spool_dir       /var/spool/gridengine/qmaster\n");
        write(COMMON + "configuration", "prolog                 none\nepilog                 none\n");
        write(QUEUES + "batch", PLAIN);
    }

    private void write(String path, String text) throws IOException {
        Files.writeString(root.resolve(path), text);
    }

    private QueueConf queue() throws IOException {
        return new QueueConf(Files.readString(root.resolve(QUEUES + "batch")));
    }

    private Installation installation() {
        return new GridEngineInstallation(host);
    }

    private void install() {
        installation().install(ALL, LAUNCHER).apply(host);
    }

    private Map<String, String> files() throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            all.filter(Files::isRegularFile).forEach(file -> {
                try {
                    files.put(root.relativize(file).toString(), Files.readString(file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return files;
    }

    @Test
    void aPlainQueueCallsTheHooks() throws IOException {
        install();
        assertThat(queue().value("prolog")).isEqualTo("root@/etc/vse/gridengine/prolog $job_owner $queue NONE NONE");
        assertThat(queue().value("epilog")).isEqualTo("root@/etc/vse/gridengine/epilog $job_owner NONE");
        assertThat(queue().value("starter_method")).isEqualTo("/etc/vse/gridengine/starter");
        assertThat(queue().value("suspend_method")).isEqualTo("/etc/vse/gridengine/suspend $job_pid NONE");
        assertThat(queue().value("terminate_method")).isEqualTo("NONE");
        assertThat(files()).containsKeys("etc/vse/gridengine/prolog", COMMON + "vse-jsv", COMMON + "sge_request");
        assertThat(files().get(COMMON + "sge_request")).contains("-jsv /" + COMMON + "vse-jsv\n");
    }

    @ParameterizedTest
    @CsvSource({
        "NONE, NONE, NONE, NONE",
        "root@/site/prolog $job_id, /site/epilog, /site/starter, SIGTSTP",
        "'NONE,[n1=root@/site/p $host],[@big=/site/q]', 'sge@/site/e a b', NONE, /site/suspend $job_pid"
    })
    void twiceIsOnceAndUninstallGivesBackEveryByte(String prolog, String epilog, String starter, String suspend)
            throws IOException {
        write(
                QUEUES + "batch",
                PLAIN.replace("prolog                NONE", "prolog                " + prolog)
                        .replace("epilog                NONE", "epilog                " + epilog)
                        .replace("starter_method        NONE", "starter_method        " + starter)
                        .replace("suspend_method        NONE", "suspend_method        " + suspend));
        write(COMMON + "sge_request", "# the site's\n-jsv /site/jsv\n-w e");
        Map<String, String> before = files();
        install();
        assertThat(files()).isNotEqualTo(before);
        assertThat(installation().install(ALL, LAUNCHER).changes()).isEmpty();
        assertThat(files().get(COMMON + "sge_request")).startsWith("# the site's\n-jsv /site/jsv\n-w e\n");
        installation().uninstall().apply(host);
        assertThat(files()).isEqualTo(before);
        assertThat(installation().uninstall().changes()).isEmpty();
    }

    @Test
    void withoutASgeRequestThereIsNoneAfterwards() throws IOException {
        Map<String, String> before = files();
        install();
        installation().uninstall().apply(host);
        assertThat(files()).isEqualTo(before);
    }

    @Test
    void whatTheSiteHasIsAnArgumentOfOurs() throws IOException {
        write(
                QUEUES + "batch",
                PLAIN.replace("prolog                NONE", "prolog                NONE,[n1=sge@/site/p $host]")
                        .replace("starter_method        NONE", "starter_method        /site/starter"));
        install();
        assertThat(queue().value("prolog"))
                .isEqualTo("root@/etc/vse/gridengine/prolog $job_owner $queue /site/starter NONE,"
                        + "[n1=root@/etc/vse/gridengine/prolog $job_owner $queue /site/starter sge@/site/p $host]");
    }

    @Test
    void aPrologOfAllQueuesGoesOn() throws IOException {
        write(COMMON + "configuration", "prolog                 /site/all\nepilog                 none\n");
        Map<String, String> before = files();
        install();
        assertThat(queue().value("prolog"))
                .isEqualTo("root@/etc/vse/gridengine/prolog $job_owner $queue NONE global /site/all");
        installation().uninstall().apply(host);
        assertThat(files()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"starter_method        /site/s,[n1=/site/t]", "suspend_method        NONE,[n1=SIGTSTP]"})
    void whatCannotBeCalledIsRefused(String line) throws IOException {
        write(QUEUES + "batch", PLAIN.replaceAll("(?m)^" + line.split(" ", 2)[0] + " .*$", line));
        VseException failure = catchThrowableOfType(VseException.class, this::install);
        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
    }

    @Test
    void aNodeGetsItsProgramsAndAPlaceToSubmitFromTheGate() throws IOException {
        installation().install(List.of(Role.NODE), LAUNCHER).apply(host);
        assertThat(files().keySet()).filteredOn(file -> file.startsWith("etc/")).hasSize(4);
        assertThat(queue().text()).isEqualTo(PLAIN);
        installation().install(List.of(Role.SUBMIT), LAUNCHER).apply(host);
        assertThat(files()).containsKey(COMMON + "vse-jsv");
        assertThat(queue().text()).isEqualTo(PLAIN);
    }

    @Test
    void withoutACellThereIsNothingToInstallInto() throws IOException {
        Files.delete(root.resolve(COMMON + "bootstrap"));
        VseException failure = catchThrowableOfType(VseException.class, this::install);
        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
        assertThat(diagnosed()).containsExactly("gridengine-cell failed");
    }

    private List<String> diagnosed() {
        return installation().examine(ALL).stream()
                .map(line -> line.check() + " " + line.finding().state().word())
                .toList();
    }

    @Test
    void theDoctorSeesWhatIsMissingAndWhatIsThere() throws IOException {
        assertThat(diagnosed())
                .containsExactly(
                        "gridengine-hooks failed",
                        "gridengine-gate failed",
                        "gridengine-policy failed",
                        "gridengine-queues failed");
        install();
        write("etc/vse/policy.gate", "vse-gate\t1\nend\n");
        assertThat(diagnosed())
                .containsExactly(
                        "gridengine-hooks ok", "gridengine-gate ok", "gridengine-policy ok", "gridengine-queues ok");
        Files.delete(root.resolve("etc/vse/gridengine/starter"));
        write(QUEUES + "night", PLAIN);
        assertThat(diagnosed()).contains("gridengine-hooks failed", "gridengine-queues failed");
    }

    private CommandResult run(String hook, Map<String, String> environment, String... arguments) {
        Stream<String> argv = Stream.of(
                "/bin/bash", root.resolve("etc/vse/gridengine/" + hook).toString());
        return new CommandRunner()
                .run(Command.of(Stream.concat(argv, Arrays.stream(arguments)).toList())
                        .withEnv(environment));
    }

    @Test
    void aJobWithoutVseStartsNoProgramAndTheSitesCodeCounts() throws IOException {
        installation().install(ALL, List.of("/bin/false")).apply(host);
        Path script = Files.writeString(root.resolve("job"), "#!/bin/sh\necho\n#VSE image=x\n");
        Map<String, String> job =
                Map.of("JOB_ID", "1", "SGE_TASK_ID", "undefined", "RESTARTED", "0", "JOB_SCRIPT", script.toString());
        assertThat(run("prolog", job, "root", "batch", "NONE", "NONE").exitCode())
                .isZero();
        assertThat(run("epilog", job, "root", "NONE").exitCode()).isZero();
        Path site = Files.writeString(root.resolve("site"), "#!/bin/sh\necho \"site $1\"\nexit 3\n");
        assertThat(site.toFile().setExecutable(true)).isTrue();
        CommandResult sites = run("prolog", job, "root", "batch", "NONE", "global", "root@" + site, "x");
        assertThat(sites.exitCode()).isEqualTo(3);
        assertThat(sites.stdout()).isEqualTo("site x\n");
        assertThat(run("epilog", job, "root", "root@" + site).exitCode()).isEqualTo(3);
    }

    @Test
    void anotherJobStartsAsWithoutThis() throws IOException {
        install();
        Path config = Files.createDirectories(root.resolve("spool")).resolve("config");
        Path script = Files.writeString(root.resolve("job"), "echo \"$1 $2\"\nexit 7\n");
        Map<String, String> job = new TreeMap<>(Map.of(
                "JOB_ID", "1",
                "SGE_TASK_ID", "undefined",
                "SGE_JOB_SPOOL_DIR", String.valueOf(config.getParent()),
                "SGE_STARTER_SHELL_PATH", "/bin/sh",
                "SGE_STARTER_SHELL_START_MODE", "posix_compliant",
                "SGE_STARTER_USE_LOGIN_SHELL", "false"));
        Files.writeString(config, "prolog=root@/etc/vse/gridengine/prolog $job_owner $queue NONE NONE\n");
        CommandResult plain = run("starter", job, script.toString(), "one", "t w o");
        assertThat(plain.exitCode()).isEqualTo(7);
        assertThat(plain.stdout()).isEqualTo("one t w o\n");
        Files.writeString(config, "handle_as_binary=1\nno_shell=1\n");
        assertThat(run("starter", job, "/bin/echo", "a  b").stdout()).isEqualTo("a  b\n");
        Path site = Files.writeString(root.resolve("site"), "#!/bin/sh\necho \"site $1\"\n");
        assertThat(site.toFile().setExecutable(true)).isTrue();
        Files.writeString(config, "prolog=root@/etc/vse/gridengine/prolog $job_owner $queue " + site + " NONE\n");
        assertThat(run("starter", job, "x").stdout()).isEqualTo("site x\n");
    }

    /** What the gate answers to the parameters of a job. */
    private String gate(String environment, String script, String... parameters) throws IOException {
        Path policy = Path.of("../policy/src/test/resources/gate/policy.gate").toAbsolutePath();
        Path gate = root.resolve("gate");
        Files.writeString(
                gate,
                String.valueOf(files().get(COMMON + "vse-jsv"))
                        .replace("'/etc/vse/policy.gate'", "'" + policy + "'")
                        .replace("$ENVIRONMENT = ''", "$ENVIRONMENT = '" + environment + "'"));
        Path job = Files.writeString(root.resolve("job.sh"), script);
        StringBuilder lines =
                new StringBuilder("START\nPARAM CMDNAME " + job + "\nPARAM USER ann\nPARAM q_hard batch\n");
        for (String parameter : parameters) {
            lines.append("PARAM ").append(parameter).append('\n');
        }
        Path said = Files.writeString(root.resolve("said"), lines + "BEGIN\nQUIT\n");
        return new CommandRunner()
                .run(Command.of("sh", "-c", "perl \"$0\" <\"$1\"", gate.toString(), said.toString()))
                .orThrow("asking the gate")
                .stdout();
    }

    @Test
    void theGateFillsInWhatTheMachinesNeed() throws IOException {
        install();
        String two = "#!/bin/sh\n#VSE image=debian-12 vcpus=2 memory=512MiB\n";
        assertThat(gate("smp", two)).isEqualTo("""
            STARTED
            PARAM l_hard mem_free=256M
            PARAM pe_max 2
            PARAM pe_min 2
            PARAM pe_name smp
            RESULT STATE CORRECT
            """);
        assertThat(gate("smp", two, "pe_name mpi", "pe_min 2", "pe_max 2", "l_hard h_rt=60"))
                .endsWith("RESULT STATE ACCEPT\n");
        assertThat(gate("smp", "#!/bin/sh\nhostname\n")).isEqualTo("STARTED\nRESULT STATE ACCEPT\n");
        assertThat(gate("smp", "#VSE image=debian-12 memory=512MiB\n", "l_hard h_rt=60"))
                .contains("PARAM l_hard h_rt=60,mem_free=512M\n")
                .doesNotContain("pe_name");
        assertThat(gate("smp", "#VSE image=debian-12 memory=512MiB\n", "l_hard h_vmem=1G,h_rt=60"))
                .endsWith("RESULT STATE ACCEPT\n");
    }

    @Test
    void theGateRefusesWhatDoesNotFitTogether() throws IOException {
        install();
        String two = "#!/bin/sh\n#VSE image=debian-12 vcpus=2 memory=512MiB\n";
        assertThat(gate("", two))
                .contains("job.sh:2:28: the VMs of a host need 2 cores, but the job asks for 1 [DIRECTIVE_CONFLICT]")
                .contains("RESULT STATE REJECT");
        assertThat(gate("smp", two, "pe_name smp", "pe_min 1", "pe_max 1"))
                .contains("the VMs of a host need 2 cores, but the job asks for 1");
        assertThat(gate("smp", two, "l_hard h_vmem=100M"))
                .contains("job.sh:2:37: the VMs of a host need 256 MiB a slot, but the job asks for 100 MiB");
    }

    @Test
    void theGateTakesNoSessionsAndCommandsWhereAllJobsRunInMachines() throws IOException {
        install();
        assertThat(gate("", "", "CLIENT qlogin", "q_hard course"))
                .contains("queue 'course' runs jobs in virtual machines only");
        assertThat(gate("", "", "b y", "q_hard course")).contains("RESULT STATE REJECT");
        assertThat(gate("", "", "b y")).endsWith("RESULT STATE ACCEPT\n");
    }

    @Test
    void theGateKnowsTheEnvironmentOfOneHostThatEveryQueueHas() throws IOException {
        String environments = "var/spool/gridengine/qmaster/pe/";
        Files.createDirectories(root.resolve(environments));
        write(environments + "mpi", "pe_name mpi\nallocation_rule $round_robin\n");
        write(environments + "other", "pe_name other\nallocation_rule $pe_slots\n");
        write(environments + "smp", "pe_name smp\nallocation_rule $pe_slots\n");
        write(QUEUES + "batch", PLAIN + "pe_list mpi smp\n");
        install();
        assertThat(files().get(COMMON + "vse-jsv")).contains("$ENVIRONMENT = 'smp';");
    }

    @Test
    void theGateAnswersAsThePolicySays() {
        install();
        Path corpus = Path.of("../policy/src/test/resources/gate").toAbsolutePath();
        CommandResult result = new CommandRunner()
                .run(Command.of(
                        "perl",
                        Path.of("src/test/perl/corpus.pl").toAbsolutePath().toString(),
                        root.resolve(COMMON + "vse-jsv").toString(),
                        corpus.resolve("policy.gate").toString(),
                        corpus.resolve("cases.tsv").toString()));
        assertThat(result.exitCode())
                .as(new String(result.stdout().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
                .isZero();
        assertThat(result.stdout()).contains(", 0 wrong");
    }
}

package org.vse.job.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
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

/** The installations of OpenPBS and TORQUE: on a directory that stands for a host, their programs on recorded events. */
class PbsInstallationTest {
    private static final List<Role> ALL = List.of(Role.values());
    private static final Path PYTHON = Path.of("src/test/python").toAbsolutePath();
    private static final Path CORPUS =
            Path.of("../policy/src/test/resources/gate").toAbsolutePath();
    private static final String OUTPUT = "var/spool/pbs/spool/23.pbssrv.ER";
    private static final String MOM = "var/spool/torque/mom_priv/";
    private static final String VSE_SCRIPT = "#!/bin/bash\n#VSE image=debian-12\nhostname\n";

    @TempDir
    Path root;

    private InstallPlan.Host host;

    @BeforeEach
    void aHost() throws IOException {
        host = new InstallPlan.Host(root);
        write("etc/pbs.conf", "PBS_EXEC=/opt/pbs\nPBS_HOME=/var/spool/pbs\n");
        Files.createDirectories(root.resolve("var/spool/torque/mom_priv"));
        Files.createDirectories(root.resolve(OUTPUT).resolveSibling(""));
    }

    private Path write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.resolveSibling(""));
        return Files.writeString(file, text);
    }

    private Path program(String path, String text) throws IOException {
        return Files.setPosixFilePermissions(write(path, text), PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private String read(String path) throws IOException {
        return Files.readString(root.resolve(path));
    }

    private InstallPlan install(String scheduler, List<Role> roles, String... launcher) {
        InstallPlan plan = Installation.of(scheduler, host)
                .install(roles, launcher.length == 0 ? List.of("/opt/vse/vse") : List.of(launcher));
        plan.apply(host);
        return plan;
    }

    private Map<String, String> files() throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            all.filter(Files::isRegularFile).forEach(file -> {
                try {
                    files.put(
                            root.relativize(file) + " "
                                    + PosixFilePermissions.toString(Files.getPosixFilePermissions(file)),
                            Files.readString(file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return files;
    }

    private void aSitesOwn() throws IOException {
        program(MOM + "prologue", "#!/bin/sh\nexit 0\n");
        program(MOM + "epilogue", "#!/bin/sh\nexit 0");
        write(MOM + "config", "$pbsserver head\n$job_starter /site/starter\n$prologalarm 60 # short");
        write("var/spool/torque/torque.cfg", "QSUBSLEEP 1\nSUBMITFILTER /site/filter\n");
    }

    @ParameterizedTest
    @CsvSource({"openpbs,false", "torque,false", "openpbs,true", "torque,true"})
    void twiceIsOnceAndUninstallGivesBackEveryByte(String scheduler, boolean own) throws IOException {
        if (own) {
            aSitesOwn();
        }
        Map<String, String> before = files();
        assertThat(install(scheduler, ALL).changes()).isNotEmpty();
        assertThat(install(scheduler, ALL).changes()).isEmpty();
        Installation.of(scheduler, host).uninstall().apply(host);
        assertThat(files()).isEqualTo(before);
        assertThat(Installation.of(scheduler, host).uninstall().changes()).isEmpty();
    }

    @Test
    void eachRoleGetsWhatItNeeds() throws IOException {
        assertThat(install("openpbs", List.of(Role.NODE)).changes()).isEmpty();
        assertThat(paths(install("openpbs", List.of(Role.SUBMIT))))
                .containsExactly("/etc/vse/openpbs/bin/qsub", "/etc/profile.d/vse-openpbs.sh");
        InstallPlan head = install("openpbs", List.of(Role.HEAD));
        assertThat(paths(head))
                .containsExactly(
                        "/etc/vse/openpbs/gate.py", "/etc/vse/openpbs/node.py", "/etc/vse/openpbs/install.qmgr");
        assertThat(head.afterwards()).containsExactly("qmgr < /etc/vse/openpbs/install.qmgr");
        assertThat(paths(install("torque", List.of(Role.SUBMIT))))
                .containsExactly("/etc/vse/torque/filter", "/var/spool/torque/torque.cfg");
        assertThat(install("torque", List.of(Role.HEAD)).changes()).isEmpty();
    }

    private static List<String> paths(InstallPlan plan) {
        return plan.changes().stream().map(change -> change.path().toString()).toList();
    }

    @Test
    void whatASiteOfTorqueHasIsCalled() throws IOException {
        aSitesOwn();
        install("torque", ALL);
        assertThat(read(MOM + "config").lines().filter(line -> !line.startsWith("#")))
                .containsExactly("$pbsserver head", "$job_starter /etc/vse/torque/starter", "$prologalarm 1260");
        assertThat(read(MOM + "prologue.site")).isEqualTo("#!/bin/sh\nexit 0\n");
        assertThat(read(MOM + "prologue")).contains("site=/var/spool/torque/mom_priv/prologue.site");
        assertThat(read("etc/vse/torque/starter")).contains("exec /site/starter \"$@\"");
        assertThat(read("etc/vse/torque/filter")).contains("SITE = [\"/site/filter\"]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"openpbs", "torque"})
    void withoutTheBatchSystemThereIsNothingToInstallInto(String scheduler) throws IOException {
        Files.delete(root.resolve("etc/pbs.conf"));
        Files.delete(root.resolve("var/spool/torque/mom_priv"));
        VseException failure = catchThrowableOfType(VseException.class, () -> install(scheduler, ALL));
        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
    }

    private List<String> diagnosed(String scheduler) {
        return Installation.of(scheduler, host).examine(ALL).stream()
                .map(line -> line.check() + " " + line.finding().state().word())
                .toList();
    }

    @Test
    void theDoctorSeesWhatIsWrongWithTorque() throws IOException {
        assertThat(diagnosed("torque"))
                .containsExactly(
                        "torque-filter failed",
                        "torque-policy failed",
                        "torque-prologue failed",
                        "torque-epilogue failed",
                        "torque-starter failed",
                        "torque-prologalarm failed",
                        "torque-down-on-error warning",
                        "torque-requeue warning");
        install("torque", ALL);
        write("etc/vse/policy.gate", "vse-gate\t1\nend\n");
        write("var/spool/torque/server_priv/serverdb", """
                <attributes>
                <down_on_error>False</down_on_error>
                <automatic_requeue_exit_code>85</automatic_requeue_exit_code>
                """);
        assertThat(diagnosed("torque")).allMatch(line -> line.endsWith(" ok"));
        Files.setPosixFilePermissions(root.resolve(MOM + "prologue"), PosixFilePermissions.fromString("rwxrwxr-x"));
        assertThat(diagnosed("torque")).contains("torque-prologue failed", "torque-epilogue ok");
    }

    @Test
    void theDoctorSeesWhatIsWrongWithOpenPbs() throws IOException {
        assertThat(diagnosed("openpbs"))
                .containsExactly(
                        "openpbs-qsub failed",
                        "openpbs-gate failed",
                        "openpbs-server-hook failed",
                        "openpbs-resources failed",
                        "openpbs-policy failed",
                        "openpbs-node-hook failed");
        install("openpbs", ALL);
        write("etc/vse/policy.gate", "vse-gate\t1\nend\n");
        String events = "event=\"execjob_preterm,execjob_prologue,execjob_epilogue,execjob_end,execjob_launch\"\n";
        for (String hooks : List.of("var/spool/pbs/server_priv/hooks/", "var/spool/pbs/mom_priv/hooks/")) {
            write(hooks + "vse_gate.PY", read("etc/vse/openpbs/gate.py"));
            write(hooks + "vse_gate.HK", "event=\"queuejob,modifyjob\"\n");
            write(hooks + "vse_node.PY", read("etc/vse/openpbs/node.py"));
            write(hooks + "vse_node.HK", events + "alarm=1500\n");
        }
        write("var/spool/pbs/server_priv/resourcedef", "vse_image type=string flag=m\nvse_lines type=string\n");
        assertThat(diagnosed("openpbs")).allMatch(line -> line.endsWith(" ok"));
        write("var/spool/pbs/mom_priv/hooks/vse_node.HK", events);
        assertThat(diagnosed("openpbs")).contains("openpbs-node-hook failed", "openpbs-server-hook ok");
    }

    private CommandResult run(Map<String, String> environment, byte[] input, String... argv) {
        return new CommandRunner()
                .run(Command.of(argv).withEnv(environment).withStdin(new String(input, StandardCharsets.UTF_8)));
    }

    @Test
    void theFilterOfTorqueAnswersAsThePolicySays() {
        install("torque", ALL);
        assertAnswers(root.resolve("etc/vse/torque/filter"), Map.of());
    }

    @Test
    void theGateOfOpenPbsAnswersAsThePolicySays() throws IOException {
        install("openpbs", ALL);
        Path event = write("event", "{\"event\": \"modifyjob\", \"job\": {}, \"job_methods\": {}}");
        assertAnswers(root.resolve("etc/vse/openpbs/gate.py"), Map.of("EVENT", event.toString()));
    }

    private void assertAnswers(Path gate, Map<String, String> environment) {
        CommandResult result = run(
                environment,
                new byte[0],
                "python3",
                PYTHON.resolve("corpus.py").toString(),
                gate.toString(),
                CORPUS.resolve("policy.gate").toString(),
                CORPUS.resolve("cases.tsv").toString());
        assertThat(result.stdout()).contains("66 cases, 0 wrong");
        assertThat(result.exitCode()).isZero();
    }

    /** Runs a hook of OpenPBS on a recorded event in which some texts are others. */
    private List<String> hook(String hook, String recorded, String... replaced) throws IOException {
        String event = HookText.resource("openpbs/" + recorded);
        for (int i = 0; i < replaced.length; i += 2) {
            assertThat(event).contains(replaced[i]);
            event = event.replace(replaced[i], replaced[i + 1]);
        }
        CommandResult result = run(
                Map.of(
                        "EVENT", write("event", event).toString(),
                        "OUT", root.resolve(OUTPUT).toString(),
                        "HOME_OF_PBS", root.resolve("var/spool/pbs").toString(),
                        "PATH", "/usr/bin:/bin"),
                new byte[0],
                "python3",
                PYTHON.resolve("event.py").toString(),
                root.resolve("etc/vse/openpbs/" + hook).toString());
        assertThat(result.exitCode()).as(result.stderr()).isZero();
        return result.stdout().lines().toList();
    }

    private void anOpenPbsWith(String launcher) throws IOException {
        install("openpbs", ALL, launcher);
        for (String file : List.of("gate.py", "node.py")) {
            String text = read("etc/vse/openpbs/" + file)
                    .replace(
                            "/etc/vse/policy.gate",
                            CORPUS.resolve("policy.gate").toString())
                    .replace("/run/vse/openpbs", root.resolve("run").toString());
            write("etc/vse/openpbs/" + file, text);
        }
    }

    private static String sent(String lines) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(lines.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theServersHookRefusesWhatThePolicyForbidsAndFillsInCores() throws IOException {
        anOpenPbsWith("/bin/false");
        String image = "\"vse_image\": \"debian12\"";
        String lines = "\"vse_image\": \"x\", \"vse_lines\": \"%s\"";
        assertThat(hook("gate.py", "queuejob.json", image, "\"a\": \"b\""))
                .last()
                .asString()
                .startsWith("accept");
        assertThat(hook("gate.py", "queuejob.json")).first().asString().contains("'vse_image' is set by qsub");
        assertThat(hook("gate.py", "queuejob.json", image, lines.formatted("%%%")))
                .first()
                .asString()
                .contains("reject");
        assertThat(hook("gate.py", "queuejob.json", image, lines.formatted(sent("\n#VSE image=no-such-image"))))
                .first()
                .asString()
                .startsWith("reject vse: hello:2:12: image 'no-such-image' is not allowed in queue 'batch'");
        String asked = lines.formatted(sent("\n#VSE image=debian-12 vcpus=2 vms-per-node=2"));
        assertThat(hook("gate.py", "queuejob.json", image, asked))
                .last()
                .asString()
                .doesNotContain("ncpus=4");
        assertThat(hook("gate.py", "queuejob.json", image, asked, "\"select\"", "\"software\""))
                .last()
                .asString()
                .contains("ncpus=4");
    }

    @Test
    void aNodesHookHasTheMachinesBroughtUpForScriptsThatAskForThemOnly() throws IOException {
        Path vse = program("bin/vse", "#!/bin/sh\necho \"$@\" >>" + root.resolve("calls") + "\ncat >/dev/null\n");
        anOpenPbsWith(vse.toString());
        String script = "var/spool/pbs/mom_priv/jobs/23.pbssrv.SC";
        write(script, "#!/bin/bash\necho\n#VSE image=late\n");
        assertThat(hook("node.py", "prologue.json")).last().asString().startsWith("accept");
        assertThat(hook("node.py", "epilogue.json")).last().asString().startsWith("accept");
        assertThat(root.resolve("calls")).doesNotExist();
        write(script, VSE_SCRIPT);
        assertThat(hook("node.py", "prologue-sister.json")).last().asString().startsWith("accept");
        assertThat(root.resolve("calls")).doesNotExist();
        hook("node.py", "prologue.json");
        assertThat(read("calls")).isEqualTo("hook prologue --scheduler openpbs\n");
        assertThat(hook("node.py", "launch.json", "77.pbssrv", "23.pbssrv"))
                .first()
                .isEqualTo("starts " + vse + " hook starter --scheduler openpbs -- 1");
        assertThat(hook("node.py", "launch.json", "77.pbssrv", "23.pbssrv", "PBS_TASKNUM=1", "PBS_TASKNUM=2"))
                .hasSize(1);
        hook("node.py", "epilogue.json");
        assertThat(read("calls")).endsWith("hook epilogue --scheduler openpbs\n");
        assertThat(hook("node.py", "launch.json", "77.pbssrv", "23.pbssrv")).hasSize(1);
    }

    @Test
    void aJobThatIsDeletedDuringItsPrologueIsNotLaunched() throws IOException {
        Path vse = program("bin/vse", "#!/bin/sh\ncat >/dev/null\n");
        anOpenPbsWith(vse.toString());
        write("var/spool/pbs/mom_priv/jobs/23.pbssrv.SC", VSE_SCRIPT);
        String[] ours = {"77.pbssrv", "23.pbssrv"};
        hook("node.py", "prologue.json");
        hook("node.py", "prologue.json", "execjob_prologue", "execjob_preterm");
        assertThat(hook("node.py", "launch.json", ours))
                .containsExactly("reject the job was deleted during its prologue");
        hook("node.py", "prologue.json");
        assertThat(hook("node.py", "launch.json", ours)).hasSize(2);
        hook("node.py", "prologue.json", "execjob_prologue", "execjob_preterm");
        assertThat(hook("node.py", "launch.json", ours)).hasSize(2);
    }

    @Test
    void aJobWhoseMachinesWereSavedIsRunAgainUnlessItWasDeleted() throws IOException {
        Path vse = program("bin/vse", "#!/bin/sh\ncat >/dev/null\n[ $2 != epilogue ] || echo saved\n");
        anOpenPbsWith(vse.toString());
        write("var/spool/pbs/mom_priv/jobs/23.pbssrv.SC", VSE_SCRIPT);
        String[] ours = {"77.pbssrv", "23.pbssrv"};
        String code = "\"Exit_status\": 0";
        for (String saved : List.of("85", "-29")) {
            hook("node.py", "prologue.json");
            hook("node.py", "launch.json", ours);
            assertThat(hook("node.py", "epilogue.json", code, "\"Exit_status\": " + saved))
                    .contains("rerun");
            assertThat(hook("node.py", "epilogue.json", code, "\"Exit_status\": " + saved))
                    .doesNotContain("rerun");
        }
        assertThat(root.resolve("run")).isEmptyDirectory();
        assertThat(root.resolve(OUTPUT)).doesNotExist();
        hook("node.py", "prologue.json");
        hook("node.py", "launch.json", ours);
        hook("node.py", "prologue.json", "execjob_prologue", "execjob_preterm");
        // vsed takes the mark of an attempt away that is over.
        Files.delete(root.resolve("run/23.pbssrv"));
        assertThat(hook("node.py", "epilogue.json", code, "\"Exit_status\": 85"))
                .doesNotContain("rerun");
        assertThat(read(OUTPUT))
                .isEqualTo("vse: the VMs of job 23.pbssrv are saved; to go on, submit it with #VSE resume=23.pbssrv\n");
        assertThat(root.resolve("run")).isEmptyDirectory();
    }

    @Test
    void aJobThatMayNotRunIsDeletedWithAWordToItsUserAndOneWithoutADaemonStartsAgain() throws IOException {
        Path vse = program("bin/vse", "#!/bin/sh\ncat >/dev/null\necho no such image >&2\nexit 1\n");
        anOpenPbsWith(vse.toString());
        write("var/spool/pbs/mom_priv/jobs/23.pbssrv.SC", VSE_SCRIPT);
        assertThat(hook("node.py", "prologue.json"))
                .contains("delete")
                .last()
                .asString()
                .startsWith("reject");
        assertThat(read(OUTPUT)).isEqualTo("no such image\n");
        program("bin/vse", "#!/bin/sh\ncat >/dev/null\nexit 2\n");
        assertThat(hook("node.py", "prologue.json"))
                .doesNotContain("delete")
                .last()
                .asString()
                .startsWith("reject");
    }

    @Test
    void theQsubOfOpenPbsSendsTheHeaderAlongAndLeavesOtherScriptsAlone() throws IOException {
        install("openpbs", ALL);
        program("opt/bin/qsub", "#!/bin/sh\nprintf '[%s]' \"$@\"\n[ -t 0 ] || cat\n");
        Path conf = write("conf", "PBS_EXEC=" + root.resolve("opt") + "\n");
        String script = write("job.sh", "#!/bin/sh\n\n#VSE image=debian-12 vcpus=2\nhostname\n#VSE image=late\n")
                .toString();
        String plain = write("plain.sh", "#!/bin/sh\nhostname\n").toString();
        String added = "[-l][vse_image=debian-12][-l][vse_lines=" + sent("\n\n#VSE image=debian-12 vcpus=2") + "]";
        assertThat(qsub(conf, "", "-N", "x", "-ja", script)).isEqualTo(added + "[-N][x][-ja][" + script + "]");
        assertThat(qsub(conf, "", "-Nx", "-l", script, plain)).isEqualTo("[-Nx][-l][" + script + "][" + plain + "]");
        assertThat(qsub(conf, "", "-hI", script)).startsWith("[-l][vse_image");
        assertThat(qsub(conf, "", "--", script)).isEqualTo("[--][" + script + "]");
        assertThat(qsub(conf, VSE_SCRIPT, "-h"))
                .isEqualTo("[-l][vse_image=debian-12][-l][vse_lines=" + sent("\n#VSE image=debian-12") + "][-h]"
                        + VSE_SCRIPT);
        assertThat(qsub(conf, "hostname\n", "-h")).isEqualTo("[-h]hostname\n");
    }

    private String qsub(Path conf, String input, String... arguments) {
        List<String> argv = new ArrayList<>(
                List.of("/bin/sh", root.resolve("etc/vse/openpbs/bin/qsub").toString()));
        argv.addAll(List.of(arguments));
        return run(
                        Map.of("PBS_CONF_FILE", conf.toString(), "PATH", "/usr/bin:/bin"),
                        input.getBytes(StandardCharsets.UTF_8),
                        argv.toArray(String[]::new))
                .stdout();
    }

    private CommandResult filter(String script, String... arguments) throws IOException {
        Path policy = CORPUS.resolve("policy.gate");
        Path filter = write("filter", read("etc/vse/torque/filter").replace("/etc/vse/policy.gate", policy.toString()));
        List<String> argv = new ArrayList<>(List.of("python3", filter.toString()));
        argv.addAll(List.of(arguments));
        return run(
                Map.of("PATH", root.resolve("bin") + ":/usr/bin:/bin"),
                script.getBytes(StandardCharsets.UTF_8),
                argv.toArray(String[]::new));
    }

    @Test
    void theFilterOfTorqueRefusesPassesAndFillsInAfterTheSitesOwn() throws IOException {
        Path site = program("site", "#!/bin/sh\n[ \"$1\" != -h ] || exit 3\nsed s/debian-11/debian-12/\n");
        write("var/spool/torque/torque.cfg", "SUBMITFILTER " + site + "\n");
        program("bin/qmgr", "#!/bin/sh\necho 'set server default_queue = batch'\n");
        install("torque", ALL);
        String plain = "#!/bin/sh\nhostname\n";
        assertThat(filter(plain).stdout()).isEqualTo(plain);
        assertThat(filter(VSE_SCRIPT.replace("12", "11")).stdout()).isEqualTo(VSE_SCRIPT);
        CommandResult refused = filter(VSE_SCRIPT.replace("debian", "centos"));
        assertThat(refused.exitCode()).isEqualTo(255);
        assertThat(refused.stdout()).isEmpty();
        assertThat(refused.stderr()).contains("STDIN:2:12: image 'centos-12' is not allowed in queue 'batch'");
        assertThat(filter(VSE_SCRIPT, "-q", "night").stderr()).contains("'night'");
        assertThat(filter(plain, "-h").exitCode()).isEqualTo(3);
        String sized = VSE_SCRIPT.replace("\nhost", " vcpus=2\nhost");
        assertThat(filter(sized).stdout()).isEqualTo(sized.replace("hostname", "#PBS -l nodes=1:ppn=2\nhostname"));
        assertThat(filter(sized, "-l", "nodes=1:ppn=2").stdout()).isEqualTo(sized);
    }

    @Test
    void thePrologueOfTorqueCallsForScriptsThatAskForMachinesOnlyAndEndsWell() throws IOException {
        Path vse = program("bin/vse", "#!/bin/sh\necho \"$1 $2\" >>" + root.resolve("calls") + "\nexit 9\n");
        install("torque", ALL, vse.toString());
        for (String file : List.of(MOM + "prologue", MOM + "epilogue", "etc/vse/torque/starter")) {
            write(
                    file,
                    read(file).replace("/run/vse/torque", root.resolve("run").toString()));
        }
        String script = write("job.SC", VSE_SCRIPT).toString();
        String plain =
                write("plain.SC", "#!/bin/sh\nhostname\n#VSE image=late\n").toString();
        assertThat(pelog("prologue", plain)).isZero();
        assertThat(pelog("epilogue", plain)).isZero();
        assertThat(starter("PBS_BATCH")).isEqualTo(4);
        assertThat(root.resolve("calls")).doesNotExist();
        assertThat(pelog("prologue", script)).isZero();
        assertThat(Files.getPosixFilePermissions(root.resolve("run")))
                .isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(starter("PBS_BATCH")).isEqualTo(9);
        assertThat(starter("PBS_INTERACTIVE")).isEqualTo(125);
        assertThat(pelog("epilogue", script)).isZero();
        assertThat(starter("PBS_BATCH")).isEqualTo(4);
        assertThat(read("calls")).isEqualTo("hook prologue\nhook starter\nhook epilogue\n");
    }

    private int pelog(String name, String script) {
        return run(
                        Map.of("PATH", "/usr/bin:/bin"),
                        new byte[0],
                        "/bin/sh",
                        "-c",
                        "umask 077; exec \"$0\" \"$@\"",
                        root.resolve(MOM + name).toString(),
                        "1[2].head",
                        "ann",
                        "ann",
                        "job",
                        "nodes=1",
                        "batch",
                        "",
                        script)
                .exitCode();
    }

    private int starter(String environment) {
        return run(
                        Map.of("PBS_TASKNUM", "1", "PBS_JOBID", "1[2].head", "PBS_ENVIRONMENT", environment),
                        new byte[0],
                        root.resolve("etc/vse/torque/starter").toString(),
                        "/bin/sh",
                        "-c",
                        "exit 4")
                .exitCode();
    }
}

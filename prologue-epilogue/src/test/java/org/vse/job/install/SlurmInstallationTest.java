package org.vse.job.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

class SlurmInstallationTest {
    private static final List<Role> ALL = List.of(Role.values());

    @TempDir
    Path root;

    private InstallPlan.Host host;

    @BeforeEach
    void directories() throws IOException {
        host = new InstallPlan.Host(root);
        Files.createDirectories(root.resolve("etc/slurm"));
    }

    private void write(String path, String text) throws IOException {
        Files.writeString(root.resolve(path), text);
    }

    private String read(String path) throws IOException {
        return Files.readString(root.resolve(path));
    }

    private void install() {
        new SlurmInstallation(host).install(ALL, List.of("/opt/vse/vse")).apply(host);
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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ClusterName=x\\n",
                "ClusterName=x",
                "",
                "ClusterName=x\\nProlog=/site/prolog.d/*\\nepilog = /site/epilog # ours\\nPrologFlags=X11,alloc\\n"
                        + "JobSubmitPlugins=throttle\\nPartitionName=a\\n\\n",
                "Prolog=/site/prolog"
            })
    void twiceIsOnceAndUninstallGivesBackEveryByte(String conf) throws IOException {
        write("etc/slurm/slurm.conf", conf.replace("\\n", "\n"));
        write("etc/slurm/job_submit.lua", "-- the site's\nfunction slurm_job_submit() return 0 end");
        Map<String, String> before = files();
        install();
        Map<String, String> installed = files();
        assertThat(installed).isNotEqualTo(before);
        assertThat(new SlurmInstallation(host)
                        .install(ALL, List.of("/opt/vse/vse"))
                        .changes())
                .isEmpty();
        new SlurmInstallation(host).uninstall().apply(host);
        // The hooks themselves go when no configuration names them any more.
        new SlurmInstallation(host).uninstall().apply(host);
        assertThat(files()).isEqualTo(before);
        assertThat(new SlurmInstallation(host).uninstall().changes()).isEmpty();
    }

    @Test
    void whatTheSiteHasIsKeptAndCalled() throws IOException {
        write(
                "etc/slurm/slurm.conf",
                "PrologFlags=X11,alloc\nProlog=/site/prolog\nJobSubmitPlugins=throttle\nEpilog=/site/epilog\n");
        write("etc/slurm/job_submit.lua", "-- the site's\n");
        install();
        assertThat(read("etc/slurm/slurm.conf").lines().filter(line -> !line.startsWith("#")))
                .containsExactly(
                        "Prolog=/etc/vse/slurm/prolog",
                        "Epilog=/etc/vse/slurm/epilog",
                        "PrologFlags=X11,alloc,DeferBatch",
                        "RequeueExit=85",
                        "JobSubmitPlugins=throttle,lua");
        assertThat(read("etc/slurm/job_submit.site.lua")).isEqualTo("-- the site's\n");
        assertThat(read("etc/slurm/job_submit.lua")).contains("local SITE = \"/etc/slurm/job_submit.site.lua\"");
        assertThat(read("etc/vse/slurm/prolog")).contains("for site in /site/prolog; do");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve("etc/vse/slurm/prolog"))))
                .isEqualTo("rwxr-xr-x");
    }

    @Test
    void aNodeHasNoGateAndAPlaceToSubmitFromNothing() throws IOException {
        write("etc/slurm/slurm.conf", "");
        assertThat(new SlurmInstallation(host)
                        .install(List.of(Role.SUBMIT), List.of("vse"))
                        .changes())
                .isEmpty();
        new SlurmInstallation(host).install(List.of(Role.NODE), List.of("vse")).apply(host);
        assertThat(files().keySet())
                .containsExactly(
                        "etc/slurm/slurm.conf",
                        "etc/vse/slurm/epilog",
                        "etc/vse/slurm/prolog",
                        "etc/vse/slurm/starter");
    }

    private List<String> diagnosed() {
        return new SlurmDiagnosis(host)
                .examine(ALL).stream()
                        .map(line -> line.check() + " " + line.finding().state().word())
                        .toList();
    }

    @Test
    void theDoctorSeesWhatIsMissingAndWhatIsThere() throws IOException {
        assertThat(diagnosed()).containsExactly("slurm-conf failed");
        write("etc/slurm/slurm.conf", "PrologFlags=Alloc\n");
        assertThat(diagnosed())
                .containsExactly(
                        "slurm-prolog-flags failed",
                        "slurm-prolog failed",
                        "slurm-epilog failed",
                        "slurm-lease ok",
                        "slurm-gate failed",
                        "slurm-policy failed");
        install();
        write("etc/vse/policy.gate", "vse-gate\t1\nend\n");
        assertThat(diagnosed())
                .containsExactly(
                        "slurm-prolog-flags ok",
                        "slurm-prolog ok",
                        "slurm-epilog ok",
                        "slurm-lease ok",
                        "slurm-gate ok",
                        "slurm-policy ok");
        write("etc/slurm/slurm.conf", read("etc/slurm/slurm.conf").replace(",DeferBatch", ""));
        assertThat(diagnosed()).startsWith("slurm-prolog-flags failed").doesNotContain("slurm-prolog failed");
    }

    @Test
    void aLeaseThatIsLongerThanSlurmsPatienceIsFound() throws IOException {
        write("etc/slurm/slurm.conf", "SlurmdTimeout=60\n");
        install();
        write("etc/vse/vsed.yaml", "node-lease: 31s\n");
        assertThat(diagnosed()).contains("slurm-lease failed");
        write("etc/vse/vsed.yaml", "node-lease: 30s\n");
        assertThat(diagnosed()).contains("slurm-lease ok");
    }

    @Test
    void theHooksStayUntilNoConfigurationNamesThem() throws IOException {
        write("etc/slurm/slurm.conf", "ClusterName=x\n");
        install();
        InstallPlan first = new SlurmInstallation(host).uninstall();
        first.apply(host);
        assertThat(read("etc/slurm/slurm.conf")).isEqualTo("ClusterName=x\n");
        assertThat(files()).containsKeys("etc/vse/slurm/prolog", "etc/vse/slurm/epilog", "etc/vse/slurm/starter");
        assertThat(first.afterwards()).last().asString().startsWith("vse install --scheduler slurm --uninstall");
        new SlurmInstallation(host).uninstall().apply(host);
        assertThat(files()).containsOnlyKeys("etc/slurm/slurm.conf");
    }

    @Test
    void aNodeThatSystemdRulesGetsAUnitAndGivesItBack() throws IOException {
        assertThat(ServiceUnit.install(host, ALL, List.of("/opt/v s/vse"), Path.of("/opt/v s"))
                        .changes())
                .isEmpty();
        Files.createDirectories(root.resolve("run/systemd/system"));
        InstallPlan plan = ServiceUnit.install(host, ALL, List.of("/opt/v s/vse"), Path.of("/opt/v s"));
        plan.apply(host);
        assertThat(read("etc/systemd/system/vsed.service"))
                .contains("ExecStart=\"/opt/v s/vse\" up --foreground\n", "Delegate=yes\n", "KillMode=process\n");
        assertThat(ServiceUnit.install(host, ALL, List.of("/opt/v s/vse"), Path.of("/opt/v s"))
                        .changes())
                .isEmpty();
        ServiceUnit.uninstall(host).apply(host);
        assertThat(files()).isEmpty();
        write("etc/systemd/system/vsed.service", "# the site's\n");
        assertThat(ServiceUnit.uninstall(host).changes()).isEmpty();
    }

    @Test
    void withoutSlurmThereIsNothingToInstallInto() {
        VseException failure = catchThrowableOfType(VseException.class, this::install);
        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
    }

    @Test
    void aPrologThatIsNoPlainPathIsRefused() throws IOException {
        write("etc/slurm/slurm.conf", "Prolog=/site/$(reboot)\n");
        VseException failure = catchThrowableOfType(VseException.class, this::install);
        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
    }

    @Test
    void theDiffShowsWhatGoesAndComes() {
        FileChange change = new FileChange(
                Path.of("/etc/x"), java.util.Optional.of("a\nb\nc\n"), java.util.Optional.of("a\nd\nc\n"), false);
        assertThat(change.diff()).isEqualTo("--- /etc/x\n+++ /etc/x\n-b\n+d");
    }

    private int run(String hook, Map<String, String> environment) {
        return new CommandRunner()
                .run(Command.of("/bin/sh", root.resolve("etc/vse/slurm/" + hook).toString())
                        .withEnv(environment))
                .exitCode();
    }

    @Test
    void aJobWithoutVseStartsNoProgramAndTheSitesCodeCounts() throws IOException {
        Path site = Files.writeString(root.resolve("site"), "#!/bin/sh\nexit 3\n");
        write("etc/slurm/slurm.conf", "");
        new SlurmInstallation(host).install(ALL, List.of("/bin/false")).apply(host);
        assertThat(run("prolog", Map.of("SLURM_JOB_ID", "1"))).isZero();
        assertThat(run("prolog", Map.of("SLURM_JOB_ID", "1", "SLURM_JOB_COMMENT", "mine")))
                .isZero();
        assertThat(run("epilog", Map.of("SLURM_JOB_ID", "999999999"))).isZero();
        Files.setPosixFilePermissions(site, PosixFilePermissions.fromString("rwxr-xr-x"));
        write("etc/slurm/slurm.conf", "Prolog=" + site + "\nEpilog=" + site + "\n");
        new SlurmInstallation(host).install(ALL, List.of("/bin/false")).apply(host);
        assertThat(run("prolog", Map.of("SLURM_JOB_ID", "1"))).isEqualTo(3);
        assertThat(run("epilog", Map.of("SLURM_JOB_ID", "999999999"))).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lua5.1", "lua5.3"})
    void theGateAnswersAsThePolicySays(String lua) throws IOException {
        write("etc/slurm/slurm.conf", "");
        install();
        Path corpus = Path.of("../policy/src/test/resources/gate").toAbsolutePath();
        CommandResult result = new CommandRunner()
                .run(Command.of(Arrays.asList(
                        lua,
                        Path.of("src/test/lua/corpus.lua").toAbsolutePath().toString(),
                        root.resolve("etc/slurm/job_submit.lua").toString(),
                        corpus.resolve("policy.gate").toString(),
                        corpus.resolve("cases.tsv").toString())));
        assertThat(result.exitCode())
                .as(new String(result.stdout().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
                .isZero();
        assertThat(result.stdout()).contains(", 0 wrong");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lua5.1", "lua5.3"})
    void theGateFillsInWhatIsMissingAndRefusesAContradiction(String lua) throws IOException {
        write("etc/slurm/slurm.conf", "");
        install();
        CommandResult result = new CommandRunner()
                .run(Command.of(
                        lua,
                        Path.of("src/test/lua/agreement.lua").toAbsolutePath().toString(),
                        root.resolve("etc/slurm/job_submit.lua").toString()));
        assertThat(result.exitCode()).as(result.toString()).isZero();
        assertThat(result.stdout()).contains(", 0 wrong");
    }
}

package org.vse.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.job.client.Json;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding;
import org.vse.job.doctor.Finding.State;

@Timeout(60)
class DoctorCommandTest {
    private static final Doctor.Line GOOD = new Doctor.Line("qemu", new Finding(State.OK, "7.2.22", ""));
    private static final Doctor.Line POOR =
            new Doctor.Line("kvm-device", new Finding(State.WARNING, "mode 0600\nowner 0:0", "chmod 0660 /dev/kvm"));
    private static final Doctor.Line BAD =
            new Doctor.Line("clock", new Finding(State.FAILED, "it shows \u001b[2J1970", "timedatectl set-ntp true"));

    @TempDir
    Path dir;

    @Test
    void theCommandThatMendsStandsBelow() {
        assertThat(DoctorCommand.text(List.of(GOOD, POOR, BAD))).isEqualTo("""
                qemu        ok       7.2.22
                kvm-device  warning  mode 0600; owner 0:0
                                     mend: chmod 0660 /dev/kvm
                clock       failed   it shows ?[2J1970
                                     mend: timedatectl set-ntp true""");
    }

    @Test
    void programsGetTheSame() {
        assertThat(DoctorCommand.json(List.of(GOOD, BAD)))
                .isEqualTo("{\"checks\":[{\"check\":\"qemu\",\"state\":\"ok\",\"found\":\"7.2.22\",\"mend\":\"\"},"
                        + "{\"check\":\"clock\",\"state\":\"failed\",\"found\":\"it shows ?[2J1970\","
                        + "\"mend\":\"timedatectl set-ntp true\"}]}");
    }

    @Test
    void theWorstDecides() {
        assertThat(DoctorCommand.worst(List.of(GOOD))).isEqualTo(State.OK);
        assertThat(DoctorCommand.worst(List.of(POOR, GOOD))).isEqualTo(State.WARNING);
        assertThat(DoctorCommand.worst(List.of(GOOD, BAD, POOR))).isEqualTo(State.FAILED);
    }

    @Test
    void itLooksAtThisHostWithoutADaemonAndAFailureIsExitCodeOne() throws Exception {
        Files.writeString(Files.createDirectories(dir.resolve("etc")).resolve("vsed.yaml"), "nonsense: 1\n");
        Shell shell = new Shell(dir);
        assertThat(shell.run("doctor", "--format", "json")).isEqualTo(1);
        assertThat(Json.readObject(shell.out()).objects("checks").stream().map(check -> check.shown("check")))
                .containsExactlyElementsOf(Doctor.checks());
        assertThat(shell.out()).contains("{\"check\":\"configuration\",\"state\":\"failed\"");
        assertThat(shell.err()).isEmpty();
    }

    @Test
    void noBatchSystemIsExaminedOrInstalledUnderAnotherName() throws Exception {
        for (List<String> command : List.of(List.of("doctor"), List.of("install", "--dry-run"))) {
            Shell shell = new Shell(dir);
            List<String> words = new ArrayList<>(command);
            words.addAll(List.of("--scheduler", "nonsense"));
            assertThat(shell.run(words.toArray(String[]::new))).isNotZero();
            assertThat(shell.err())
                    .contains("'nonsense'")
                    .contains("[USAGE]")
                    .contains("slurm, gridengine, openpbs, torque");
            assertThat(shell.out()).isEmpty();
        }
    }
}

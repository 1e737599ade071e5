package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.CommandRunner;
import org.vse.provisioner.VmSpec.Accelerator;

@Timeout(20)
class ConfigFileTest {
    @TempDir
    Path dir;

    private VsedConfig config(String yaml) throws IOException {
        Path file = Files.writeString(dir.resolve("vsed.yaml"), yaml);
        return NodeFacts.config(file, dir, dir, new CommandRunner(), List.of());
    }

    private VseException refused(String yaml) {
        VseException failure = catchThrowableOfType(VseException.class, () -> config(yaml));
        assertThat(failure).as(yaml).isNotNull();
        assertThat(failure.code()).as(yaml).isEqualTo(ErrorCode.CONFIG_INVALID);
        return failure;
    }

    @Test
    void everyKeyIsRead() throws IOException {
        VsedConfig config = config("""
                # a node
                node: n7
                cores: 0-3,8
                accelerator: kvm
                first-qemu-uid: 500000
                qemu-uids: 12
                qemu-gid: 44
                boot-timeout: 5s
                setup-timeout: 6s
                start-timeout: 7m
                cancel-grace: 8s
                """);
        assertThat(config.node()).isEqualTo("n7");
        assertThat(config.cores()).containsExactly(0, 1, 2, 3, 8);
        assertThat(config.accelerator()).contains(Accelerator.KVM);
        assertThat(config.firstQemuUid()).isEqualTo(500_000);
        assertThat(config.qemuUids()).isEqualTo(12);
        assertThat(config.qemuGid()).isEqualTo(44);
        assertThat(config.boot()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.setup()).isEqualTo(Duration.ofSeconds(6));
        assertThat(config.start()).isEqualTo(Duration.ofMinutes(7));
        assertThat(config.grace()).isEqualTo(Duration.ofSeconds(8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "{}\n"})
    void anEmptyFileMeansTheDefaults(String yaml) throws IOException {
        VsedConfig config = config(yaml);
        assertThat(config.cores()).isNotEmpty();
        assertThat(config.node()).isNotEmpty();
        assertThat(config.boot()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.qemuUids()).isEqualTo(1024);
        assertThat(config.accelerator()).as("auto").isEmpty();
    }

    @Test
    void autoMeansThatAProbeFindsOut() throws IOException {
        assertThat(config("accelerator: auto\n").accelerator()).isEmpty();
        assertThat(config("accelerator: tcg\n").accelerator()).contains(Accelerator.TCG);
    }

    @Test
    void allMistakesAreReportedAtOnceEachWithItsPlace() {
        VseException failure = refused("node: a\nboot-timout: 5s\ncores: [0]\nnode: b\nqemu-uids:\n  x: 1\n");
        String found = String.valueOf(failure.facts().get("found"));
        assertThat(found.lines()).hasSize(4);
        assertThat(found)
                .contains("vsed.yaml:2:1: unknown key 'boot-timout', did you mean 'boot-timeout'?")
                .contains("vsed.yaml:3:1: 'cores' takes a single value")
                .contains("vsed.yaml:4:1: 'node' is given twice")
                .contains("vsed.yaml:5:1: 'qemu-uids' takes a single value");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cores|a",
                "cores|3-1",
                "cores|0,",
                "cores|-1",
                "cores|0-99999999999",
                "accelerator|xen",
                "first-qemu-uid|0",
                "first-qemu-uid|999999999999",
                "qemu-uids|0",
                "qemu-gid|0",
                "qemu-gid|x",
                "boot-timeout|5",
                "boot-timeout|0s",
                "boot-timeout|-1s",
                "setup-timeout|1h",
                "start-timeout|999999s",
                "cancel-grace|ten",
                "node|a b",
                "node|../x",
                "node|''"
            })
    void aValueThatCannotBeUsedIsNamedWithItsPlace(String key, String value) {
        VseException failure = refused("# c\n" + key + ": " + value + "\n");
        assertThat(failure.where()).startsWith(dir.resolve("vsed.yaml") + ":2:");
        assertThat(failure.facts()).containsKey("expected");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "- a\n- b\n",
                "just a text\n",
                "node: [\n",
                "node: !!javax.script.ScriptEngineManager [x]\n",
                "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n",
                "node: *unknown\n",
                "? {a: b}\n: c\n",
                "node: a\n---\nnode: b\n",
                "\u0000",
                "node: \"\u0001\"\n"
            })
    void hostileYamlIsRefused(String yaml) {
        refused(yaml);
    }

    @Test
    void anEnormousFileIsRefusedUnread() {
        refused("#".repeat(1 << 17));
        refused("[".repeat(60_000));
    }
}

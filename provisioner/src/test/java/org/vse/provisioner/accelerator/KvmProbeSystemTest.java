package org.vse.provisioner.accelerator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;
import org.vse.process.CommandRunner;
import org.vse.provisioner.TestImage;

/** A real guest, emulated: the probe must see that it boots, and must end one that it gives up. */
@Tag("system")
@Timeout(120)
class KvmProbeSystemTest {
    private static final int UID = 1_879_049_000;

    @TempDir
    Path dir;

    private AcceleratorProbe emulated(String... more) {
        List<String> tcg = new java.util.ArrayList<>(List.of("-accel", "tcg", "-cpu", "max"));
        tcg.addAll(List.of(more));
        return new KvmProbe(new CommandRunner(), dir.resolve("log"), Optional::empty, tcg, "TCG");
    }

    private static ProbeGuest guest() {
        Image image = TestImage.debian();
        Kernel kernel = image.kernels().get(0);
        return new ProbeGuest(
                image.digest(), kernel.vmlinuz(), kernel.initrd(), kernel.commandLine(), UID, 65534, List.of(0));
    }

    @Test
    void aGuestThatBootsIsSeenAndEnded() {
        AcceleratorProbe.Answer answer = emulated().boot(guest(), Duration.ofSeconds(60));
        assertThat(answer.booted()).as(answer.evidence()).isTrue();
        assertThat(answer.evidence()).startsWith("a guest booted under TCG in ");
        assertThat(processesOfTheProbe()).isZero();
    }

    @Test
    void aGuestThatDoesNothingIsGivenUpAndEnded() {
        AcceleratorProbe.Answer answer = emulated("-S").boot(guest(), Duration.ofSeconds(1));
        assertThat(answer)
                .isEqualTo(new AcceleratorProbe.Answer(
                        false, "a guest did not boot under TCG within 1.0 s: it said nothing"));
        assertThat(processesOfTheProbe()).isZero();
    }

    @Test
    void aQemuThatEndsIsQuoted() {
        AcceleratorProbe.Answer answer = emulated("-cpu", "no-such").boot(guest(), Duration.ofSeconds(30));
        assertThat(answer.booted()).isFalse();
        assertThat(answer.evidence())
                .isEqualTo("QEMU ended under TCG with exit code 1:"
                        + " 'qemu-system-x86_64: unable to find CPU model 'no-such''");
    }

    private static long processesOfTheProbe() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info().command().orElse("").contains("qemu"))
                .count();
    }
}

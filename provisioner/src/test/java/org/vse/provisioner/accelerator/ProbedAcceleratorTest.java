package org.vse.provisioner.accelerator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.VmSpec.Accelerator;

@Timeout(20)
class ProbedAcceleratorTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final ProbeHost HOST = new ProbeHost("6.1.0", "b00t", "/usr/bin/qemu 1 2", "0660 0:107", 107);

    @TempDir
    Path dir;

    private final List<String> probed = new ArrayList<>();
    private final List<String> waited = new ArrayList<>();
    private ProbeHost host = HOST;

    private AcceleratorChoice choice(boolean booted) {
        return choice((guest, deadline) -> new AcceleratorProbe.Answer(booted, booted ? "it booted" : "it hung"));
    }

    private AcceleratorChoice choice(AcceleratorProbe probe) {
        AcceleratorProbe counting = (guest, deadline) -> {
            probed.add(guest.kernel());
            return probe.boot(guest, deadline);
        };
        return new ProbedAccelerator(
                counting, gid -> host, dir.resolve(ProbeRecord.FILE), Clock.fixed(NOON, ZoneOffset.UTC));
    }

    private static ProbeGuest guest(String kernel) {
        return new ProbeGuest(kernel, Path.of("/k"), Path.of("/i"), "root=/dev/vda", 70_000, 107, List.of(0));
    }

    private Accelerator ask(AcceleratorChoice choice, String kernel) {
        return choice.choose(() -> guest(kernel), (what, end) -> waited.add(what + " " + end));
    }

    @Test
    void aGuestThatBootedMeansKvmForEveryKernelAndForLaterDaemons() {
        AcceleratorChoice first = choice(true);
        assertThat(ask(first, "a")).isEqualTo(Accelerator.KVM);
        assertThat(ask(first, "b")).isEqualTo(Accelerator.KVM);
        assertThat(ask(choice(false), "c")).isEqualTo(Accelerator.KVM);
        assertThat(probed).containsExactly("a");
        assertThat(waited).containsExactly("a probe guest to boot under KVM 2026-11-21T12:00:10Z");
    }

    @Test
    void aGuestThatDidNotBootMeansTcgForItsKernelOnly() {
        assertThat(ask(choice(false), "a")).isEqualTo(Accelerator.TCG);
        AcceleratorChoice later = choice(true);
        assertThat(ask(later, "a")).isEqualTo(Accelerator.TCG);
        assertThat(ask(later, "b")).isEqualTo(Accelerator.KVM);
        assertThat(ask(later, "a")).as("what has booted speaks for all").isEqualTo(Accelerator.KVM);
        assertThat(probed).containsExactly("a", "b");
    }

    @Test
    void withoutADeviceNothingIsProbedNorKept() {
        host = new ProbeHost("6.1.0", "b00t", "/usr/bin/qemu 1 2", "absent", 107);
        assertThat(ask(choice(true), "a")).isEqualTo(Accelerator.TCG);
        assertThat(probed).isEmpty();
        assertThat(waited).isEmpty();
        assertThat(dir.resolve(ProbeRecord.FILE)).doesNotExist();
    }

    @Test
    void anotherHostIsProbedAgain() {
        ask(choice(false), "a");
        List<ProbeHost> others = List.of(
                new ProbeHost("6.1.1", "b00t", "/usr/bin/qemu 1 2", "0660 0:107", 107),
                new ProbeHost("6.1.0", "next", "/usr/bin/qemu 1 2", "0660 0:107", 107),
                new ProbeHost("6.1.0", "b00t", "/usr/bin/qemu 1 3", "0660 0:107", 107),
                new ProbeHost("6.1.0", "b00t", "/usr/bin/qemu 1 2", "0666 0:107", 107),
                new ProbeHost("6.1.0", "b00t", "/usr/bin/qemu 1 2", "0660 0:107", 65534));
        for (ProbeHost other : others) {
            host = other;
            assertThat(ask(choice(true), "a")).as("%s", other).isEqualTo(Accelerator.KVM);
            host = HOST;
            assertThat(ask(choice(false), "a")).isEqualTo(Accelerator.TCG);
        }
        assertThat(probed).hasSize(1 + 2 * others.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "null", "[]", "{\"host\":null,\"results\":[]}", "{\"host\":{},\"results\":[{}]}"})
    void aDamagedRecordIsLikeNone(String text) throws IOException {
        Files.writeString(dir.resolve(ProbeRecord.FILE), text);
        assertThat(ask(choice(true), "a")).isEqualTo(Accelerator.KVM);
        assertThat(probed).containsExactly("a");
        assertThat(ProbeRecord.read(dir.resolve(ProbeRecord.FILE))
                        .flatMap(r -> r.latest(HOST))
                        .map(ProbeRecord.Result::evidence))
                .contains("it booted");
    }

    @Test
    void aProbeThatCouldNotBeMadeLeavesNoAnswer() {
        AcceleratorChoice choice = choice((guest, deadline) -> {
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted");
        });
        assertThatThrownBy(() -> ask(choice, "a")).isInstanceOf(VseException.class);
        assertThat(dir.resolve(ProbeRecord.FILE)).doesNotExist();
        assertThat(ask(choice(true), "a")).isEqualTo(Accelerator.KVM);
    }

    @Test
    void jobsAtOnceMakeOneProbeAndTheOthersSayWhatTheyWaitFor() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AcceleratorChoice choice = choice((guest, deadline) -> {
            begun.countDown();
            awaited(goOn);
            return new AcceleratorProbe.Answer(true, "it booted");
        });
        CompletableFuture<Accelerator> one =
                CompletableFuture.supplyAsync(() -> choice.choose(() -> guest("a"), (what, end) -> {}));
        begun.await();
        List<String> other = new ArrayList<>();
        Accelerator two = choice.choose(() -> guest("a"), (what, end) -> {
            other.add(what);
            goOn.countDown();
        });
        assertThat(two).isEqualTo(Accelerator.KVM).isEqualTo(one.join());
        assertThat(other).containsExactly("another job's probe of KVM");
        assertThat(probed).hasSize(1);
    }

    private static void awaited(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theHostIsReadFromItsFiles() throws IOException {
        Path kernel = Files.createDirectories(dir.resolve("proc/sys/kernel/random"));
        Files.writeString(kernel.resolve("boot_id"), "1234\n");
        Files.writeString(dir.resolve("proc/sys/kernel/osrelease"), "6.1.0-x\n");
        ProbeHost without = ProbeHost.read(dir, Optional.empty(), 7);
        assertThat(without).isEqualTo(new ProbeHost("6.1.0-x", "1234", "absent", "absent", 7));
        assertThat(without.hasKvm()).isFalse();
        Path kvm = Files.createFile(Files.createDirectories(dir.resolve("dev")).resolve("kvm"));
        Files.setPosixFilePermissions(kvm, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
        Path qemu = Files.writeString(dir.resolve("qemu"), "12345");
        Files.setLastModifiedTime(qemu, java.nio.file.attribute.FileTime.from(NOON));
        ProbeHost with = ProbeHost.read(dir, Optional.of(qemu), 7);
        assertThat(with.kvm()).startsWith("0600 ");
        assertThat(with.qemu()).isEqualTo(qemu + " 5 2026-11-21T12:00:00Z");
    }

    @Test
    void theProbeRunsAsMachinesDo() {
        ProbeGuest guest = new ProbeGuest("k", Path.of("/k"), Path.of("/i"), "quiet", 70_001, 108, List.of(2, 5));
        List<String> argv = new KvmProbe(
                        new org.vse.process.CommandRunner(),
                        dir.resolve("log"),
                        () -> Optional.of(Path.of("/proc/7/ns/mnt")))
                .argv(guest);
        assertThat(String.join(" ", argv))
                .startsWith("nsenter --mount=/proc/7/ns/mnt -- taskset --cpu-list 2,5 setpriv --reuid=70001 --regid=108"
                        + " --clear-groups --pdeathsig=KILL -- qemu-system-x86_64 -accel kvm ")
                .endsWith("-append quiet console=ttyS0 loglevel=7");
    }

    @Test
    void evidenceIsOneLineThatMovesNoCursor() {
        assertThat(KvmProbe.lastLine("one\r\n\u001b[2J\u001b[31mtwo\u0007\r\n \r\n"))
                .isEqualTo(": 'two'");
        assertThat(KvmProbe.lastLine("\u001bc\n")).isEqualTo(": 'c'");
        assertThat(KvmProbe.lastLine("")).isEqualTo(": it said nothing");
        assertThat(KvmProbe.lastLine("x".repeat(9999))).hasSizeLessThan(200);
        assertThat(ProbedAccelerator.DEADLINE).isEqualTo(Duration.ofSeconds(10));
    }
}

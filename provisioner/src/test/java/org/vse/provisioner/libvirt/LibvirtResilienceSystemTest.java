package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmDriverContract.Guest;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;

/** Machines go on when libvirtd, or whoever uses it, dies. */
@Tag("system")
class LibvirtResilienceSystemTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final VmLabel LABEL = new VmLabel("owner", "job", 1, 0);
    private static final VmName NAME =
            new VmName("vse-r" + ProcessHandle.current().pid());
    private static final String PING = "{\"execute\":\"guest-ping\"}";
    private static final Origin COLD = new Origin.Cold();
    private static final int SIGKILL = 9;

    private LibvirtRig rig;
    private LibvirtDriver driver;

    @BeforeEach
    void open() throws IOException {
        rig = LibvirtRig.open();
        driver = new LibvirtDriver("owner", rig.daemon());
    }

    @AfterEach
    void close() throws IOException {
        driver.list().forEach(machine -> driver.destroy(machine.name()));
        driver.close();
        rig.close();
    }

    @Test
    void aMachineOutlivesLibvirtdAndItsAgentAnswersAfterwards() throws IOException {
        VmStatus before = driver.start(rig.spec(NAME, LABEL, Guest.ANSWERS), COLD);
        driver.agent(NAME, PING, PATIENCE);
        ProcessIdentity daemon = killDaemon();
        assertThat(driver.list()).containsExactly(before);
        assertThat(driver.agent(NAME, PING, PATIENCE)).contains("return");
        assertThat(rig.daemon().identity()).isPresent().get().isNotEqualTo(daemon);
        driver.destroy(NAME);
        assertThat(LibvirtRig.process(before).alive()).isFalse();
    }

    @Test
    void anEndWhileLibvirtdIsDeadIsToldWhenItIsBack() throws IOException {
        List<String> ends = new CopyOnWriteArrayList<>();
        driver.onEnd((name, why) -> ends.add(name + " " + why));
        VmStatus machine = driver.start(rig.spec(NAME, LABEL, Guest.SILENT), COLD);
        ProcessIdentity libvirtd = rig.daemon().identity().orElseThrow();
        ProcessIdentity reaper = reaperOf(libvirtd);
        reaper.signal(19);
        libvirtd.signal(19);
        LibvirtRig.process(machine).signal(SIGKILL);
        Path lock = rig.daemon().directories().lock();
        Files.delete(lock);
        Files.createDirectory(lock);
        libvirtd.signal(SIGKILL);
        reaper.signal(18);
        assertThatThrownBy(driver::list).hasMessageContaining("cannot prepare a libvirtd of our own");
        Files.delete(lock);
        await().atMost(PATIENCE).until(() -> !ends.isEmpty());
        driver.close();
        assertThat(ends).containsExactly(NAME + " killed");
        driver = new LibvirtDriver("owner", rig.daemon());
        assertThat(driver.list()).isEmpty();
    }

    @Test
    void theNextProcessAdoptsALivingLibvirtd() throws IOException {
        driver.list();
        ProcessIdentity first = rig.daemon().identity().orElseThrow();
        PrivateLibvirtd again = rig.sameDaemon();
        again.ensureRunning();
        assertThat(again.identity()).contains(first);
    }

    @Test
    void whoReapsForLibvirtdMayDieBeforeIt() throws IOException {
        driver.list();
        ProcessIdentity daemon = rig.daemon().identity().orElseThrow();
        assertThat(Files.readString(Path.of("/proc", Long.toString(daemon.pid()), "comm")))
                .isEqualTo("libvirtd\n");
        ProcessIdentity reaper = reaperOf(daemon);
        assertThat(reaper.signal(SIGKILL)).isTrue();
        await().atMost(PATIENCE).until(() -> !reaper.alive());
        PrivateLibvirtd again = rig.sameDaemon();
        again.ensureRunning();
        assertThat(again.identity()).contains(daemon);
        again.stop();
        assertThat(daemon.alive()).isFalse();
        assertThat(driver.list()).isEmpty();
    }

    @Test
    void stoppingLibvirtdLeavesMachinesAlone() throws IOException {
        VmStatus machine = driver.start(rig.spec(NAME, LABEL, Guest.SILENT), COLD);
        driver.close();
        rig.daemon().stop();
        assertThat(rig.daemon().identity()).isEmpty();
        rig.daemon().stop();
        assertThat(LibvirtRig.process(machine).alive()).isTrue();
        driver = new LibvirtDriver("owner", rig.daemon());
        assertThat(driver.list()).containsExactly(machine);
    }

    @Test
    void aStartThatFailsLeavesNothingAndSaysWhatLibvirtSaid() throws IOException {
        VmSpec spec = rig.spec(NAME, LABEL, Guest.SILENT);
        Files.delete(spec.disk());
        assertThatThrownBy(() -> driver.start(spec, COLD))
                .isInstanceOfSatisfying(
                        VseException.class,
                        failure -> assertThat(failure.code()).isEqualTo(ErrorCode.LIBVIRT_FAILED))
                .hasMessageContaining(NAME.value())
                .hasMessageContaining(spec.disk().toString())
                .hasMessageContaining("Cannot access storage file");
        assertThat(driver.find(NAME)).isEmpty();
        assertThat(driver.start(rig.spec(NAME, LABEL, Guest.SILENT), COLD).state())
                .isEqualTo(VmStatus.State.RUNNING);
    }

    @Test
    void aLibvirtdThatCannotStartSaysWhy() throws IOException {
        Path state = Files.createFile(rig.directory(NAME));
        PrivateLibvirtd broken = new PrivateLibvirtd(state, state.resolveSibling("x"), new CommandRunner());
        assertThatThrownBy(broken::ensureRunning)
                .isInstanceOfSatisfying(
                        VseException.class,
                        failure -> assertThat(failure.code()).isEqualTo(ErrorCode.LIBVIRT_FAILED));
    }

    private ProcessIdentity killDaemon() {
        ProcessIdentity libvirtd = rig.daemon().identity().orElseThrow();
        assertThat(libvirtd.signal(SIGKILL)).isTrue();
        await().atMost(PATIENCE).until(() -> !libvirtd.alive());
        return libvirtd;
    }

    private static ProcessIdentity reaperOf(ProcessIdentity libvirtd) throws IOException {
        ProcessIdentity reaper = ProcessHandle.of(libvirtd.pid())
                .flatMap(ProcessHandle::parent)
                .flatMap(parent -> ProcessIdentity.of(parent.pid()))
                .orElseThrow();
        assertThat(Files.readString(Path.of("/proc", Long.toString(reaper.pid()), "comm")))
                .isEqualTo("tini\n");
        return reaper;
    }
}

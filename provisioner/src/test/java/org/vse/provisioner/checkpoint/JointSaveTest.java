package org.vse.provisioner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.VmStatus.State;
import org.vse.provisioner.fake.FakeDriver;
import org.vse.provisioner.fake.FakeDriver.Call;
import org.vse.provisioner.fake.FakeGuest;
import org.vse.provisioner.fake.Fault;

class JointSaveTest {
    @TempDir
    Path directory;

    private final List<VmSpec> specs = new ArrayList<>();
    private final List<VmName> again = Collections.synchronizedList(new ArrayList<>());
    private final JointSave.Restarts restarts = new JointSave.Restarts() {
        @Override
        public void begin(List<VmSpec> machines) {
            assertThat(machines)
                    .isNotEmpty()
                    .allSatisfy(one -> assertThat(driver.find(one.name())).isEmpty());
        }

        @Override
        public void started(VmSpec machine, VmStatus status) {
            again.add(machine.name());
        }

        @Override
        public void end(List<VmSpec> machines) {
            assertThat(again).containsAll(machines.stream().map(VmSpec::name).toList());
        }
    };

    @SuppressWarnings("NullAway.Init")
    private FakeDriver driver;

    @BeforeEach
    void start() throws IOException {
        driver = new FakeDriver("us", Files.createDirectories(directory.resolve("machines")), FakeGuest.silent());
        for (int i = 0; i < 4; i++) {
            specs.add(spec(i));
            driver.start(specs.get(i), new Origin.Cold());
        }
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void allAreInTheirFilesAndGoOn() {
        JointSave save = new JointSave(driver, specs, restarts);
        save.pause();
        assertThat(states()).containsOnly(State.PAUSED);
        List<JointSave.Saved> saved = save.save(this::memory);
        assertThat(driver.list()).isEmpty();
        assertThat(saved).hasSize(4).allSatisfy(one -> assertThat(one.memory()).exists());
        save.restart();
        assertThat(states()).hasSize(4).containsOnly(State.PAUSED);
        save.resume();
        assertThat(states()).hasSize(4).containsOnly(State.RUNNING);
    }

    @Test
    void whatAProcessThatDiedHadSavedGoesOn() {
        JointSave died = new JointSave(driver, specs, restarts);
        died.pause();
        driver.save(specs.get(1).name(), memory(specs.get(1)));
        driver.save(specs.get(2).name(), memory(specs.get(2)));
        new JointSave(driver, specs, restarts).recover(this::memory);
        assertThat(states()).hasSize(4).containsOnly(State.RUNNING);
        assertThat(again)
                .containsExactlyInAnyOrder(specs.get(1).name(), specs.get(2).name());
    }

    @Test
    void oneThatCannotBeSavedKeepsAllAsTheyWere() {
        for (int passing = 0; passing < 4; passing++) {
            JointSave save = new JointSave(driver, specs, restarts);
            save.pause();
            driver.inject(Call.SAVE, passing, new Fault.Fail(VseException.of(ErrorCode.DISK_FULL, "no room")));
            assertThatThrownBy(() -> save.save(this::memory))
                    .satisfies(e -> assertThat(((VseException) e).code()).isEqualTo(ErrorCode.CHECKPOINT_FAILED))
                    .hasMessageContaining("no room");
            assertThat(states()).hasSize(4).containsOnly(State.PAUSED);
            assertThat(specs).allSatisfy(spec -> assertThat(memory(spec)).doesNotExist());
            save.resume();
            assertThat(states()).containsOnly(State.RUNNING);
        }
    }

    @Test
    void oneThatCannotBeStoppedLetsTheOthersGoOn() {
        JointSave save = new JointSave(driver, specs, restarts);
        driver.inject(Call.PAUSE, 2, new Fault.Fail(VseException.of(ErrorCode.LIBVIRT_FAILED, "no monitor")));
        assertThatThrownBy(save::pause).hasMessageContaining("no monitor");
        assertThat(states()).hasSize(4).containsOnly(State.RUNNING);
    }

    @Test
    void whatCannotBeBroughtBackIsTold() {
        JointSave save = new JointSave(driver, specs, restarts);
        save.pause();
        driver.inject(Call.SAVE, 3, new Fault.Fail(VseException.of(ErrorCode.DISK_FULL, "no room")));
        driver.inject(Call.START, new Fault.Fail(VseException.of(ErrorCode.LIBVIRT_FAILED, "no memory")));
        assertThatThrownBy(() -> save.save(this::memory))
                .satisfies(e -> assertThat(e.getSuppressed())
                        .anySatisfy(lost -> assertThat(lost).hasMessageContaining("no memory")));
        assertThat(states()).hasSize(3).containsOnly(State.PAUSED);
    }

    @Test
    void anInterruptDoesNotSaveHalfAJob() {
        JointSave save = new JointSave(driver, specs, restarts);
        Thread.currentThread().interrupt();
        save.pause();
        save.save(this::memory);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(driver.list()).isEmpty();
    }

    private List<State> states() {
        return driver.list().stream().map(VmStatus::state).toList();
    }

    private Path memory(VmSpec spec) {
        return directory.resolve(spec.name() + ".memory");
    }

    private VmSpec spec(int index) throws IOException {
        VmName name = new VmName("vm-" + index);
        Path own = Files.createDirectories(directory.resolve(name.value()));
        return new VmSpec(
                name,
                UUID.nameUUIDFromBytes(new byte[] {(byte) index}),
                new VmLabel("us", "job", 1, index),
                VmSpec.Accelerator.TCG,
                1,
                List.of(),
                64 << 20,
                own.resolve("disk"),
                own.resolve("kernel"),
                own.resolve("initrd"),
                "quiet",
                1000,
                1000,
                List.of(),
                List.of(),
                List.of(),
                Files.createFile(own.resolve("console")),
                null);
    }
}

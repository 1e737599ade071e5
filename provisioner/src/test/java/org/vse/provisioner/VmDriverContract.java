package org.vse.provisioner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.VmDriver.Capability;

/** What every {@link VmDriver} does. An implementation's test extends this and says how to open it and what it can boot. */
public abstract class VmDriverContract {
    protected static final String OWNER = "contract-owner";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String PING = "{\"execute\":\"guest-ping\"}";
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private VmDriver driver;

    /** What a guest does once it is up. */
    public enum Guest {
        /** Its agent answers. */
        ANSWERS,
        /** It runs and its agent never opens its port. */
        SILENT,
        /** It powers itself off. */
        POWERS_OFF
    }

    /** A driver for this owner over the same store of machines at each call, as a new process would open it. */
    protected abstract VmDriver open(String owner) throws IOException;

    /** A spec that {@link #open}'s drivers can start. */
    protected abstract VmSpec spec(VmName name, VmLabel label, Guest guest) throws IOException;

    /** The second spec, with the disk that the first one's machine has written. */
    protected abstract VmSpec goesOn(VmSpec saved, VmSpec later) throws IOException;

    /** Ends the machine behind the driver's back. */
    protected abstract void kill(VmStatus machine);

    @BeforeEach
    void openDriver() throws IOException {
        driver = open(OWNER);
    }

    @AfterEach
    void destroyMachines() {
        for (VmStatus machine : driver.list()) {
            driver.destroy(machine.name());
        }
        driver.close();
    }

    @Test
    void aMachineIsFoundListedAndDestroyed() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        VmStatus started = driver.start(spec, new Origin.Cold());
        assertThat(started.state()).isEqualTo(VmStatus.State.RUNNING);
        assertThat(started.label()).isEqualTo(spec.label());
        assertThat(driver.find(spec.name())).contains(started);
        assertThat(driver.list()).containsExactly(started);
        driver.destroy(spec.name());
        assertThat(driver.find(spec.name())).isEmpty();
        assertThat(driver.list()).isEmpty();
    }

    @Test
    void aNameInUseIsRefusedAndItsMachineGoesOn() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        VmStatus first = driver.start(spec, new Origin.Cold());
        VmSpec again = spec(spec.name(), spec.label(), Guest.SILENT);
        assertThatThrownBy(() -> driver.start(again, new Origin.Cold())).satisfies(code(ErrorCode.JOB_STATE));
        assertThat(driver.find(spec.name())).contains(first);
    }

    @Test
    void destroyingTwiceOrTheUnknownIsNoError() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        driver.start(spec, new Origin.Cold());
        driver.destroy(spec.name());
        assertThatCode(() -> driver.destroy(spec.name())).doesNotThrowAnyException();
        assertThatCode(() -> driver.destroy(new VmName("nobody"))).doesNotThrowAnyException();
    }

    @Test
    void aDestroyedNameCanBeUsedAgain() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        driver.start(spec, new Origin.Cold());
        driver.destroy(spec.name());
        assertThat(driver.start(spec(spec.name(), spec.label(), Guest.SILENT), new Origin.Cold())
                        .state())
                .isEqualTo(VmStatus.State.RUNNING);
    }

    @Test
    void anotherOwnersMachinesAreInvisibleAndUntouchable() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        VmStatus ours = driver.start(spec, new Origin.Cold());
        try (VmDriver other = open("other-owner")) {
            assertThat(other.list()).isEmpty();
            assertThat(other.find(spec.name())).isEmpty();
            other.destroy(spec.name());
            assertThatThrownBy(() -> other.pause(spec.name())).satisfies(code(ErrorCode.GUEST_DIED));
        }
        assertThat(driver.find(spec.name())).contains(ours);
    }

    @Test
    void theLabelComesBackAsItWas() throws IOException {
        VmLabel label = new VmLabel(OWNER, "12[7].pbs <&> \"übermut\" 'x'", 3, 1);
        VmSpec spec = spec(freshName(), label, Guest.SILENT);
        driver.start(spec, new Origin.Cold());
        assertThat(driver.find(spec.name())).map(VmStatus::label).contains(label);
    }

    @Test
    void aNewDriverRecoversTheMachine() throws IOException {
        VmSpec spec = spec(Guest.ANSWERS);
        VmStatus before = driver.start(spec, new Origin.Cold());
        driver.close();
        driver = open(OWNER);
        assertThat(driver.find(spec.name())).contains(before);
        assertThat(driver.agent(spec.name(), PING, PATIENCE)).contains("return");
        driver.destroy(spec.name());
        assertThat(driver.list()).isEmpty();
    }

    @Test
    void pauseAndResumeAreIdempotent() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        driver.start(spec, new Origin.Cold());
        for (int i = 0; i < 2; i++) {
            driver.pause(spec.name());
            assertThat(driver.find(spec.name())).map(VmStatus::state).contains(VmStatus.State.PAUSED);
        }
        for (int i = 0; i < 2; i++) {
            driver.resume(spec.name());
            assertThat(driver.find(spec.name())).map(VmStatus::state).contains(VmStatus.State.RUNNING);
        }
    }

    @Test
    void whatIsAskedOfNobodySaysSo() {
        VmName nobody = new VmName("nobody");
        assertThatThrownBy(() -> driver.pause(nobody)).satisfies(code(ErrorCode.GUEST_DIED));
        assertThatThrownBy(() -> driver.resume(nobody)).satisfies(code(ErrorCode.GUEST_DIED));
        assertThatThrownBy(() -> driver.usage(nobody)).satisfies(code(ErrorCode.GUEST_DIED));
        assertThatThrownBy(() -> driver.agent(nobody, PING, PATIENCE)).satisfies(code(ErrorCode.GUEST_DIED));
    }

    @Test
    void whatIsNotDeclaredIsRefusedInTheSameWords() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        Path memory = Path.of("/nonexistent");
        refusedUnlessDeclared(spec, new Origin.Snapshot(memory), Capability.SNAPSHOT);
        assertThat(driver.list()).isEmpty();
    }

    @Test
    void theAgentAnswersAsSoonAsTheGuestIsUp() throws IOException {
        VmSpec spec = spec(Guest.ANSWERS);
        driver.start(spec, new Origin.Cold());
        assertThat(driver.agent(spec.name(), PING, PATIENCE)).contains("return");
    }

    @Test
    void aSilentAgentIsGivenUpInTime() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        driver.start(spec, new Origin.Cold());
        long begin = System.nanoTime();
        assertThatThrownBy(() -> driver.agent(spec.name(), PING, Duration.ofMillis(300)))
                .satisfies(code(ErrorCode.GUEST_UNRESPONSIVE));
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void askingAPausedGuestEndsInTime() throws IOException {
        VmSpec spec = spec(Guest.ANSWERS);
        driver.start(spec, new Origin.Cold());
        driver.agent(spec.name(), PING, PATIENCE);
        driver.pause(spec.name());
        assertThatThrownBy(() -> driver.agent(spec.name(), PING, Duration.ofMillis(500)))
                .satisfies(code(ErrorCode.GUEST_UNRESPONSIVE));
        driver.resume(spec.name());
        assertThat(driver.agent(spec.name(), PING, PATIENCE)).contains("return");
    }

    @Test
    void aSavedMachineIsGoneAndGoesOnUnderAnotherName(@TempDir Path files) throws IOException {
        List<String> ends = listen();
        VmSpec spec = spec(Guest.ANSWERS);
        driver.start(spec, new Origin.Cold());
        driver.agent(spec.name(), PING, PATIENCE);
        driver.pause(spec.name());
        Path memory = files.resolve("memory");
        long state = driver.save(spec.name(), memory);
        assertThat(driver.find(spec.name())).isEmpty();

        VmSpec later = goesOn(spec, spec(freshName(), new VmLabel(OWNER, "job-1", 2, 0), Guest.ANSWERS));
        VmStatus restored = driver.start(later, new Origin.Checkpoint(memory, state));
        assertThat(restored.state()).isEqualTo(VmStatus.State.PAUSED);
        assertThat(driver.find(later.name())).contains(restored);
        driver.resume(later.name());
        assertThat(driver.agent(later.name(), PING, Duration.ofSeconds(10))).contains("return");

        driver.pause(later.name());
        Path again = files.resolve("again");
        long stateAgain = driver.save(later.name(), again);
        driver.start(later, new Origin.Checkpoint(again, stateAgain));
        driver.resume(later.name());
        assertThat(driver.agent(later.name(), PING, Duration.ofSeconds(10))).contains("return");
        assertThat(ends).isEmpty();
    }

    @Test
    void aMachineThatCannotBeSavedGoesOn(@TempDir Path files) throws IOException {
        VmSpec spec = spec(Guest.ANSWERS);
        driver.start(spec, new Origin.Cold());
        driver.agent(spec.name(), PING, PATIENCE);
        assertThatThrownBy(() -> driver.save(spec.name(), files.resolve("runs")))
                .satisfies(code(ErrorCode.JOB_STATE));
        driver.pause(spec.name());
        Path taken = Files.writeString(files.resolve("taken"), "somebody's");
        assertThatThrownBy(() -> driver.save(spec.name(), taken)).satisfies(code(ErrorCode.JOB_STATE));
        assertThat(taken).hasContent("somebody's");
        assertThatThrownBy(() -> driver.save(spec.name(), files.resolve("nowhere/memory")))
                .isInstanceOf(VseException.class);
        assertThat(driver.find(spec.name())).map(VmStatus::state).contains(VmStatus.State.PAUSED);
        driver.resume(spec.name());
        assertThat(driver.agent(spec.name(), PING, PATIENCE)).contains("return");
    }

    @Test
    void whatIsNoMemoryIsNotStarted(@TempDir Path files) throws IOException {
        Path wrong = Files.write(files.resolve("wrong"), new byte[4096]);
        VmSpec spec = spec(Guest.SILENT);
        assertThatThrownBy(() -> driver.start(spec, new Origin.Checkpoint(wrong, 0)))
                .satisfies(code(ErrorCode.CHECKPOINT_INVALID));
        assertThat(driver.list()).isEmpty();
    }

    @Test
    void usageGrows() throws IOException {
        VmSpec spec = spec(Guest.ANSWERS);
        driver.start(spec, new Origin.Cold());
        VmUsage first = driver.usage(spec.name());
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(driver.usage(spec.name()).cpuNanos()).isGreaterThan(first.cpuNanos()));
        assertThat(driver.usage(spec.name()).memoryBytes()).isPositive();
    }

    @Test
    void aMachineThatPowersOffEndsOnce() throws IOException {
        List<String> ends = listen();
        VmSpec spec = spec(Guest.POWERS_OFF);
        driver.start(spec, new Origin.Cold());
        await().atMost(PATIENCE).until(() -> !ends.isEmpty());
        assertThat(driver.find(spec.name())).isEmpty();
        driver.destroy(spec.name());
        driver.close();
        assertThat(ends).containsExactly(spec.name() + " shutdown");
        driver = open(OWNER);
    }

    @Test
    void aMachineThatIsKilledEndsOnce() throws IOException {
        List<String> ends = listen();
        VmSpec spec = spec(Guest.SILENT);
        VmStatus machine = driver.start(spec, new Origin.Cold());
        kill(machine);
        await().atMost(PATIENCE).until(() -> !ends.isEmpty());
        assertThat(driver.find(spec.name())).isEmpty();
        driver.close();
        assertThat(ends).containsExactly(spec.name() + " killed");
        driver = open(OWNER);
    }

    @Test
    void aDestroyedMachineHasNotEndedByItself() throws IOException {
        List<String> ends = listen();
        VmSpec destroyed = spec(Guest.SILENT);
        driver.start(destroyed, new Origin.Cold());
        driver.destroy(destroyed.name());
        VmSpec killed = spec(Guest.SILENT);
        kill(driver.start(killed, new Origin.Cold()));
        await().atMost(PATIENCE).until(() -> !ends.isEmpty());
        assertThat(ends).containsExactly(killed.name() + " killed");
    }

    @Test
    void aRequestToAMachineThatEndsMeanwhileEndsToo() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        VmStatus machine = driver.start(spec, new Origin.Cold());
        Thread killer = new Thread(() -> kill(machine));
        killer.start();
        assertThatThrownBy(() -> driver.agent(spec.name(), PING, PATIENCE)).satisfies(code(ErrorCode.GUEST_DIED));
    }

    protected static java.util.function.Consumer<Throwable> code(ErrorCode expected) {
        return failure -> {
            assertThat(failure).isInstanceOf(VseException.class);
            assertThat(((VseException) failure).code()).as(failure.getMessage()).isEqualTo(expected);
        };
    }

    protected VmSpec spec(Guest guest) throws IOException {
        return spec(freshName(), new VmLabel(OWNER, "job-1", 1, 0), guest);
    }

    /** A file as a spec wants it: present and empty. */
    protected static Path emptyFile(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Files.deleteIfExists(file);
        return Files.createFile(file);
    }

    private static VmName freshName() {
        return new VmName("vse-c" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet());
    }

    private List<String> listen() {
        List<String> ends = new CopyOnWriteArrayList<>();
        driver.onEnd((name, why) -> ends.add(name + " " + why));
        return ends;
    }

    private void refusedUnlessDeclared(VmSpec spec, Origin origin, Capability capability) {
        if (!driver.capabilities().contains(capability)) {
            assertThatThrownBy(() -> driver.start(spec, origin))
                    .satisfies(code(ErrorCode.NOT_SUPPORTED))
                    .hasMessageContaining("this driver does not declare " + capability);
        }
    }
}

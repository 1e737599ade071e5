package org.vse.provisioner.fake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.GuestReply;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmDriverContract;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;

/** The contract, and the faults that only the fake can have. */
class FakeDriverTest extends VmDriverContract {
    private static final Origin COLD = new Origin.Cold();

    @TempDir
    Path directory;

    private final Map<VmName, Guest> guests = new ConcurrentHashMap<>();
    private final ScriptedGuest script = new ScriptedGuest();
    private FakeDriver latest = new FakeDriver("nobody", Path.of("/nonexistent"), script);

    @Override
    protected VmDriver open(String owner) throws IOException {
        FakeDriver driver = new FakeDriver(owner, Files.createDirectories(directory.resolve("machines")), script);
        if (owner.equals(OWNER)) {
            latest = driver;
        }
        return driver;
    }

    @Override
    protected VmSpec spec(VmName name, VmLabel label, Guest guest) throws IOException {
        guests.put(name, guest);
        Path own = directory.resolve(name.value());
        return new VmSpec(
                name,
                UUID.randomUUID(),
                label,
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
                List.of(new VmSpec.Channel("vse.stdout", emptyFile(own.resolve("stdout")))),
                List.of(),
                emptyFile(own.resolve("console")),
                null);
    }

    @Override
    protected VmSpec goesOn(VmSpec saved, VmSpec later) {
        return later;
    }

    @Override
    protected void kill(VmStatus machine) {
        latest.end(machine.name(), "killed");
    }

    @Test
    void aFaultStrikesTheCallItWasMeantFor() throws IOException {
        VseException failure = VseException.of(ErrorCode.LIBVIRT_FAILED, "no more memory");
        latest.inject(FakeDriver.Call.START, 1, new Fault.Fail(failure));
        latest.start(spec(Guest.SILENT), COLD);
        assertThatThrownBy(() -> latest.start(spec(Guest.SILENT), COLD)).isSameAs(failure);
        latest.start(spec(Guest.SILENT), COLD);
        assertThat(latest.list()).hasSize(2);
        assertThat(latest.started()).hasSize(2);
        assertThat(latest.count(FakeDriver.Call.START)).isEqualTo(3);
    }

    @Test
    void aCallThatHangsGoesOnWhenReleased() throws Exception {
        VmSpec spec = spec(Guest.SILENT);
        latest.inject(FakeDriver.Call.START, new Fault.Hang());
        CompletableFuture<VmStatus> start = CompletableFuture.supplyAsync(() -> latest.start(spec, COLD));
        await().until(() -> latest.count(FakeDriver.Call.START) == 1);
        assertThat(latest.find(spec.name())).isEmpty();
        assertThat(start).isNotDone();
        latest.release();
        assertThat(start.get().name()).isEqualTo(spec.name());
    }

    @Test
    void anAgentThatHangsIsGivenUpInTime() throws IOException {
        VmSpec spec = spec(Guest.ANSWERS);
        latest.start(spec, COLD);
        latest.inject(FakeDriver.Call.AGENT, new Fault.Hang());
        assertThatThrownBy(() -> latest.agent(spec.name(), "{}", Duration.ofMillis(50)))
                .satisfies(code(ErrorCode.GUEST_UNRESPONSIVE));
        assertThat(latest.agent(spec.name(), "{}", Duration.ofMillis(50))).contains("return");
    }

    @Test
    void dyingBeforeAStartLeavesNothingAndAfterItAMachine() throws IOException {
        try (FakeDriver first = (FakeDriver) open(OWNER)) {
            first.inject(FakeDriver.Call.START, new Fault.Die(Fault.When.BEFORE));
            assertThatThrownBy(() -> first.start(spec(Guest.SILENT), COLD)).isInstanceOf(Fault.Crash.class);
            assertThatThrownBy(first::list).isInstanceOf(Fault.Crash.class);
        }
        try (FakeDriver second = (FakeDriver) open(OWNER)) {
            assertThat(second.list()).isEmpty();
            second.inject(FakeDriver.Call.START, new Fault.Die(Fault.When.AFTER));
            assertThatThrownBy(() -> second.start(spec(Guest.SILENT), COLD)).isInstanceOf(Fault.Crash.class);
        }
        try (FakeDriver third = (FakeDriver) open(OWNER)) {
            assertThat(third.list()).hasSize(1);
        }
    }

    @Test
    void aGuestWritesToItsChannelsAndItsConsole() throws IOException {
        VmSpec spec = spec(Guest.SILENT);
        latest.start(spec, COLD);
        await().untilAsserted(() -> assertThat(spec.console()).hasContent("booted\n"));
        assertThat(spec.channels().get(0).file()).hasContent("hello\n");
    }

    @Test
    void aReplyBeyondTheBoundIsTheGuestsFault() throws IOException {
        VmSpec spec = spec(Guest.ANSWERS);
        latest.start(spec, COLD);
        assertThatThrownBy(() -> latest.agent(spec.name(), "flood", Duration.ofSeconds(5)))
                .satisfies(code(ErrorCode.GUEST_PROTOCOL));
    }

    private final class ScriptedGuest implements FakeGuest {
        @Override
        public Optional<String> answer(FakeMachine machine, String request) {
            if (request.equals("flood")) {
                return Optional.of("x".repeat(GuestReply.MAX_BYTES + 1));
            }
            return guests.get(machine.name()) == Guest.ANSWERS ? Optional.of("{\"return\":{}}") : Optional.empty();
        }

        @Override
        public void booted(FakeMachine machine) {
            machine.write("vse.stdout", "hello\n");
            machine.print("booted\n");
            if (guests.get(machine.name()) == Guest.POWERS_OFF) {
                machine.end("shutdown");
            }
        }
    }
}

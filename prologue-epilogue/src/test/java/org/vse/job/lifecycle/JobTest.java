package org.vse.job.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.VmDriver;

class JobTest {
    @TempDir
    Path dir;

    private static Outcome outcome(int exitCode) {
        return new Outcome(exitCode, Instant.EPOCH, Instant.EPOCH, 1, 2, false);
    }

    @Test
    void theFirstOutcomeStaysAndIsSaidOnce() throws Exception {
        Job job = JobFixture.admitted(dir, "1");
        assertThat(job.outcome()).isEmpty();
        assertThat(job.end(outcome(3)).exitCode()).isEqualTo(3);
        assertThat(job.end(outcome(4)).exitCode()).isEqualTo(3);
        job.close();
        Job later = JobFixture.reopened(dir, "1");
        assertThat(later.outcome()).contains(outcome(3));
        assertThat(later.end(outcome(5)).exitCode()).isEqualTo(3);
        assertThat(later.feed().from(0, 0)).hasSize(1).first().asString().contains("\"exitCode\":3");
    }

    @Test
    void anOutcomeThatACrashKeptFromBeingSaidIsSaidLater() throws Exception {
        Job job = JobFixture.admitted(dir, "1");
        job.end(outcome(3));
        job.close();
        Files.delete(job.files().events());
        Job later = JobFixture.reopened(dir, "1");
        later.sayOutcome();
        later.sayOutcome();
        assertThat(later.feed().from(0, 0)).hasSize(1);
    }

    @Test
    void theFirstFailureStaysAcrossProcesses() throws Exception {
        Job job = JobFixture.admitted(dir, "1");
        job.fail(VseException.of(ErrorCode.GUEST_DIED, "it died")
                .at("a:1")
                .fact("console", "panic")
                .next("look"));
        job.fail(VseException.of(ErrorCode.INTERNAL, "later"));
        job.close();
        VseException found = JobFixture.reopened(dir, "1").failure().orElseThrow();
        assertThat(found.render()).isEqualTo(job.failure().orElseThrow().render());
        assertThat(found.code()).isEqualTo(ErrorCode.GUEST_DIED);
    }

    @Test
    void aJobWithoutARecordIsNone() throws IOException {
        Files.createDirectories(JobFixture.files(dir, "1").directory());
        assertThat(Job.open(JobFixture.files(dir, "1"), JobFixture.json(), Clock.systemUTC()))
                .isEmpty();
    }

    @Test
    void theRecordSurvivesTheDisk() throws IOException {
        Job job = JobFixture.admitted(dir, "1");
        assertThat(JobFixture.reopened(dir, "1").record()).isEqualTo(job.record());
        assertThat(PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(job.files().record())))
                .isEqualTo("rw-------");
    }

    @Test
    void anInterruptDoesNotKeepAFileFromBeingWritten() throws IOException {
        Path file = dir.resolve("x.json");
        Thread.currentThread().interrupt();
        DurableFile.write(file, JobFixture.json(), outcome(1));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(DurableFile.read(file, JobFixture.json(), Outcome.class)).isEqualTo(outcome(1));
        assertThat(Files.exists(dir.resolve("x.json.part"))).isFalse();
    }

    @Test
    void aFileThatCannotBeReadIsNamed() throws IOException {
        Path file = Files.writeString(dir.resolve("x.json"), "{\"exitCode\":");
        VseException failure = catchThrowableOfType(
                VseException.class, () -> DurableFile.read(file, JobFixture.json(), Outcome.class));
        assertThat(failure.code()).isEqualTo(ErrorCode.STORAGE_FAILED);
        assertThat(failure.where()).isEqualTo(file.toString());
    }

    @Test
    void anEndedMachineStopsTheJobWithItsConsole() throws IOException {
        Job job = JobFixture.admitted(dir, "1");
        job.requireMachinesAlive();
        Files.writeString(job.files().console(0), "boot\nKernel panic - not syncing\u001b[2J\n" + "trace\n".repeat(30));
        job.machineEnded(job.record().vmName(0), "crashed");
        VseException failure = catchThrowableOfType(VseException.class, job::requireMachinesAlive);
        assertThat(failure.code()).isEqualTo(ErrorCode.GUEST_DIED);
        assertThat(failure.render())
                .contains("Kernel panic")
                .contains("crashed")
                .doesNotContain("\u001b");
    }

    @Test
    void aMachineWithoutRoomOnTheHostIsNoDeadGuest() throws IOException {
        try (Job job = JobFixture.admitted(dir, "room")) {
            job.machineEnded(job.record().vmName(0), VmDriver.NO_ROOM);
            VseException failure = catchThrowableOfType(VseException.class, job::requireMachinesAlive);
            assertThat(failure.code()).isEqualTo(ErrorCode.DISK_FULL);
            assertThat(failure.where()).isEqualTo(job.files().disk(0).toString());
            assertThat(failure.next()).contains("df ");
        }
    }

    @Test
    void aMachineThatExceededItsMemoryIsNamedSo() throws IOException {
        try (Job job = JobFixture.admitted(dir, "memory")) {
            job.machineExceeded(job.record().vmName(0), 300L << 20);
            assertThat(job.anyMachineEnded()).isTrue();
            assertThatThrownBy(job::requireMachinesAlive)
                    .isInstanceOf(VseException.class)
                    .hasMessageContaining("MACHINE_MEMORY")
                    .hasMessageContaining("vm0 exceeded its memory");
        }
    }
}

package org.vse.job.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFixture;
import org.vse.provisioner.guest.ControlRecords;

/** A guest writes as much as it likes to the files of its ports and its console. */
class HostBytesTest {
    private static final Node.Limits LIMITS = new Node.Limits(1, 1, 1000, 500);

    @TempDir
    Path dir;

    private Job job;

    @BeforeEach
    void admit() throws IOException {
        job = JobFixture.admitted(dir, "a");
    }

    @AfterEach
    void close() {
        job.close();
    }

    private Path file(String which) {
        return switch (which) {
            case "stdout" -> job.files().stdout();
            case "stderr" -> job.files().stderr();
            case "control" -> job.files().control();
            default -> job.files().console(0);
        };
    }

    @ParameterizedTest
    @CsvSource({
        "stdout, 1000, OUTPUT_LIMIT, standard output",
        "stderr, 1000, OUTPUT_LIMIT, standard error",
        "console, 500, OUTPUT_LIMIT, the console",
        "control, " + ControlRecords.MAX_BYTES + ", GUEST_PROTOCOL, the control port"
    })
    void oneByteOverTheCapEndsTheJobAndTheRestIsCut(String which, int cap, ErrorCode code, String what)
            throws IOException {
        Files.write(file(which), new byte[cap]);
        assertThatCode(() -> HostBytes.require("here", LIMITS, job)).doesNotThrowAnyException();
        Files.write(file(which), new byte[cap + 1]);
        VseException failure = catchThrowableOfType(VseException.class, () -> HostBytes.require("here", LIMITS, job));
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.render()).contains(what, cap + " bytes", file(which).toString());
        Files.write(file(which), new byte[10 * cap]);
        HostBytes.cut(LIMITS, job, job.record().machines().get(0));
        assertThat(file(which)).hasSize(cap + 1);
        HostBytes.cut(LIMITS, job, job.record().machines().get(0));
        assertThat(file(which)).hasSize(cap + 1);
    }

    @Test
    void filesThatAreNotThereYetAreNotTooLarge() {
        assertThatCode(() -> {
                    HostBytes.require("here", LIMITS, job);
                    HostBytes.cut(LIMITS, job, job.record().machines().get(0));
                })
                .doesNotThrowAnyException();
    }

    @Test
    void aJobsMemoryCountsWhatServesIt() {
        Node.Limits limits = new Node.Limits(10, 7, 1, 1);
        assertThat(limits.memory(3, 100, false)).isEqualTo(330);
        assertThat(limits.memory(3, 100, true)).isEqualTo(337);
        assertThat(limits.memory(1L << 61, 1L << 40, true)).isEqualTo(Long.MAX_VALUE);
    }
}

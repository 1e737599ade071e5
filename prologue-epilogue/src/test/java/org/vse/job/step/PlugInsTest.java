package org.vse.job.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.PlugIn;

class PlugInsTest {
    private static final PlugIn LICENSE = PlugIn.one("license:2").in(Path.of("/etc/vse/plug-ins"));

    private final JobRecord record = JobFixture.record("17");

    @Test
    void aHostFileHasTheFormOfItsMpi() {
        int vcpus = record.machines().get(0).vcpus();
        assertThat(PlugIns.hostFile(record, "")).isEqualTo("vm0 slots=" + vcpus + "\n");
        assertThat(PlugIns.hostFile(record, "mpich")).isEqualTo("vm0:" + vcpus + "\n");
        assertThat(PlugIns.hostFile(record, "plain")).isEqualTo("vm0\n".repeat(vcpus));
        assertThat(catchThrowableOfType(VseException.class, () -> PlugIns.hostFile(record, "pvm"))
                        .facts())
                .containsEntry("allowed", "openmpi, mpich, plain");
    }

    @Test
    void aProgramIsToldAboutTheJobAndItsMachines() throws Exception {
        assertThat(LICENSE.program()).isEqualTo("/etc/vse/plug-ins/license");
        JsonNode told = new ObjectMapper().readTree(PlugIns.told(record, LICENSE));
        assertThat(told.path("plugIn").asText()).isEqualTo("license");
        assertThat(told.path("argument").asText()).isEqualTo("2");
        assertThat(told.path("job").asText()).isEqualTo(record.id());
        assertThat(told.path("machines").path(0).path("role").asText()).isEqualTo("head");
    }

    @Test
    void whatItAnswersBecomesEnvironment() {
        assertThat(PlugIns.read(LICENSE, " \n")).isEmpty();
        assertThat(PlugIns.read(LICENSE, "{\"environment\": {\"TOKEN\": \"a b\", \"N\": \"2\"}}"))
                .isEqualTo(Map.of("TOKEN", "a b", "N", "2"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ok",
                "[]",
                "{}",
                "{\"environment\": []}",
                "{\"environment\": {\"A B\": \"x\"}}",
                "{\"environment\": {\"A\": \"x\\u0000\"}}",
                "{\"environment\": {}, \"exec\": \"rm\"}"
            })
    void anythingElseFailsTheJob(String said) {
        VseException refused = catchThrowableOfType(VseException.class, () -> PlugIns.read(LICENSE, said));
        assertThat(refused.code()).isEqualTo(ErrorCode.PLUG_IN_FAILED);
        assertThat(refused.what()).isEqualTo("plug-in 'license' failed");
    }
}

package org.vse.job.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.Additions;
import org.vse.policy.HostMount;
import org.vse.policy.Network;
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

    @Test
    void aHeadServesNothingThatItHasFromItsNode() {
        JobRecord shared = record(
                Network.JOB,
                List.of(new JobRecord.SharedPath("/home/carol", "/home/carol")),
                List.of(new HostMount("/data/in", false)));
        for (String directory : List.of("/home/carol/x", "/home/carol", "/home", "/data/in/2026", "/data")) {
            VseException refused =
                    catchThrowableOfType(VseException.class, () -> NfsServer.requireApart(shared, directory));
            assertThat(refused.code()).as(directory).isEqualTo(ErrorCode.PLUG_IN_FAILED);
            assertThat(refused.facts().get("reason")).endsWith("comes from the node, and every machine has it already");
        }
        NfsServer.requireApart(shared, "/home2");
        NfsServer.requireApart(shared, "/data/input");
        assertThat(catchThrowableOfType(
                                VseException.class,
                                () -> NfsServer.requireApart(record(Network.USER, List.of(), List.of()), "/x"))
                        .facts())
                .containsEntry("reason", "network=user joins no machines");
        NfsServer.requireApart(record, "/x");
    }

    private static JobRecord record(Network network, List<JobRecord.SharedPath> shared, List<HostMount> mounts) {
        JobRecord one = JobFixture.record("17");
        Additions none = Additions.NONE;
        return new JobRecord(
                one.scheduler(),
                one.id(),
                one.attempt(),
                one.tag(),
                one.user(),
                one.script(),
                one.scriptSha256(),
                one.arguments(),
                one.cwd(),
                one.terminal(),
                one.image(),
                one.digest(),
                one.share(),
                network,
                shared,
                List.of(
                        new JobRecord.Machine(0, "vm0", "here", List.of(0), 1, 1L << 28, null),
                        new JobRecord.Machine(1, "vm1", "here", List.of(1), 1, 1L << 28, null)),
                one.sharesCores(),
                one.qemuUid(),
                one.qemuGid(),
                one.charged(),
                one.walltimeSeconds(),
                one.submitted(),
                new Additions(
                        none.services(),
                        none.headServices(),
                        mounts,
                        none.boot(),
                        none.bootSeconds(),
                        none.plugIns(),
                        none.devices(),
                        none.root(),
                        none.difference()),
                one.going(),
                one.resume());
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

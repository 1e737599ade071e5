package org.vse.policy.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.Examples;
import org.vse.policy.JobScript;
import org.vse.policy.layer.Applicant;
import org.vse.policy.layer.GateFile;
import org.vse.policy.layer.Judgement;
import org.vse.policy.layer.Layer;
import org.vse.policy.layer.Policy;

/**
 * The cases of {@code gate/cases.tsv}, which every interpreter of a compiled policy has to judge alike. What they get is what the
 * node says: for refusals of the policy to the letter, for mistakes in {@code #VSE} lines by code and line.
 */
class GateCorpusTest {
    private static final Policy POLICY =
            Policy.site("/etc/vse/policy.yaml", Examples.read("examples/policy/policy.yaml"));
    private static final String COMPILED = resource("/gate/policy.gate");

    /** One line of the file: name, queue, user, groups, nodes or {@code -}, script, refusal or {@code -}. */
    record Case(String name, GateJob job, Optional<String> refusal) {
        static Case of(String line) {
            List<String> fields =
                    Arrays.stream(line.split("\t", -1)).map(Case::unescaped).toList();
            GateJob job = new GateJob(
                    "job.sh",
                    fields.get(5),
                    fields.get(1),
                    fields.get(2),
                    List.of(fields.get(3).split(",")),
                    fields.get(4).equals("-") ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(fields.get(4))));
            return new Case(
                    fields.get(0), job, fields.get(6).equals("-") ? Optional.empty() : Optional.of(fields.get(6)));
        }

        private static String unescaped(String field) {
            return field.replace("\\\\", "\ue000")
                    .replace("\\t", "\t")
                    .replace("\\n", "\n")
                    .replace("\ue000", "\\");
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static String resource(String name) {
        try (InputStream in = GateCorpusTest.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new AssertionError("no resource " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static Stream<Case> cases() {
        return resource("/gate/cases.tsv")
                .lines()
                .filter(l -> !l.startsWith("#"))
                .map(Case::of);
    }

    @Test
    void theCompiledPolicyOfTheCorpusIsThatOfTheExample() {
        assertThat(GateFile.of(POLICY)).isEqualTo(COMPILED);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theGateSaysWhatTheCorpusSays(Case wanted) {
        assertThat(Gate.read(COMPILED).refusal(wanted.job())).isEqualTo(wanted.refusal());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theNodeRefusesWhatTheGateRefusesInTheSameWords(Case wanted) {
        List<String> refusals = new ArrayList<>();
        try {
            refusals.addAll(real(wanted.job()));
        } catch (VseException mistake) {
            assertThat(wanted.refusal()).isPresent();
            String said = wanted.refusal().orElseThrow();
            assertThat(said).contains("[" + mistake.code() + "]");
            String line = String.valueOf(mistake.where()).replaceFirst("(job\\.sh:[0-9]+).*", "$1");
            assertThat(said).startsWith("vse: " + line + ":");
            return;
        }
        boolean judgedAsAWhole =
                !wanted.job().text().contains("vse=") && wanted.job().nodes().isPresent();
        if (judgedAsAWhole) {
            assertThat(refusals.stream().findFirst()).isEqualTo(wanted.refusal());
        } else {
            wanted.refusal().ifPresent(refusal -> assertThat(refusals).contains(refusal));
        }
    }

    private static List<String> real(GateJob job) {
        JobScript script = JobScript.parse(job.file(), job.text());
        Map<String, String> files = new TreeMap<>();
        files.put("/home/mpi.yaml", Examples.read("examples/vse/mpi.yaml"));
        List<Layer> layers = POLICY.descriptions(
                job.queue(),
                script,
                java.nio.file.Path.of("/home"),
                file -> String.valueOf(files.get(file.toString())));
        Judgement judgement = POLICY.judge(
                job.queue(),
                script,
                layers,
                new Applicant(job.user(), job.groups(), job.nodes().orElse(1), OptionalInt.empty()));
        if (!judgement.isAsked()) {
            return List.of();
        }
        if (judgement.refusals().isEmpty()) {
            assertThat(judgement.description().memoryBytes()).isPositive();
        }
        return judgement.refusals().stream().map(VseException::render).toList();
    }

    @Test
    void aFileThatIsNotWholeOrOfAnotherVersionIsRefused() {
        for (String broken : List.of(
                "",
                COMPILED.substring(0, COMPILED.length() / 2),
                COMPILED.replaceFirst("vse-gate\t1", "vse-gate\t2"))) {
            assertThatThrownBy(() -> Gate.read(broken))
                    .isInstanceOfSatisfying(
                            VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.POLICY_INVALID));
        }
    }

    @Test
    void everyKindOfRefusalIsInTheCorpus() {
        String all = resource("/gate/cases.tsv");
        for (ErrorCode code : ErrorCode.values()) {
            if (code.name().startsWith("POLICY_") && code != ErrorCode.POLICY_INVALID) {
                assertThat(all).contains("[" + code + "]");
            }
        }
    }
}

package org.vse.policy.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.ByteSize;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Examples;
import org.vse.policy.JobDescription;
import org.vse.policy.JobScript;

class DescriptionFilesTest {
    private static final Path HOME = Path.of("/home/alice");

    private static List<Layer> layers(String script, Map<String, String> files) {
        return DescriptionFiles.layers(JobScript.parse("job.sh", script), HOME, file -> {
            String text = files.get(file.toString());
            if (text == null) {
                throw VseException.of(ErrorCode.DESCRIPTION_INVALID, "there is no file '" + file + "'");
            }
            return text;
        });
    }

    private static VseException refused(Map<String, String> files) {
        return catchThrowableOfType(VseException.class, () -> layers("#VSE vse=a.yaml\n", files));
    }

    private static JobDescription described(String policy, String script, int nodes) {
        Map<String, String> files = Map.of(
                "/home/alice/mpi.yaml", Examples.read("examples/vse/mpi.yaml"),
                "/home/alice/mpi-development.yaml", Examples.read("examples/vse/mpi-development.yaml"));
        return Policy.site("/etc/vse/policy.yaml", policy)
                .judge(
                        "batch",
                        JobScript.parse("job.sh", script),
                        layers(script, files),
                        new Applicant("alice", List.of("users"), nodes, OptionalInt.empty()))
                .description();
    }

    @Test
    void theExamplesSayWhatTheyPromise() {
        String policy = Examples.read("examples/policy/policy.yaml");
        JobDescription mpi = described(policy, "#VSE vse=mpi.yaml\n", 2);
        assertThat(mpi.image()).hasToString("debian-12-mpi");
        assertThat(mpi.memoryBytes()).isEqualTo(3 * ByteSize.GIB);
        String elsewhere = policy.replace("cluster: alpha", "cluster: beta");
        assertThat(described(elsewhere, "#VSE vse=mpi.yaml\n", 2).memoryBytes()).isEqualTo(4 * ByteSize.GIB);
        assertThat(described(elsewhere.replace("vms: 64", "vms: 100"), "#VSE vse=mpi.yaml\n", 65)
                        .memoryBytes())
                .isEqualTo(2 * ByteSize.GIB);
        JobDescription development = described(policy, "#VSE vse=mpi-development.yaml vcpus=1\n", 1);
        assertThat(development.vmsPerNode()).isEqualTo(2);
        assertThat(development.memoryBytes()).isEqualTo(512 * ByteSize.MIB);
        assertThat(described(elsewhere, "#VSE vse=mpi-development.yaml\n", 1).memoryBytes())
                .isEqualTo(ByteSize.GIB);
        assertThat(described(policy, "#VSE vse=mpi.yaml memory=2GiB\n", 1).memoryBytes())
                .isEqualTo(2 * ByteSize.GIB);
    }

    @Test
    void mistakesAreNamedInTheFileThatHasThem() {
        assertThat(refused(Map.of()).where()).isEqualTo("job.sh:1:10");
        assertThat(refused(Map.of("/home/alice/a.yaml", "memry: 1GiB")).render())
                .startsWith("vse: /home/alice/a.yaml:1:1: unknown key 'memry' in the description [DESCRIPTION_INVALID]")
                .endsWith("did you mean 'memory'?");
        assertThat(refused(Map.of("/home/alice/a.yaml", "boots: {}")).what())
                .isEqualTo("unknown key 'boots' in the description");
        assertThat(refused(Map.of("/home/alice/a.yaml", "limits: {}")).what())
                .isEqualTo("unknown key 'limits' in the description");
        assertThat(refused(Map.of("/home/alice/a.yaml", "extends: d/b.yaml")).where())
                .isEqualTo("/home/alice/a.yaml:1:10");
        assertThat(refused(Map.of("/home/alice/a.yaml", "x".repeat(1 << 17))).what())
                .isEqualTo("the file is too large");
    }

    @Test
    void aListOfAnEarlierLayerIsAddedToAndTakenFrom() {
        Policy policy = Policy.site("/etc/vse/policy.yaml", """
                queues:
                  batch:
                    images: { allow: ["*"] }
                    packages: { allow: ["*"] }
                    run: { allow: ["*"] }
                    defaults: { image: a, packages: [hello, nano] }
                    limits: { build-timeout: 60 }
                  fixed: { extends: batch, reserved: [packages] }
                """);
        String file = """
                packages: { add: [tree, hello], remove: [nano] }
                run: ["echo one, two", "ldconfig"]
                resources: { vcpus: 2, memory: 1GiB }
                variants: [{ when: vms > 1, packages: { add: [-nano] } }]
                """;
        JobScript script = JobScript.parse("/home/alice/job.sh", "#VSE vse=a.yaml\n");
        List<Layer> layers = DescriptionFiles.layers(script, Path.of("/home/alice"), asked -> file);
        JobDescription one = policy.judge(
                        "batch", script, layers, new Applicant("alice", List.of(), 1, OptionalInt.empty()))
                .description();
        JobDescription two = policy.judge(
                        "batch", script, layers, new Applicant("alice", List.of(), 2, OptionalInt.empty()))
                .description();
        assertThat(one.additions().changes().packages()).containsExactly("hello", "tree");
        assertThat(two.additions().changes().packages()).containsExactly("hello", "tree", "-nano");
        assertThat(one.additions().changes().run()).containsExactly("echo one, two", "ldconfig");
        assertThat(one.additions().changes().seconds()).isEqualTo(60);
        assertThat(one.vcpus()).hasValue(2);
        assertThat(one.memoryBytes()).isEqualTo(ByteSize.GIB);
        Judgement fixed =
                policy.judge("fixed", script, layers, new Applicant("alice", List.of(), 1, OptionalInt.empty()));
        assertThat(fixed.refusals().get(0).what())
                .isEqualTo("'packages' is reserved in queue 'fixed' and cannot become 'hello,tree'");
        assertThat(fixed.settings().get(DirectiveKey.PACKAGES).orElseThrow().text())
                .isEqualTo("hello,nano");
    }

    @Test
    void filesThatExtendEachOtherInACircleAreNamed() {
        VseException circle = refused(
                Map.of("/home/alice/a.yaml", "extends: d/b.yaml", "/home/alice/d/b.yaml", "extends: ../a.yaml"));
        assertThat(circle.what()).isEqualTo("descriptions extend each other in a circle");
        assertThat(circle.where()).isEqualTo("/home/alice/d/b.yaml:1:10");
        assertThat(circle.facts().get("circle"))
                .isEqualTo("/home/alice/a.yaml → /home/alice/d/b.yaml → /home/alice/a.yaml");
    }

    @Test
    void aFileMayReserveWhatTheScriptThenCannotChange() {
        List<Layer> layers = layers(
                "#VSE vse=a.yaml memory=2GiB\n",
                Map.of("/home/alice/a.yaml", "image: x\nmemory: 1GiB\nreserved: [memory]"));
        Judgement judgement = Policy.vendor()
                .judge(
                        "local",
                        JobScript.parse("job.sh", "#VSE vse=a.yaml memory=2GiB\n"),
                        layers,
                        new Applicant("alice", List.of(), 1, OptionalInt.empty()));
        assertThat(judgement.refusals()).singleElement().satisfies(refusal -> {
            assertThat(refusal.code()).isEqualTo(ErrorCode.POLICY_RESERVED);
            assertThat(refusal.where()).isEqualTo("job.sh:1:24");
            assertThat(refusal.facts().get("reserved by")).isEqualTo("description at /home/alice/a.yaml:3:12");
        });
    }
}

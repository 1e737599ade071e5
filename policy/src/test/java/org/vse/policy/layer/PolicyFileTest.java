package org.vse.policy.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Examples;
import org.vse.policy.JobScript;

class PolicyFileTest {
    private static final String Q = "queues:\n  q:\n    ";

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of("queue: {}", "1:1", "unknown key 'queue' in the policy", "did you mean 'queues'?"),
                Arguments.of(Q + "imges: {}", "3:5", "unknown key 'imges' in queue 'q'", "did you mean 'images'?"),
                Arguments.of(Q + "packages: []", "3:15", "'packages' must be a mapping of keys to values", null),
                Arguments.of(
                        Q + "defaults: { memry: 1GiB }",
                        "3:17",
                        "unknown key 'memry' in 'defaults'",
                        "did you mean 'memory'?"),
                Arguments.of(Q + "defaults: { memory: 2G }", "3:25", "'2G' is not a size", "did you mean '2GiB'?"),
                Arguments.of(Q + "defaults: { memory: [1GiB] }", "3:25", "'memory' takes a single value", null),
                Arguments.of(Q + "defaults: { vse: a.yaml }", "3:17", "unknown key 'vse' in 'defaults'", null),
                Arguments.of(Q + "limits: { memory: many }", "3:23", "'memory' must be a size such as 32GiB", null),
                Arguments.of(Q + "limits: { vcpus: 1GiB }", "3:22", "'vcpus' must be a whole number", null),
                Arguments.of(Q + "limits: { share: nfs }", "3:22", "'share' must be a list", null),
                Arguments.of(
                        Q + "limits: { share: [nsf] }",
                        "3:23",
                        "'nsf' is not one of the values",
                        "did you mean 'nfs'?"),
                Arguments.of(Q + "limits: { image: x }", "3:15", "unknown key 'image' in 'limits'", null),
                Arguments.of(Q + "images: { allow: debian }", "3:22", "'allow' must be a list", null),
                Arguments.of(
                        Q + "images: { allow: ['a b'] }",
                        "3:23",
                        "each of 'allow' must be a name or path of letters, digits and . _ - + @ : = / in which * and ? stand for"
                                + " others",
                        null),
                Arguments.of(Q + "users: [bob]", "3:12", "'users' must be a mapping of keys to values", null),
                Arguments.of(
                        Q + "reserved: [memry]",
                        "3:16",
                        "'memry' is not a key that can be reserved",
                        "did you mean 'memory'?"),
                Arguments.of(
                        Q + "reserved: [resources]", "3:16", "'resources' is not a key that can be reserved", null),
                Arguments.of(
                        Q + "defaults: { resources: { memory: 1GiB }, memory: 2GiB }",
                        "3:30",
                        "'memory' is given twice, once below 'resources'",
                        null),
                Arguments.of(
                        Q + "defaults: { packages: { add: [Hello] } }",
                        "3:34",
                        "'Hello' is not one of such a list",
                        null),
                Arguments.of(
                        Q + "defaults: { packages: { ad: [hello] } }",
                        "3:29",
                        "unknown key 'ad' in 'packages'",
                        "did you mean 'add'?"),
                Arguments.of(Q + "require: yes", "3:14", "'require' must be true or false", null),
                Arguments.of(Q + "variants: [{ memory: 1GiB }]", "3:16", "a variant has no 'when'", null),
                Arguments.of(Q + "variants: [{ when: vms, memory: 1GiB }]", "3:24", "'when' is not a condition", null),
                Arguments.of(
                        Q + "defaults: { memory: 1GiB }\n    enforce: { memory: 2GiB }",
                        "4:24",
                        "'memory' is in 'defaults' and in 'enforce'",
                        null),
                Arguments.of(Q + "enforce: { memory: ~ }", "3:16", "'memory' is enforced without a value", null),
                Arguments.of(Q + "extends: r", "3:14", "there is no queue 'r' to extend", null),
                Arguments.of(
                        "queues:\n  a: { extends: b }\n  b: { extends: a }",
                        "3:17",
                        "queues extend each other in a circle",
                        "remove one 'extends'"),
                Arguments.of("queues:\n  q: { extends: q }", "2:17", "queues extend each other in a circle", null),
                Arguments.of(
                        "all: { enforce: { share: none } }\nqueues:\n  q: { defaults: { share: nfs } }",
                        "3:27",
                        "'share' is reserved in queue 'q' and cannot become 'nfs'",
                        "remove the value, or the reservation"),
                Arguments.of(
                        "queues: { 'a/b': {} }",
                        "1:11",
                        "a queue's name must be a name of letters, digits and . _ - @, at most 64 characters",
                        null),
                Arguments.of("queues: []", "1:9", "'queues' must be a mapping of names to policies", null),
                Arguments.of("- a", "1:1", "the policy must be a mapping of keys to values", null),
                Arguments.of("a: 1\na: 2", "2:1", "'a' is given twice", null),
                Arguments.of("a: &x [1]\nb: *x", "1:4", "anchors and aliases are not allowed", null),
                Arguments.of("a: !!set {}", "1:4", "tags such as '!name' are not allowed", null),
                Arguments.of("--- {}\n--- {}", "2:5", "more than one document", null),
                Arguments.of("a: " + "[".repeat(40), "1:20", "nested deeper than 16", null),
                Arguments.of("x".repeat((1 << 20) + 1), "1:1", "the file is too large", null),
                Arguments.of("x".repeat(10 << 20), "1:1", "the file is too large", null));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void aMistakeIsNamedAtItsPlace(String text, String place, String what, String next) {
        VseException refused = catchThrowableOfType(VseException.class, () -> Policy.site("p.yaml", text));
        assertThat(refused).as(text.length() > 200 ? "long" : text).isNotNull();
        assertThat(refused.what()).isEqualTo(what);
        assertThat(refused.where()).isEqualTo("p.yaml:" + place);
        assertThat(refused.code()).isEqualTo(ErrorCode.POLICY_INVALID);
        if (next != null) {
            assertThat(refused.next()).isEqualTo(next);
        }
    }

    @Test
    void whatIsNotYamlSaysWhere() {
        VseException refused =
                catchThrowableOfType(VseException.class, () -> Policy.site("p.yaml", "queues:\n  q: [1, 2\n"));
        assertThat(refused.what()).startsWith("not YAML: ");
        assertThat(refused.where()).startsWith("p.yaml:2:");
    }

    @Test
    void anAliasBombIsRefusedAtItsFirstAnchor() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
        for (int i = 1; i < 60; i++) {
            bomb.append("a")
                    .append(i)
                    .append(": &a")
                    .append(i)
                    .append(" [*a")
                    .append(i - 1)
                    .append(", *a")
                    .append(i - 1)
                    .append("]\n");
        }
        VseException refused = catchThrowableOfType(VseException.class, () -> Policy.site("p.yaml", bomb.toString()));
        assertThat(refused.where()).isEqualTo("p.yaml:1:5");
    }

    @Test
    void allMistakesAreToldAtOnce() {
        VseException refused = catchThrowableOfType(
                VseException.class,
                () -> Policy.site("p.yaml", Q + "defaults: { memory: 2G, vcpus: 0 }\n    limits: { vcpu: 3 }"));
        assertThat(refused.facts().get("more"))
                .contains("p.yaml:3:36: '0' is out of range")
                .contains("p.yaml:4:15: unknown key 'vcpu'");
    }

    @Test
    void aQueueWithoutAPolicyRunsNothingAndASiteTakesThePlaceOfTheVendorsQueues() {
        JobScript script = JobScript.parse("job.sh", "#VSE image=any\n");
        Applicant job = new Applicant("alice", List.of(), 1, OptionalInt.empty());
        assertThat(Policy.vendor().judge("local", script, List.of(), job).refusals())
                .isEmpty();
        assertThat(Policy.vendor().judge("batch", script, List.of(), job).refusals())
                .extracting(VseException::code)
                .containsExactly(ErrorCode.POLICY_QUEUE_DENIED);
        for (String text : List.of("", "queues: {}", "queues: { batch: {} }")) {
            assertThat(Policy.site("p.yaml", text)
                            .judge("local", script, List.of(), job)
                            .refusals())
                    .extracting(VseException::code)
                    .containsExactly(ErrorCode.POLICY_QUEUE_DENIED);
        }
    }

    @Test
    void aQueueThatAllowsNoImageRunsNone() {
        Applicant job = new Applicant("alice", List.of(), 1, OptionalInt.empty());
        assertThat(Policy.site("p.yaml", "queues: { q: }")
                        .judge("q", JobScript.parse("job.sh", "#VSE image=any\n"), List.of(), job)
                        .refusals())
                .extracting(VseException::code)
                .containsExactly(ErrorCode.POLICY_IMAGE_DENIED);
    }

    @Test
    void theLimitOfProcessorsHoldsForAJobThatTakesWhatItsNodeHas() {
        Policy policy = Policy.site("p.yaml", Q + "images: { allow: ['*'] }\n    limits: { vcpus: 4 }");
        JobScript script = JobScript.parse("job.sh", "#VSE image=any vms-per-node=2\n");
        assertThat(policy.judge("q", script, List.of(), new Applicant("a", List.of(), 1, OptionalInt.of(9)))
                        .refusals())
                .isEmpty();
        assertThat(policy.judge("q", script, List.of(), new Applicant("a", List.of(), 1, OptionalInt.of(10)))
                        .refusals())
                .singleElement()
                .satisfies(r -> assertThat(r.what()).isEqualTo("'vcpus=5' is more than queue 'q' allows"));
    }

    @Test
    void aDefaultThatIsNotAllowedIsRefusedLikeAValueThatIsSaid() {
        Policy policy = Policy.site("p.yaml", Q + "images: { allow: ['*'] }\n    limits: { share: [none] }");
        Applicant job = new Applicant("a", List.of(), 1, OptionalInt.empty());
        assertThat(policy.judge("q", JobScript.parse("job.sh", "#VSE image=any\n"), List.of(), job)
                        .refusals())
                .singleElement()
                .satisfies(r -> assertThat(r.what()).isEqualTo("'share=nfs' is not allowed in queue 'q'"));
        assertThat(policy.judge("q", JobScript.parse("job.sh", "#VSE image=any network=user\n"), List.of(), job)
                        .refusals())
                .singleElement()
                .satisfies(r -> assertThat(r.where() + " " + r.what())
                        .isEqualTo("job.sh:1:24 'share=9p' is not allowed in queue 'q'"));
    }

    @Test
    void theVendorsFileIsTheOneThatIsShown() {
        assertThat(Examples.read("examples/policy/vendor.yaml")).isEqualTo(Policy.vendorText());
    }

    @Test
    void variantsArePickedByWhatTheLayersSayWithoutThem() {
        Policy policy = Policy.site("/etc/vse/policy.yaml", Examples.read("examples/policy/policy.yaml"));
        JobScript script = JobScript.parse("job.sh", "#VSE image=debian-12\n");
        Judgement wide =
                policy.judge("wide", script, List.of(), new Applicant("a", List.of("hpc"), 65, OptionalInt.empty()));
        assertThat(wide.settings().get(DirectiveKey.SHARE)).hasValueSatisfying(s -> {
            assertThat(s.text()).isEqualTo("none");
            assertThat(s.position()).hasToString("/etc/vse/policy.yaml:37:34");
        });
        Judgement narrow =
                policy.judge("wide", script, List.of(), new Applicant("a", List.of("hpc"), 64, OptionalInt.empty()));
        assertThat(narrow.settings().get(DirectiveKey.SHARE)).isEmpty();
    }
}

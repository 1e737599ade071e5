package org.vse.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.failure.Kind;
import org.vse.failure.VseException;

/** What every dialect does, over jobs of real batch systems. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class DialectContract {
    private static final List<String> JUNK =
            List.of("", "-1", "../../etc/passwd", "1;reboot", "x\ny", "99999999999999999999", "\u202e", "n[1-");

    private static final List<VirtualNode> MACHINES = List.of(new VirtualNode("vm0", 2), new VirtualNode("vm1", 2));

    protected abstract BatchSystem system();

    /** Jobs of a real batch system. */
    protected abstract Stream<Recorded> recorded();

    /** Exit codes of a prologue after which the batch system gives the node no more jobs, or tries the job on all nodes. */
    protected abstract Set<Integer> harmfulToNode();

    private Dialect dialect() {
        return system().dialect();
    }

    @Test
    void isFoundByItsWord() {
        assertThat(BatchSystem.of(dialect().word())).contains(system());
    }

    @ParameterizedTest
    @MethodSource("recorded")
    void everyHookSpeaksOfTheSameAttempt(Recorded job) {
        for (HookPoint point : HookPoint.values()) {
            AttemptId attempt = dialect().attempt(job.call(point));
            assertThat(attempt.job()).isEqualTo(job.expected("job").asText());
            assertThat(attempt.attempt().orElse(job.expected("attempt").asInt()))
                    .isEqualTo(job.expected("attempt").asInt());
        }
    }

    @ParameterizedTest
    @MethodSource("recorded")
    void factsAreTheBatchSystems(Recorded job) {
        // What is not let through is not needed.
        HookCall call = job.call(HookPoint.PROLOGUE).reduced(dialect());
        JobFacts facts = dialect().facts(call, job.contents(dialect().sources(call)));
        assertThat(facts.job()).isEqualTo(job.expected("job").asText());
        assertThat(facts.attempt()).isEqualTo(job.expected("attempt").asInt());
        assertThat(facts.owner())
                .isEqualTo(new JobFacts.Owner(
                        job.expected("user").asText(), job.expected("uid").asInt()));
        assertThat(facts.queue()).isEqualTo(job.expected("queue").asText());
        assertThat(facts.account().orElse("null"))
                .isEqualTo(job.expected("account").asText());
        assertThat(facts.nodes().stream()
                        .map(share ->
                                share.node() + ":" + share.cores().toString().replace(" ", ""))
                        .toList())
                .isEqualTo(texts(job.expected("nodes")));
        assertThat(facts.nodes().stream().map(JobFacts.NodeShare::count).toList())
                .isEqualTo(numbers(job.expected("counts")));
        assertThat(facts.arrayIndex()).isEqualTo(number(job.expected("arrayIndex")));
        assertThat(facts.walltime().map(w -> (int) w.toSeconds()))
                .isEqualTo(
                        number(job.expected("walltimeSeconds")).stream().boxed().findFirst());
        assertThat(facts.memoryBytes().isPresent())
                .isEqualTo(!job.expected("memoryBytes").isNull());
        assertThat(facts.memoryBytes().orElse(0))
                .isEqualTo(job.expected("memoryBytes").asLong(0));
        assertThat(facts.workDirectory())
                .isEqualTo(job.expected("workDirectory").asText());
        assertThat(facts.script()).hasValueSatisfying(script -> {
            assertThat(script.text()).isEqualTo(job.expected("script").asText());
            assertThat(script.name()).isEqualTo(job.expected("scriptName").asText());
            assertThat(script.spooledSha256()).matches("[0-9a-f]{64}");
        });
    }

    @ParameterizedTest
    @MethodSource("recorded")
    void theStarterHasTheScriptsArguments(Recorded job) {
        Dialect.Launch launch = dialect().launch(job.call(HookPoint.STARTER));
        assertThat(launch.script()).hasValueSatisfying(path -> assertThat(path).startsWith("/"));
        assertThat(launch.arguments()).isEqualTo(texts(job.expected("arguments")));
    }

    @ParameterizedTest
    @MethodSource("recorded")
    void theScriptSeesMachinesInsteadOfNodes(Recorded job) {
        Map<String, String> before = job.call(HookPoint.STARTER).environment();
        Map<String, String> after = dialect().environment(before, MACHINES);
        assertThat(after.keySet()).isEqualTo(before.keySet());
        job.expected("seen")
                .properties()
                .forEach(seen -> assertThat(after)
                        .containsEntry(seen.getKey(), seen.getValue().asText()));
        assertThat(job.expected("seen")).isNotEmpty();
        assertThat(dialect().environment(after, MACHINES)).isEqualTo(after);
    }

    @Test
    void whatAUserSetsReachesNoCodeOfRoot() {
        for (String name : List.of(
                "PATH", "LD_PRELOAD", "BASH_ENV", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "HOME", "VSE_RUN_DIR", "IFS")) {
            assertThat(dialect().passes(name)).as(name).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("recorded")
    void nothingInACallIsMoreThanRefused(Recorded job) {
        for (HookPoint point : HookPoint.values()) {
            HookCall call = job.call(point);
            for (String name : call.environment().keySet()) {
                for (String junk : JUNK) {
                    Map<String, String> broken = new HashMap<>(call.environment());
                    broken.put(name, junk);
                    onlyRefuses(job, new HookCall(point, call.arguments(), broken, call.input()));
                }
            }
            for (int place = 0; place < call.arguments().size(); place++) {
                for (String junk : JUNK) {
                    List<String> broken = new ArrayList<>(call.arguments());
                    broken.set(place, junk);
                    onlyRefuses(job, new HookCall(point, broken, call.environment(), call.input()));
                }
            }
            for (String junk : JUNK) {
                onlyRefuses(job, new HookCall(point, call.arguments(), call.environment(), junk));
                for (String part : call.input().split("[=\\x00\n]")) {
                    String broken = part.isEmpty() ? junk : call.input().replace(part, junk);
                    onlyRefuses(job, new HookCall(point, call.arguments(), call.environment(), broken));
                }
            }
            onlyRefuses(job, new HookCall(point, List.of(), Map.of(), ""));
        }
    }

    private void onlyRefuses(Recorded job, HookCall call) {
        for (Runnable read : reads(job, call)) {
            try {
                read.run();
            } catch (VseException e) {
                assertThatCode(e::render).doesNotThrowAnyException();
            }
        }
    }

    private List<Runnable> reads(Recorded job, HookCall call) {
        List<Runnable> reads = new ArrayList<>();
        reads.add(() -> dialect().attempt(call));
        switch (call.point()) {
            case PROLOGUE -> {
                HookCall right = job.call(HookPoint.PROLOGUE);
                reads.add(() -> dialect().sources(call));
                reads.add(() -> dialect().facts(call, job.contents(dialect().sources(right))));
                reads.add(() -> dialect().facts(right, Map.of()));
            }
            case STARTER -> {
                reads.add(() -> dialect().launch(call));
                reads.add(() -> dialect().environment(call.environment(), MACHINES));
            }
            case EPILOGUE -> {
                // It names an attempt and nothing else.
            }
        }
        return reads;
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void noErrorOfAnEpilogueReachesTheBatchSystem(Kind kind) {
        assertThat(dialect().exitCode(HookPoint.EPILOGUE, kind)).isZero();
    }

    @Test
    void aUsersMistakeHarmsNoNode() {
        assertThat(harmfulToNode()).doesNotContain(dialect().exitCode(HookPoint.PROLOGUE, Kind.USER));
        assertThat(harmfulToNode()).isNotEmpty();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aScriptThatWasNotStartedHasFailed(Kind kind) {
        assertThat(dialect().exitCode(HookPoint.STARTER, kind)).isNotZero();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aJobThatWasSavedIsNotTakenForOneThatFailed(Kind kind) {
        assertThat(dialect().goesOnLater()).isNotZero().isNotEqualTo(dialect().exitCode(HookPoint.STARTER, kind));
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static List<Integer> numbers(JsonNode array) {
        List<Integer> numbers = new ArrayList<>();
        array.forEach(number -> numbers.add(number.asInt()));
        return numbers;
    }

    private static OptionalInt number(JsonNode number) {
        return number.isNull() ? OptionalInt.empty() : OptionalInt.of(number.asInt());
    }
}

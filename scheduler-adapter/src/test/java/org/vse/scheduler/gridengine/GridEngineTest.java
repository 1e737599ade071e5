package org.vse.scheduler.gridengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.Kind;
import org.vse.failure.VseException;
import org.vse.scheduler.BatchSystem;
import org.vse.scheduler.Dialect;
import org.vse.scheduler.DialectContract;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.HookPoint;
import org.vse.scheduler.JobFacts;
import org.vse.scheduler.Recorded;
import org.vse.scheduler.Source;

/** Over jobs of Grid Engine 8.1.9. */
class GridEngineTest extends DialectContract {
    private final Dialect gridEngine = BatchSystem.GRIDENGINE.dialect();
    private final Recorded single = Recorded.read("gridengine", "single");

    @Override
    protected BatchSystem system() {
        return BatchSystem.GRIDENGINE;
    }

    @Override
    protected Stream<Recorded> recorded() {
        return Stream.of("single", "bound", "array", "two-nodes", "requeued")
                .map(name -> Recorded.read("gridengine", name));
    }

    @Override
    protected Set<Integer> harmfulToNode() {
        return IntStream.rangeClosed(1, 255)
                .filter(code -> code != 99 && code != 100)
                .boxed()
                .collect(Collectors.toSet());
    }

    private JobFacts facts(Recorded job, String from, String to) {
        HookCall call = job.call(HookPoint.PROLOGUE);
        Map<Source, String> contents = new HashMap<>(job.contents(gridEngine.sources(call)));
        contents.replaceAll((source, text) -> text.replace(from, to));
        return gridEngine.facts(call, contents);
    }

    private VseException refusal(String from, String to) {
        return catchThrowableOfType(VseException.class, () -> facts(single, from, to));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "job_arg1=one\njob_owner=root",
                "job_arg1=one\nqueue=fast",
                "job_arg1=one\nscript_file=/etc/shadow",
                "job_arg1=one\nbinding=explicit:0,0"
            })
    void anArgumentThatPretendsToBeAnotherFieldIsRefused(String argument) {
        assertThat(refusal("job_arg1=one", argument).code()).isEqualTo(ErrorCode.NOT_PERMITTED);
    }

    @Test
    void aVariableThatPretendsToBeALimitIsRefused() {
        assertThat(refusal("FOO=a b", "FOO=a\nhard resource_list: h_vmem=64G").code())
                .isEqualTo(ErrorCode.NOT_PERMITTED);
    }

    @ParameterizedTest
    @CsvSource({
        "job_owner=ann, job_owner=ben",
        "job_id=1, job_id=2",
        "job_scripts/1, job_scripts/2",
        "cwd=/home/ann, cwd=home"
    })
    void whatTheHookWasToldMustBeWhatWasWrittenDown(String from, String to) {
        assertThat(refusal(from, to).code()).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void coresOfAUserAreNone() {
        assertThat(single.call(HookPoint.PROLOGUE).environment()).containsEntry("SGE_BINDING", "0 1");
        assertThat(facts(single, "n1 1 batch@n1", "n1 2 batch@n1").nodes())
                .containsExactly(new JobFacts.NodeShare("n1", 2, List.of()));
    }

    @Test
    void coresThatAreNotAsManyAsSlotsAreCountedOnly() {
        Recorded bound = Recorded.read("gridengine", "bound");
        assertThat(facts(bound, "n2 2 batch@n2", "n2 3 batch@n2").nodes())
                .containsExactly(new JobFacts.NodeShare("n2", 3, List.of()));
    }

    @Test
    void aHostOfSeveralQueuesIsOneNode() {
        Recorded two = Recorded.read("gridengine", "two-nodes");
        assertThat(facts(two, "n2 1 batch@n2", "n2 1 batch@n2 UNDEFINED\nn2 2 vms@n2").nodes().stream()
                        .map(JobFacts.NodeShare::count))
                .containsExactly(1, 3);
    }

    @Test
    void memoryIsForEachSlotAndTheLeastCounts() {
        assertThat(facts(single, "n1 1 batch@n1", "n1 3 batch@n1").memoryBytes())
                .isEqualTo(OptionalLong.of(3L << 30));
        assertThat(facts(single, "h_rt=300,h_vmem=1G", "h_rt=300,mem_free=512M").memoryBytes())
                .isEqualTo(OptionalLong.of(512L << 20));
        assertThat(facts(single, "h_vmem=1G", "h_vmem=2k").memoryBytes()).isEqualTo(OptionalLong.of(2000));
        assertThat(facts(single, "h_vmem=1G", "h_vmem=INFINITY").memoryBytes()).isEmpty();
    }

    @Test
    void aCommandHasNoScript() {
        HookCall call = single.call(HookPoint.PROLOGUE);
        Map<String, String> environment = new HashMap<>(call.environment());
        Map<Source, String> contents = single.contents(gridEngine.sources(call));
        for (String script : List.of("/bin/echo", "QLOGIN", "QRSH", "/dev/null")) {
            environment.put("JOB_SCRIPT", script);
            HookCall command = new HookCall(call.point(), call.arguments(), environment, "");
            assertThat(gridEngine.facts(command, contents).script()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void noPrologTakesTheQueueFromAHost(Kind kind) {
        assertThat(gridEngine.exitCode(HookPoint.PROLOGUE, kind)).isIn(99, 100);
    }
}

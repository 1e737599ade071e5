package org.vse.scheduler.torque;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
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

/** Over jobs of TORQUE, its master branch. */
class TorqueTest extends DialectContract {
    private static final int NAME = 3;
    private static final int RESOURCES = 4;
    private static final int ACCOUNT = 6;
    private static final int SCRIPT = 7;

    private final Dialect torque = BatchSystem.TORQUE.dialect();
    private final Recorded single = Recorded.read("torque", "single");

    @Override
    protected BatchSystem system() {
        return BatchSystem.TORQUE;
    }

    @Override
    protected Stream<Recorded> recorded() {
        return Stream.of("single", "two-nodes", "third-run", "starter").map(name -> Recorded.read("torque", name));
    }

    /** 1 takes the node down where {@code down_on_error} reaches; the others also start the job again without end. */
    @Override
    protected Set<Integer> harmfulToNode() {
        return IntStream.rangeClosed(1, 255).boxed().collect(Collectors.toSet());
    }

    private HookCall told(int place, String argument) {
        HookCall call = single.call(HookPoint.PROLOGUE);
        List<String> arguments = new ArrayList<>(call.arguments());
        arguments.set(place, argument);
        return new HookCall(HookPoint.PROLOGUE, arguments, call.environment(), "");
    }

    private JobFacts facts(HookCall call) {
        return answered(call, "", "");
    }

    /** What is read when {@code qstat} says something else. */
    private JobFacts answered(HookCall call, String from, String to) {
        Map<Source, String> contents = new HashMap<>(single.contents(torque.sources(single.call(HookPoint.PROLOGUE))));
        contents.replaceAll((source, text) ->
                source instanceof Source.Answer && text.startsWith("Job Id") ? text.replace(from, to) : text);
        return torque.facts(call, contents);
    }

    private ErrorCode refused(Runnable read) {
        VseException failure = catchThrowableOfType(VseException.class, read::run);
        assertThat(failure).isNotNull();
        return failure.code();
    }

    private ErrorCode refused(String from, String to) {
        return refused(() -> answered(single.call(HookPoint.PROLOGUE), from, to));
    }

    private HookCall starter(Map<String, String> environment, String input) {
        Map<String, String> all = new HashMap<>(single.call(HookPoint.STARTER).environment());
        all.putAll(environment);
        return new HookCall(HookPoint.STARTER, List.of("/bin/bash"), all, input);
    }

    @Test
    void noPrologueEndsInAnythingButSuccess() {
        for (Kind kind : Kind.values()) {
            assertThat(torque.exitCode(HookPoint.PROLOGUE, kind)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(HookPoint.class)
    void noHookKnowsTheAttempt(HookPoint point) {
        assertThat(torque.attempt(single.call(point)).attempt()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "tnode1/0, tnode1 1",
        "tnode2/0-1+tnode1/0-1, tnode2 2 tnode1 2",
        "tnode1/1+tnode1/0, tnode1 2",
        "'n1/0-1,3', n1 3",
    })
    void slotsAreCountedAndAreNoCores(String hosts, String shares) {
        JobFacts facts =
                answered(single.call(HookPoint.PROLOGUE), "exec_host = tnode1/0-1\n", "exec_host = " + hosts + "\n");
        assertThat(facts.nodes()).allSatisfy(share -> assertThat(share.cores()).isEmpty());
        assertThat(facts.nodes().stream()
                        .map(share -> share.node() + " " + share.count())
                        .collect(Collectors.joining(" ")))
                .isEqualTo(shares);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tnode1", "tnode1/", "tnode1/1-0", "tnode1/0+", "tnode1/99999999999", "-f/0"})
    void whatAreNoHostsIsRefused(String hosts) {
        assertThat(refused("exec_host = tnode1/0-1\n", "exec_host = " + hosts + "\n"))
                .isEqualTo(ErrorCode.INTERNAL);
    }

    @Test
    void aLongLineIsFolded() {
        JobFacts facts = answered(
                single.call(HookPoint.PROLOGUE),
                "exec_host = tnode1/0-1\n",
                "exec_host = tnode1/0-1+tno\n\tde2/0-1+tnode3/0-\n\t1\n");
        assertThat(facts.nodes().stream().map(JobFacts.NodeShare::node)).containsExactly("tnode1", "tnode2", "tnode3");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "FOO=bar\n    start_count = 1",
                "FOO=bar\n    exec_host = other/0-63",
                "FOO=bar\n\nJob Id: 0.trqsrv"
            })
    void aVariableThatPretendsToBeAnotherFieldIsRefused(String variable) {
        assertThat(refused("FOO=bar", variable)).isEqualTo(ErrorCode.NOT_PERMITTED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"FOO=bar\r    start_count = 7", "FOO=bar    start_count = 7", "FOO=\u2028    start_count = 7"})
    void aVariableWithoutALineOfItsOwnIsNoField(String variable) {
        assertThat(answered(single.call(HookPoint.PROLOGUE), "FOO=bar", variable)
                        .attempt())
                .isEqualTo(1);
    }

    @Test
    void anAnswerAboutAnotherJobIsRefused() {
        assertThat(refused("Job Id: 0.trqsrv", "Job Id: 1.trqsrv")).isEqualTo(ErrorCode.INTERNAL);
        assertThat(refused("    start_count = 1\n", "")).isEqualTo(ErrorCode.INTERNAL);
    }

    @Test
    void boundsComeFromTheArguments() {
        JobFacts facts = facts(told(RESOURCES, "pmem=1gb,nodes=2:ppn=2,walltime=26:00:00,mem=512mb,neednodes=2:ppn=2"));
        assertThat(facts.walltime()).contains(Duration.ofHours(26));
        assertThat(facts.memoryBytes()).isEqualTo(OptionalLong.of(512L << 20));
        facts = facts(told(RESOURCES, "nodes=1,neednodes=1"));
        assertThat(facts.walltime()).isEmpty();
        assertThat(facts.memoryBytes()).isEmpty();
    }

    @Test
    void aResourceThatPretendsToBeAnotherIsRefused() {
        assertThat(refused(() -> facts(told(RESOURCES, "other=a,walltime=99:00:00,walltime=00:01:00"))))
                .isEqualTo(ErrorCode.NOT_PERMITTED);
        assertThat(refused(() -> facts(told(RESOURCES, "walltime=soon")))).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void anArgumentWithANewlineIsRefused() {
        assertThat(refused(() -> facts(told(NAME, "x\nqueue")))).isEqualTo(ErrorCode.USAGE);
        assertThat(refused(() -> facts(told(ACCOUNT, "x\u0007")))).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void aMemberOfAnArrayIsAJobOfItsOwn() {
        HookCall call = told(0, "5[2].trqsrv");
        assertThat(torque.attempt(call).job()).isEqualTo("5[2].trqsrv");
        assertThat(torque.sources(call)).contains(new Source.Answer(List.of("qstat", "-f", "5[2].trqsrv"), Map.of()));
        Map<Source, String> contents = new HashMap<>();
        for (Source source : torque.sources(call)) {
            contents.put(source, "1001\n");
        }
        contents.put(
                torque.sources(call).get(0), "Job Id: 5[2].trqsrv\n    exec_host = tnode1/0\n    start_count = 1\n\n");
        assertThat(torque.facts(call, contents).arrayIndex()).isEqualTo(OptionalInt.of(2));
    }

    @Test
    void onlyAMomsScriptIsRead() {
        for (String path : List.of("/etc/shadow", "job.SC", "/a b.SC")) {
            assertThat(refused(() -> torque.sources(told(SCRIPT, path))))
                    .as(path)
                    .isEqualTo(ErrorCode.USAGE);
        }
        assertThat(facts(told(SCRIPT, "")).script()).isEmpty();
    }

    @Test
    void aTaskOfPbsdshIsNotTheScript() {
        String spooled = "/var/spool/torque/mom_priv/jobs/0.trqsrv.SC\n";
        assertThat(torque.launch(starter(Map.of(), spooled)).script()).isPresent();
        for (String task : List.of("2", "")) {
            VseException failure = catchThrowableOfType(
                    VseException.class, () -> torque.launch(starter(Map.of("PBS_TASKNUM", task), spooled)));
            assertThat(failure.render()).contains("mpirun");
        }
    }

    @Test
    void whatIsNoSpooledScriptIsNotOpened() {
        for (String input : List.of("/etc/passwd\n", "job.sh\n", "/m/1.SC\n/m/2.SC\n", "/m/1.SC -x\n")) {
            assertThat(refused(() -> torque.launch(starter(Map.of(), input))))
                    .as(input)
                    .isEqualTo(ErrorCode.USAGE);
        }
        assertThat(torque.launch(starter(Map.of(), "")).script()).isEmpty();
    }

    @Test
    void countsAreNotThoseOfTheEnvironment() {
        // A job for a named node has PBS_NUM_NODES=0.
        HookCall call = Recorded.read("torque", "starter").call(HookPoint.PROLOGUE);
        assertThat(call.environment()).containsEntry("PBS_NUM_NODES", "0");
        assertThat(torque.passes("PBS_NUM_NODES")).isFalse();
        assertThat(torque.passes("PBS_NP")).isFalse();
    }
}

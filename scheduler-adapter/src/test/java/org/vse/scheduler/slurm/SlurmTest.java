package org.vse.scheduler.slurm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

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
import org.vse.scheduler.VirtualNode;

/** Over jobs of Slurm 22.05.8. */
class SlurmTest extends DialectContract {
    private final Dialect slurm = BatchSystem.SLURM.dialect();
    private final Recorded single = Recorded.read("slurm", "single");

    @Override
    protected BatchSystem system() {
        return BatchSystem.SLURM;
    }

    @Override
    protected Stream<Recorded> recorded() {
        return Stream.of("single", "array", "array-first", "requeued").map(name -> Recorded.read("slurm", name));
    }

    @Override
    protected Set<Integer> harmfulToNode() {
        return IntStream.rangeClosed(1, 255).boxed().collect(Collectors.toSet());
    }

    private JobFacts facts(String from, String to) {
        return facts(single.call(HookPoint.PROLOGUE), from, to);
    }

    private JobFacts facts(HookCall call, String from, String to) {
        Map<Source, String> contents = new HashMap<>(single.contents(slurm.sources(call)));
        contents.replaceAll((source, text) -> text.replace(from, to));
        return slurm.facts(call, contents);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "JobName=x Partition=fast",
                "JobName=x\n   UserId=root(0) GroupId=root(0) MCS_label=N/A",
                "JobName=x Restarts=7",
                "JobName=x\n\nJobId=1 JobName=y",
                "JobName=x\n\nJobId=999 JobName=y",
                "JobName=x\n     Nodes=n1 CPU_IDs=0-63 Mem=0 GRES="
            })
    void aNameThatPretendsToBeAnotherFieldIsRefused(String name) {
        VseException failure = catchThrowableOfType(VseException.class, () -> facts("JobName=na%me", name));
        assertThat(failure).isNotNull();
        assertThat(failure.code()).isEqualTo(ErrorCode.NOT_PERMITTED);
    }

    @Test
    void aJobOfAnotherUserThanTheHookWasToldIsRefused() {
        VseException failure =
                catchThrowableOfType(VseException.class, () -> facts("UserId=alice(1001)", "UserId=bob(1002)"));
        assertThat(failure.code()).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void limitsOfTimeAndMemory() {
        assertThat(facts("TimeLimit=00:05:00", "TimeLimit=UNLIMITED").walltime())
                .isEmpty();
        assertThat(facts("TimeLimit=00:05:00", "TimeLimit=2-03:00:10").walltime())
                .hasValueSatisfying(walltime -> assertThat(walltime.toSeconds()).isEqualTo(183_610));
        JobFacts three = facts(told("SLURM_JOB_CPUS_PER_NODE", "3"), "CPU_IDs=0 Mem=0", "CPU_IDs=0-1,4 Mem=512");
        assertThat(three.memoryBytes()).isEqualTo(OptionalLong.of(512L << 20));
        assertThat(three.nodes()).containsExactly(new JobFacts.NodeShare("n1", 3, List.of(0, 1, 4)));
        assertThat(facts("Account=(null)", "Account=proj42").account()).contains("proj42");
    }

    private HookCall told(String variable, String value) {
        HookCall call = single.call(HookPoint.PROLOGUE);
        Map<String, String> environment = new HashMap<>(call.environment());
        environment.put(variable, value);
        return new HookCall(call.point(), call.arguments(), environment, call.input());
    }

    @ParameterizedTest
    @CsvSource({
        "SLURM_JOB_CPUS_PER_NODE, 64",
        "SLURM_JOB_CPUS_PER_NODE, '1(x2)'",
        "SLURM_JOB_CPUS_PER_NODE, x",
        "SLURM_JOB_PARTITION, fast",
        "SLURM_NODELIST, 'n1,n3'"
    })
    void whatSlurmdSaysItselfMustBeWhatIsPrinted(String variable, String value) {
        VseException failure = catchThrowableOfType(
                VseException.class, () -> facts(told(variable, value), "Account=(null)", "Account=a"));
        assertThat(failure.code()).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void aScriptThatTheGateDidNotSeeIsItsAuthors() {
        JobFacts facts = facts("#!/bin/sh\nexec /etc/vse/slurm/starter \"$0\" \"$@\" # VSE launcher\n", "");
        assertThat(facts.script().map(JobFacts.Script::text))
                .contains(single.tree().path("expected").path("script").asText());
    }

    @Test
    void hooksOfAnOlderSlurmDoNotKnowTheAttempt() {
        Map<String, String> environment =
                new HashMap<>(single.call(HookPoint.EPILOGUE).environment());
        environment.remove("SLURM_JOB_RESTART_COUNT");
        assertThat(slurm.attempt(new HookCall(HookPoint.EPILOGUE, List.of(), environment, ""))
                        .attempt())
                .isEqualTo(OptionalInt.empty());
    }

    @Test
    void machinesThatAreNotAsManyAsNodesAreCounted() {
        Map<String, String> seen = slurm.environment(
                single.call(HookPoint.STARTER).environment(),
                List.of(new VirtualNode("vm0", 2), new VirtualNode("vm1", 2), new VirtualNode("vm2", 1)));
        assertThat(seen)
                .containsEntry("SLURM_JOB_NODELIST", "vm0,vm1,vm2")
                .containsEntry("SLURM_NNODES", "3")
                .containsEntry("SLURM_JOB_CPUS_PER_NODE", "2(x2),1")
                .containsEntry("SLURM_TASKS_PER_NODE", "2(x2),1")
                .containsEntry("SLURM_CPUS_ON_NODE", "2")
                .containsEntry("SLURMD_NODENAME", "vm0")
                .containsEntry("SLURM_JOB_ID", "1");
    }

    @Test
    void noPrologOfSlurmFails() {
        for (Kind kind : Kind.values()) {
            assertThat(slurm.exitCode(HookPoint.PROLOGUE, kind)).isZero();
        }
    }

    @Test
    void hostLists() {
        assertThat(HostList.names("n[1-3,07],gpu-01,x[2]-y"))
                .containsExactly("n1", "n2", "n3", "n07", "gpu-01", "x2-y");
        assertThat(HostList.names("r[08-11]")).containsExactly("r08", "r09", "r10", "r11");
        assertThat(HostList.numbers("0-2,7")).containsExactly(0, 1, 2, 7);
        for (String wrong : List.of("", "n[1-", "n[3-1]", "n[a]", "n[0-999999999]", "n 1", "a,,b", "n]1[")) {
            assertThat(catchThrowableOfType(VseException.class, () -> HostList.names(wrong)))
                    .as(wrong)
                    .isNotNull();
        }
    }
}

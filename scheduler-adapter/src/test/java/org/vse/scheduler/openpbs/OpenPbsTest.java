package org.vse.scheduler.openpbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
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
import org.vse.scheduler.VirtualNode;

/** Over jobs of OpenPBS 23.06.06. */
class OpenPbsTest extends DialectContract {
    private static final String SCRIPT = "#!/bin/bash\n#VSE image=debian-12\n";

    private final Dialect openpbs = BatchSystem.OPENPBS.dialect();
    private final Recorded single = Recorded.read("openpbs", "single");

    @Override
    protected BatchSystem system() {
        return BatchSystem.OPENPBS;
    }

    @Override
    protected Stream<Recorded> recorded() {
        return Stream.of("single", "three-nodes", "second-run", "second-slot")
                .map(name -> Recorded.read("openpbs", name));
    }

    /** The job is tried again, up to 20 times. */
    @Override
    protected Set<Integer> harmfulToNode() {
        return IntStream.rangeClosed(2, 255).boxed().collect(Collectors.toSet());
    }

    private HookCall passedOn(String from, String to) {
        HookCall call = single.call(HookPoint.PROLOGUE);
        assertThat(call.input()).contains(from);
        return new HookCall(
                HookPoint.PROLOGUE, List.of(), Map.of(), call.input().replace(from, to));
    }

    private JobFacts facts(HookCall call) {
        Map<Source, String> contents = new HashMap<>();
        openpbs.sources(call)
                .forEach(source -> contents.put(source, source instanceof Source.File ? SCRIPT : "1001\n"));
        return openpbs.facts(call, contents);
    }

    private ErrorCode refused(HookCall call) {
        VseException failure = catchThrowableOfType(VseException.class, () -> facts(call));
        assertThat(failure).isNotNull();
        return failure.code();
    }

    private HookCall starter(Map<String, String> environment, List<String> arguments, String input) {
        Map<String, String> all = new HashMap<>(single.call(HookPoint.STARTER).environment());
        all.putAll(environment);
        return new HookCall(HookPoint.STARTER, arguments, all, input);
    }

    @Test
    void aMemberOfAnArrayIsAJobOfItsOwn() {
        JobFacts facts = facts(passedOn("=22.pbssrv", "=7[3].pbssrv"));
        assertThat(facts.job()).isEqualTo("7[3].pbssrv");
        assertThat(facts.arrayIndex()).isEqualTo(OptionalInt.of(3));
        assertThat(openpbs.sources(passedOn("=22.pbssrv", "=7[3].pbssrv")))
                .contains(new Source.File("/var/spool/pbs/mom_priv/jobs/7[3].pbssrv.SC"));
        assertThat(refused(passedOn("=22.pbssrv", "=7[].pbssrv"))).isEqualTo(ErrorCode.USAGE);
    }

    @ParameterizedTest
    @CsvSource({
        "node1:15002/0, node1 1",
        "node1:15002/1, node1 1",
        "node1:15002/3*8, node1 8",
        "node1:15002/0*2+node1:15002/1*2, node1 4",
        "node2:15002/0+node1:15002/0*3, node2 1 node1 3",
        "n1.site.org/0*2, n1.site.org 2"
    })
    void slotsAreCountedAndAreNoCores(String hosts, String shares) {
        JobFacts facts = facts(passedOn("node1:15002/0*2", hosts));
        assertThat(facts.nodes()).allSatisfy(share -> assertThat(share.cores()).isEmpty());
        assertThat(facts.nodes().stream()
                        .map(share -> share.node() + " " + share.count())
                        .collect(Collectors.joining(" ")))
                .isEqualTo(shares);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "node1", "node1/", "node1:15002/0*0", "node1:15002/0+", "(node1:ncpus=2)", "../x:1/0"})
    void whatAreNoHostsIsRefused(String hosts) {
        assertThat(refused(passedOn("node1:15002/0*2", hosts))).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void aValueThatPretendsToBeAnotherIsJustAValue() {
        JobFacts facts = facts(passedOn("Job_Name=my_job", "Job_Name=x=queue=fast,euser=root"));
        assertThat(facts.queue()).isEqualTo("images");
        assertThat(facts.owner().name()).isEqualTo("alice");
        assertThat(facts.script().map(JobFacts.Script::name)).contains("x=queue=fast,euser=root");
    }

    @Test
    void aValueWithANewlineIsTheUsersMistake() {
        assertThat(refused(passedOn("Job_Name=my_job", "Job_Name=x\nqueue=fast")))
                .isEqualTo(ErrorCode.NOT_PERMITTED);
        assertThat(refused(passedOn("/home/alice/run", "/home/alice\n/run"))).isEqualTo(ErrorCode.NOT_PERMITTED);
    }

    @Test
    void whatComesTwiceOrIsCutOffIsRefused() {
        assertThat(refused(passedOn("queue=images\0", "queue=images\0queue=fast\0")))
                .isEqualTo(ErrorCode.USAGE);
        HookCall whole = single.call(HookPoint.PROLOGUE);
        String cut = whole.input().substring(0, whole.input().length() - 1);
        assertThat(refused(new HookCall(HookPoint.PROLOGUE, List.of(), Map.of(), cut)))
                .isEqualTo(ErrorCode.USAGE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../../etc/shadow", "x/y", "", "a b"})
    void noScriptIsReadThatIsNotTheMoms(String hashname) {
        assertThat(refused(passedOn("hashname=22.pbssrv", "hashname=" + hashname)))
                .isEqualTo(ErrorCode.USAGE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"root;id", "-g", "0", ""})
    void aUserThatNobodyIsIsRefused(String user) {
        assertThat(refused(passedOn("euser=alice", "euser=" + user))).isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void aUserThatThisNodeDoesNotKnowIsRefused() {
        HookCall call = single.call(HookPoint.PROLOGUE);
        Map<Source, String> contents = new HashMap<>(single.contents(openpbs.sources(call)));
        contents.replaceAll((source, text) -> source instanceof Source.Answer ? "" : text);
        assertThat(catchThrowableOfType(VseException.class, () -> openpbs.facts(call, contents))
                        .code())
                .isEqualTo(ErrorCode.USAGE);
    }

    @Test
    void aTaskOfPbsdshIsNotTheScript() {
        String spooled = "/var/spool/pbs/mom_priv/jobs/22.pbssrv.SC\n";
        assertThat(openpbs.launch(starter(Map.of(), List.of("1"), spooled)).script())
                .isPresent();
        for (String task : List.of("00000002", "40000001", "")) {
            VseException failure = catchThrowableOfType(
                    VseException.class,
                    () -> openpbs.launch(starter(Map.of("PBS_TASKNUM", task), List.of("1"), spooled)));
            assertThat(failure.render()).contains("mpirun");
        }
    }

    @Test
    void whatIsNoSpooledScriptIsNotOpened() {
        for (String input : List.of("/etc/passwd\n", "job.sh\n", "/m/1.SC\n/m/2.SC\n", "/m/1.SC; reboot\n")) {
            assertThat(catchThrowableOfType(
                            VseException.class, () -> openpbs.launch(starter(Map.of(), List.of("1"), input))))
                    .as(input)
                    .isNotNull();
        }
        assertThat(openpbs.launch(starter(Map.of(), List.of("1"), "")).script()).isEmpty();
    }

    @Test
    void aSignalOfTheStarterKnowsItsJobOnly() {
        assertThat(openpbs.attempt(starter(Map.of(), List.of(), "")).attempt()).isEmpty();
        assertThat(openpbs.attempt(starter(Map.of(), List.of("2"), "")).attempt())
                .isEqualTo(OptionalInt.of(2));
        assertThat(openpbs.passes("PBS_JOBID")).isTrue();
    }

    @Test
    void threadsThatTheUserChoseStay() {
        List<VirtualNode> machines = List.of(new VirtualNode("vm0", 4), new VirtualNode("vm1", 1));
        Map<String, String> here = single.call(HookPoint.STARTER).environment();
        assertThat(openpbs.environment(here, machines))
                .containsEntry("NCPUS", "4")
                .containsEntry("OMP_NUM_THREADS", "4");
        Map<String, String> chosen = new HashMap<>(here);
        chosen.put("OMP_NUM_THREADS", "1");
        assertThat(openpbs.environment(chosen, machines))
                .containsEntry("NCPUS", "4")
                .containsEntry("OMP_NUM_THREADS", "1");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void onlyWhatAnotherNodeOrTimeMendsIsTriedAgain(Kind kind) {
        boolean again = kind == Kind.SITE || kind == Kind.CAPACITY;
        assertThat(openpbs.exitCode(HookPoint.PROLOGUE, kind)).isEqualTo(again ? 2 : 1);
    }
}

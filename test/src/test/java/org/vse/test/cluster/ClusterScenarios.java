package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.commons.support.AnnotationSupport;
import org.vse.process.CommandResult;
import org.vse.test.site.Examples;

/**
 * What jobs with VMs do under a batch system with several nodes, whichever it is.
 *
 * <p>Scenarios share the cluster at once, so each has names of its own and looks at nothing but its own jobs. One that takes
 * a host away from the others says so with {@link Disturbs}, and comes after those that do not.
 */
@Tag("cluster")
@Timeout(900)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Execution(ExecutionMode.CONCURRENT)
@ExtendWith(Turns.class)
abstract class ClusterScenarios {
    static final String VSE = "#VSE image=debian-12\n";

    /** Cores on two nodes at once are there before those of single nodes are taken. */
    static final int FIRST = 1;

    /** What takes longest begins before the rest. */
    static final int LONG = 2;

    /** Machines share the cores of one host, and jobs wait for those of other scenarios. */
    private static final Duration PATIENCE = Duration.ofMinutes(6);

    private static final int MEMBERS = 12;
    private static final Pattern COMPARED = Pattern.compile("(?m)^([0-9]+) attempts compared: .* 0 not;");

    Cluster cluster;

    /** The batch system's name on command lines. */
    abstract String scheduler();

    List<String> nodes() {
        return Cluster.NODES;
    }

    /** Submits with the batch system's own command, as a user. */
    abstract CommandResult submits(List<String> words);

    /** Options for a core on a node. */
    abstract List<String> on(String node);

    /** Options for a core on each of two nodes, the script on the first. */
    abstract List<String> on(String first, String second);

    /** What the job says of its two machines that is saved when its walltime ends and goes on in the next. */
    String savedVms() {
        return "#VSE memory=256MiB\n";
    }

    /** Options for that job, whose script is on n2. */
    abstract List<String> saved();

    /** Whether that job is saved because its walltime ends; else the scenario has it saved, twice. */
    boolean isSavedByItsWalltime() {
        return true;
    }

    /** How far that job counts, at most two numbers a second: farther than two of its walltimes last. */
    abstract int countedTo();

    /** Whether a job's output is in its files while it runs; else it is on a node until the job ends. */
    boolean showsOutputMeanwhile() {
        return true;
    }

    /** Options for members 1 to the last. */
    abstract List<String> array(int last);

    /** The variable that a member of an array finds its number in. */
    abstract String member();

    abstract List<String> inQueue(String queue);

    /** Option for a job that stays queued. */
    abstract String held();

    /** Options for a variable {@code NAME=VALUE} of the script. */
    abstract List<String> variable(String assignment);

    /** Exit code of the submission of a job that the gate refuses. */
    abstract int refused();

    /** Shell command that prints the machines of a job as the batch system's own programs would find them. */
    abstract String machineList();

    /** What {@link #machineList} prints for two machines with a core each. */
    abstract String twoMachines();

    /** What the user sees of queued and running jobs. */
    abstract String listing();

    /** True from the moment at which the batch system has given the job a node. */
    abstract boolean hasBegun(String job);

    /** True when nothing becomes of the job any more. */
    abstract boolean isOver(String job);

    /** Exit code of a job that is over, as the batch system has it. */
    abstract String exitCode(String job);

    abstract void cancel(String job);

    /** Ends the running job of {@code again.sh}, which exits with 99 when there is {@code again.go}, so that it starts again. */
    abstract void startAgain(String job);

    /** Nodes that take no jobs or are in use, in words. */
    abstract List<String> unfit();

    /** What the batch system calls its accounting in {@code vse report reconcile}. */
    abstract String accountingForm();

    /** Command that prints it on the head, for root. */
    abstract List<String> accounting();

    @BeforeAll
    void open() {
        cluster = Cluster.open(scheduler());
    }

    @AfterAll
    void close() {
        if (cluster != null) {
            try (Cluster closed = cluster) {
                within(Duration.ofSeconds(90), "nothing is left and every node takes jobs")
                        .untilAsserted(() -> {
                            assertThat(closed.remainsOn(nodes())).isEmpty();
                            assertThat(closed.processes()).isEmpty();
                            assertThat(unfit()).isEmpty();
                        });
                ledgerAgreesWithTheBatchSystem();
            }
        }
    }

    /** All that ran under all scenarios. */
    private void ledgerAgreesWithTheBatchSystem() {
        within(Duration.ofSeconds(60), "what every node has written is at the head of the ledger")
                .untilAsserted(() -> {
                    for (String node : nodes()) {
                        String[] machines = {"report", "vms", "--format", "csv", "--node", node};
                        assertThat(cluster.vse(Cluster.LEDGER, machines).stdout())
                                .isEqualTo(cluster.vse(node, machines).stdout())
                                .doesNotContain("RUNNING");
                    }
                });
        cluster.script(
                "accounting",
                cluster.run("head", "root", accounting())
                        .orThrow("reading the accounting")
                        .stdout());
        CommandResult result = cluster.vse(
                Cluster.LEDGER,
                "report",
                "reconcile",
                accountingForm(),
                "--file",
                "/home/" + Cluster.USER + "/accounting");
        assertThat(result.exitCode()).as(result.toString()).isZero();
        Matcher compared = COMPARED.matcher(result.stdout());
        assertThat(compared.find()).as(result.stdout()).isTrue();
        assertThat(Integer.parseInt(compared.group(1))).isGreaterThan(MEMBERS);
    }

    /** Who had a node alone shows that nothing is left there. */
    @AfterEach
    void nothingIsLeftWhereNobodyElseWas(TestInfo scenario) {
        List<String> alone = scenario.getTestMethod()
                .flatMap(method -> AnnotationSupport.findAnnotation(method, Disturbs.class))
                .map(disturbs -> Stream.of(disturbs.value()).filter(nodes()::contains))
                .orElseGet(Stream::empty)
                .toList();
        if (!alone.isEmpty()) {
            within(Duration.ofSeconds(60), "nothing is left on " + alone)
                    .untilAsserted(() -> assertThat(cluster.remainsOn(alone)).isEmpty());
        }
    }

    static org.awaitility.core.ConditionFactory within(Duration time, String what) {
        return await(what).atMost(time).pollInterval(Duration.ofMillis(700));
    }

    static void awaits(String what, Callable<Boolean> condition) {
        within(PATIENCE, what).until(condition);
    }

    void script(String name, String text) {
        cluster.script(name + ".sh", "#!/bin/bash\n" + text);
    }

    /** Submits {@code NAME.sh}, whose output goes to {@code NAME.out} and {@code NAME.err}; returns the job's id. */
    String submit(String name, List<String> options) {
        List<String> words = new ArrayList<>(List.of("-o", name + ".out", "-e", name + ".err"));
        words.addAll(options);
        words.add(name + ".sh");
        return submits(words).orThrow("submitting").stdout().strip();
    }

    void awaitEnd(String job) {
        awaits("the end of job " + job, () -> isOver(job));
    }

    void assertEnds(String job, int exitCode) {
        awaitEnd(job);
        within(Duration.ofSeconds(20), "exit code " + exitCode + " of job " + job)
                .untilAsserted(() -> assertThat(exitCode(job)).isEqualTo(Integer.toString(exitCode)));
    }

    @Test
    void theScriptRunsInAMachineAndItsExitCodeCounts() {
        // Read on the node, as the user: nobody has sent it.
        cluster.script("hello.yaml", "image: debian-12\n");
        script("hello", """
                #VSE vse=hello.yaml
                echo "$(hostname) $(id -un) $PWD $VSE_ATTEMPT [$COLOUR]"
                echo complaint >&2
                exit 7
                """);
        assertEnds(submit("hello", variable("COLOUR=blue and green")), 7);
        cluster.awaitFile("hello.out", "vm0 ann /home/ann 1 [blue and green]\n");
        cluster.awaitFile("hello.err", "complaint\n");
    }

    /** The example, over three walltimes, with a word on standard error for each on standard output. */
    @Test
    @Order(LONG)
    void aSavedJobGoesOnWithItsConnectionsAndWithEveryByteOnce() throws IOException {
        int count = countedTo();
        String example = Files.readString(Examples.script("resume.sh"))
                .replaceAll("(?m)^#PBS .*\n", "")
                .replace("#VSE vms-per-node=2 vcpus=1 memory=256MiB\n", savedVms())
                .replace("1:-150", "1:-" + count)
                .replace("    echo \"$i\"\n", "    echo \"$i\"\n    echo \"e$i\" >&2\n");
        cluster.script("resume.sh", example);
        String job = submit("resume", saved());
        cluster.awaitFile(showsOutputMeanwhile() ? "resume.out" : "resume.log", "5\n");
        cluster.vse("n2", "job", "pause", job).orThrow("pausing");
        if (showsOutputMeanwhile()) {
            cluster.awaitFile("resume.err", "the machines are paused");
        }
        long still = lines("resume.log");
        within(Duration.ofSeconds(20), "job " + job + " stands still")
                .during(Duration.ofSeconds(2))
                .until(() -> lines("resume.log") == still);
        cluster.vse("n2", "job", "resume", job).orThrow("resuming");
        for (int saved = 1; saved <= 2 && !isSavedByItsWalltime(); saved++) {
            cluster.vse("n2", "checkpoint", "--stop", job).orThrow("saving");
            long before = lines("resume.log");
            awaits("job " + job + " goes on", () -> lines("resume.log") > before + 10);
        }
        awaits("job " + job + " goes on", () -> lines("resume.log") > count / 2);
        assertEnds(job, 0);
        String all = LongStream.rangeClosed(1, count).mapToObj(i -> i + "\n").collect(Collectors.joining());
        assertThat(cluster.file("resume.log")).isEqualTo(all);
        assertThat(cluster.file("resume.out")).isEqualTo(all);
        assertThat(cluster.file("resume.err").lines().filter(line -> line.matches("e[0-9]+")))
                .containsExactlyElementsOf(all.lines().map(line -> "e" + line).toList());
        String[] machines = {"report", "vms", "--format", "csv", "--job", job};
        within(Duration.ofSeconds(60), "the ledger has what ran")
                .untilAsserted(() -> assertThat(cluster.vse(Cluster.LEDGER, machines)
                                .stdout()
                                .lines()
                                .skip(1))
                        .hasSizeGreaterThanOrEqualTo(2 * 3));
    }

    private long lines(String name) {
        return cluster.file(name).lines().count();
    }

    @Test
    void aForbiddenImageIsRefusedAtSubmitAndNothingIsQueued() {
        script("bad", "#VSE image=centos-5\nhostname\n");
        List<String> words = new ArrayList<>(inQueue("batch"));
        words.add("bad.sh");
        CommandResult result = submits(words);
        assertThat(result.exitCode()).isEqualTo(refused());
        assertThat(result.stdout() + result.stderr())
                .contains(":2:12: image 'centos-5' is not allowed in queue 'batch'")
                .contains("forbidden by");
        assertThat(listing()).doesNotContain("bad");
    }

    @Test
    void aScriptWithoutVseRunsOnTheNode() {
        script("plain", "hostname\nexit 4\n");
        assertEnds(submit("plain", List.of()), 4);
        awaits("its output", () -> cluster.file("plain.out").matches("n[123]\n"));
    }

    @Test
    void whereThePolicyRequiresItAScriptWithoutVseRunsInAMachineToo() {
        script("required", "hostname\n");
        assertEnds(submit("required", inQueue("vms")), 0);
        cluster.awaitFile("required.out", "vm0\n");
    }

    @Test
    @Order(LONG)
    void twelveMembersOfAnArrayRunOnThreeNodes() {
        script("members", VSE + "echo member $" + member() + " on $(hostname) >member-$" + member() + ".log\n");
        submit("members", array(MEMBERS));
        IntStream.rangeClosed(1, MEMBERS)
                .forEach(index -> cluster.awaitFile("member-" + index + ".log", "member " + index + " on vm0\n"));
    }

    @Test
    @Order(FIRST)
    void aJobOnTwoNodesHasAMachineOnEachAndOneNetworkOfItsOwn() {
        script(
                "two",
                "#VSE image=debian-12-mpi memory=512MiB\n" + machineList() + "\ntr '\\n' ' ' <\"$VSE_NODEFILE\"; echo\n"
                        + "mpirun --mca pml ob1 --mca btl self,tcp --mca btl_tcp_if_include eth0"
                        + " --mca oob_tcp_if_include eth0 hostname | sort\n"
                        + "head -c 3000000 /dev/zero | ssh vm1 'wc -c; ls two.sh'\n");
        assertEnds(submit("two", on("n1", "n2")), 0);
        cluster.awaitFile("two.out", twoMachines() + "vm0 vm1 \nvm0\nvm1\n3000000\ntwo.sh\n");
    }

    @Test
    void aQueuedJobThatIsCancelledLeavesNothing() {
        script("queued", VSE + "echo ran >queued.log\n");
        String job = submit("queued", List.of(held()));
        cancel(job);
        awaitEnd(job);
        assertThat(cluster.file("queued.log")).isEmpty();
    }

    @Test
    void aJobThatIsCancelledDuringThePrologueDoesNotRun() {
        script("never", VSE + "sleep 1\necho ran >never.log\n");
        String job = submit("never", List.of());
        awaits("job " + job + " has a node", () -> hasBegun(job));
        cancel(job);
        awaitEnd(job);
        assertThat(cluster.file("never.log")).isEmpty();
    }

    @Test
    void aJobThatIsStartedAgainRunsInMachinesOfItsOwn() {
        script(
                "again",
                VSE + "echo run $VSE_ATTEMPT >>again.log\n[ $VSE_ATTEMPT = 1 ] || exit 0\n"
                        + "until [ -e again.go ]; do sleep 0.3; done\nexit 99\n");
        String job = submit("again", List.of());
        cluster.awaitFile("again.log", "run 1\n");
        startAgain(job);
        assertEnds(job, 0);
        assertThat(cluster.file("again.log")).matches("run 1\nrun [0-9]+\n").doesNotEndWith("run 1\n");
    }

    @Test
    @Disturbs("n2")
    void vsedThatDiesUnderARunningJobLosesNothing() {
        script("survivor", VSE + "echo ready >survivor.log\nsleep 8\necho done\nexit 5\n");
        String job = submit("survivor", on("n2"));
        cluster.awaitFile("survivor.log", "ready");
        cluster.vse("n2", "down").orThrow("ending vsed");
        cluster.vse("n2", "up").orThrow("starting vsed");
        assertEnds(job, 5);
        cluster.awaitFile("survivor.out", "done\n");
    }

    @Test
    @Disturbs(value = "n2", beside = "n1")
    void aJobEndsOnEveryNodeWhenOneOfThemIsCutOff() {
        script("cut", VSE + "echo ready >cut.log\nsleep 100\n");
        String job = submit("cut", on("n1", "n2"));
        cluster.awaitFile("cut.log", "ready");
        cluster.link("n2", "down");
        cluster.awaitFile("cut.err", "[NODE_LOST]");
        within(Duration.ofSeconds(30), "the node that was cut off ends its machine")
                .until(() -> !cluster.hasRunningMachine("n2"));
        cluster.link("n2", "up");
        awaitEnd(job);
    }
}

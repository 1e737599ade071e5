package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.vse.process.CommandResult;

/** Jobs with VMs under a real Grid Engine with three nodes. */
@Tag("system")
@Tag("full")
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GridEngineSystemTest {
    private static final String HEADER = "#!/bin/bash\n#VSE image=debian-12\n";

    private Cluster cluster;

    @BeforeAll
    void open() {
        cluster = Cluster.open("gridengine");
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    @AfterEach
    void nothingIsLeftAndNoQueueIsInError() {
        await("nothing is left")
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(cluster.remains()).isEmpty());
    }

    private CommandResult qsub(String... arguments) {
        List<String> argv = new ArrayList<>(List.of("qsub", "-cwd"));
        argv.addAll(Arrays.asList(arguments));
        return cluster.user(argv.toArray(String[]::new));
    }

    /** Submits, waits for the end of the job and returns with its exit code. */
    private CommandResult runs(String output, String... arguments) {
        return qsub(Stream.concat(Stream.of("-sync", "y", "-j", "y", "-o", output), Arrays.stream(arguments))
                .toArray(String[]::new));
    }

    private String submits(String output, String... arguments) {
        return qsub(Stream.concat(Stream.of("-terse", "-j", "y", "-o", output), Arrays.stream(arguments))
                        .toArray(String[]::new))
                .orThrow("submitting")
                .stdout()
                .strip();
    }

    /** State and queue of a job, empty once there is no such job. */
    private String state(String job) {
        return cluster.user("qstat", "-u", "*")
                .stdout()
                .lines()
                .filter(line -> line.strip().startsWith(job + " "))
                .findFirst()
                .orElse("");
    }

    private void awaitState(String job, String pattern) {
        await("job " + job + " is " + pattern)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(300))
                .until(() -> state(job).matches(pattern));
    }

    private String nodeOf(String job) {
        return state(job).replaceAll("(?s).*@(n[0-9]).*", "$1");
    }

    private void cancel(String job) {
        cluster.user("qdel", job).orThrow("cancelling");
        awaitState(job, "");
    }

    @Test
    void theScriptRunsInAMachineWithItsArgumentsAndItsExitCodeCounts() {
        cluster.script(
                "hello.sh",
                HEADER + "echo \"$(hostname) $(id -un) $PWD $NSLOTS $FOO $VSE_ATTEMPT [$1] [$2]\"\n"
                        + "echo complaint >&2\nexit 7\n");
        CommandResult result =
                qsub("-sync", "y", "-o", "hello.out", "-e", "hello.err", "-v", "FOO=a b", "hello.sh", "one", "t w o");
        assertThat(result.exitCode())
                .as(result + cluster.file("hello.out") + cluster.file("hello.err"))
                .isEqualTo(7);
        assertThat(cluster.file("hello.out")).isEqualTo("vm0 ann /home/ann 1 a b 1 [one] [t w o]\n");
        assertThat(cluster.file("hello.err")).isEqualTo("complaint\n");
    }

    @Test
    void aForbiddenImageIsRefusedAtSubmitAndNothingIsQueued() {
        cluster.script("bad.sh", "#!/bin/bash\n#VSE image=centos-5\nhostname\n");
        CommandResult result = qsub("-q", "batch", "bad.sh");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.stdout() + result.stderr())
                .contains("bad.sh:2:12: image 'centos-5' is not allowed in queue 'batch'")
                .contains("forbidden by");
        assertThat(cluster.user("qstat").stdout()).isBlank();
    }

    @Test
    void whatGetsPastTheGateMeetsTheNode() {
        cluster.script("past.sh", "#!/bin/bash\n#VSE image=centos-5\nhostname\n");
        String job = submits("past.out", "-clear", "past.sh");
        awaitState(job, ".* Eqw .*");
        assertThat(cluster.file("past.out")).contains("image 'centos-5' is not allowed in queue 'batch'");
        cancel(job);
    }

    @Test
    void aScriptWithoutVseRunsOnTheNode() {
        cluster.script("plain.sh", "#!/bin/bash\necho $(hostname) $1\nexit 4\n");
        CommandResult result = runs("plain.out", "plain.sh", "x y");
        assertThat(result.exitCode()).isEqualTo(4);
        assertThat(cluster.file("plain.out")).matches("n[123] x y\n");
        assertThat(runs("command.out", "-b", "y", "echo", "a").exitCode()).isZero();
        assertThat(cluster.file("command.out")).isEqualTo("a\n");
    }

    @Test
    void whereThePolicyRequiresItAScriptWithoutVseRunsInAMachineToo() {
        cluster.script("required.sh", "#!/bin/bash\nhostname\n");
        CommandResult result = runs("required.out", "-q", "vms", "-l", "vms", "required.sh");
        assertThat(result.exitCode()).as(cluster.file("required.out")).isZero();
        assertThat(cluster.file("required.out")).isEqualTo("vm0\n");
    }

    @Test
    void membersOfAnArrayAndSeveralJobsRunAtOnce() {
        cluster.script("member.sh", HEADER + "echo member $SGE_TASK_ID on $(hostname)\n");
        CommandResult result = runs("member-$TASK_ID.out", "-t", "1-3", "member.sh");
        assertThat(result.exitCode()).as(result.toString()).isZero();
        assertThat(Stream.of(1, 2, 3)
                        .map(index -> cluster.file("member-" + index + ".out"))
                        .toList())
                .containsExactly("member 1 on vm0\n", "member 2 on vm0\n", "member 3 on vm0\n");
    }

    @Test
    void aJobOnTwoNodesHasAMachineOnEachAndOneNetworkOfItsOwn() {
        cluster.script(
                "two.sh",
                "#!/bin/bash\n#VSE image=debian-12-mpi memory=512MiB\n"
                        + "cat \"$PE_HOSTFILE\"; echo $NHOSTS\n"
                        + "mpirun --mca pml ob1 --mca btl self,tcp --mca btl_tcp_if_include eth0"
                        + " --mca oob_tcp_if_include eth0 hostname | sort\n");
        CommandResult result = runs("two.out", "-pe", "mpi", "2", "two.sh");
        assertThat(cluster.file("two.out"))
                .isEqualTo("vm0 1 vse@vm0 UNDEFINED\nvm1 1 vse@vm1 UNDEFINED\n2\nvm0\nvm1\n");
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void aJobEndsOnEveryNodeWhenOneOfThemIsCutOff() {
        cluster.script("cut.sh", HEADER + "echo ready\nsleep 100\n");
        String job = submits("cut.out", "-pe", "mpi", "2", "-q", "batch@n1,batch@n2", "-masterq", "batch@n1", "cut.sh");
        cluster.awaitFile("cut.out", "ready");
        cluster.run("head", "root", List.of("ip", "link", "set", "v-n2", "down"))
                .orThrow("cutting a node off");
        cluster.awaitFile("cut.out", "[NODE_LOST]");
        await("the node that was cut off ends its machine")
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(500))
                .untilAsserted(() -> assertThat(cluster.vse("n2", "vm", "ls", "--format", "json")
                                .orThrow("listing machines")
                                .stdout())
                        .doesNotContain("RUNNING"));
        cluster.run("head", "root", List.of("ip", "link", "set", "v-n2", "up")).orThrow("joining a node again");
        awaitState(job, "");
    }

    @Test
    void signalsReachTheScriptAndSuspendingPausesItsMachine() {
        cluster.script(
                "trap.sh", HEADER + "trap 'echo got USR2; exit 9' USR2\necho ready\nwhile :; do sleep 0.2; done\n");
        String job = submits("trap.out", "-notify", "trap.sh");
        cluster.awaitFile("trap.out", "ready");
        String node = nodeOf(job);
        cluster.user("qmod", "-sj", job).orThrow("suspending");
        await("paused")
                .atMost(Duration.ofSeconds(40))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> cluster.vse(node, "vm", "ls").stdout().contains("PAUSED"));
        cluster.user("qmod", "-usj", job).orThrow("resuming");
        await("running")
                .atMost(Duration.ofSeconds(40))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> cluster.vse(node, "vm", "ls").stdout().contains("RUNNING"));
        cluster.user("qdel", job).orThrow("cancelling");
        cluster.awaitFile("trap.out", "got USR2");
        awaitState(job, "");
    }

    @Test
    void aCancelDuringThePrologLeavesNothing() {
        cluster.script("never.sh", HEADER + "echo ran\n");
        String job = submits("never.out", "never.sh");
        awaitState(job, ".* [rt] .*");
        cancel(job);
    }

    @Test
    void withoutVsedTheJobIsTriedAgainAndThenInErrorWithAMessage() {
        cluster.script("alone.sh", HEADER + "echo ran\n");
        cluster.vse("n2", "down").orThrow("ending vsed");
        try {
            String job = submits("alone.out", "-q", "batch@n2", "alone.sh");
            awaitState(job, ".* E(qw|Rq) .*");
            assertThat(cluster.file("alone.out")).contains("[DAEMON_UNREACHABLE]");
            cancel(job);
        } finally {
            cluster.run("n2", "root", List.of("sh", "-c", "rm -f /run/vse/gridengine/* /run/vse/ended/*"))
                    .orThrow("cleaning up");
            cluster.vse("n2", "up").orThrow("starting vsed");
        }
    }

    @Test
    void vsedThatDiesUnderARunningJobLosesNothing() {
        cluster.script("survivor.sh", HEADER + "echo ready\nsleep 8\necho done\nexit 5\n");
        String job = submits("survivor.out", "survivor.sh");
        cluster.awaitFile("survivor.out", "ready");
        String node = nodeOf(job);
        cluster.vse(node, "down").orThrow("ending vsed");
        cluster.vse(node, "up").orThrow("starting vsed");
        cluster.awaitFile("survivor.out", "done");
        awaitState(job, "");
        assertThat(cluster.user("qacct", "-j", job).stdout()).containsPattern("exit_status +5 ");
    }
}

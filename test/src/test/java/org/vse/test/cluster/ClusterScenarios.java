package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.vse.process.CommandResult;

/** What jobs with VMs do under a PBS with several nodes, whichever it is. */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ClusterScenarios {
    static final String VSE = "#VSE image=debian-12\n";

    Cluster cluster;

    /** The batch system's name on command lines. */
    abstract String scheduler();

    abstract List<String> nodes();

    /** Options of qsub that ask for a core on a node. */
    abstract List<String> on(String node);

    /** Options of qsub that ask for a core on each of two nodes. */
    abstract List<String> onTwoNodes();

    /** Option of qsub for an array, before its range. */
    abstract String array();

    /** Exit code of qsub for a job that the gate refuses. */
    abstract int refused();

    /** Submits around the gate; empty when the batch system refuses that itself. */
    abstract CommandResult around(String... arguments);

    /** An attribute of a job, wherever it is now; empty when there is none. */
    abstract String attribute(String job, String name);

    /** True when nothing becomes of the job any more. */
    abstract boolean isOver(String job);

    /** Nodes that take no jobs. */
    abstract List<String> badNodes();

    @BeforeAll
    void open() {
        cluster = Cluster.open(scheduler());
    }

    @AfterAll
    void close() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @AfterEach
    void nothingIsLeftAndNoNodeIsDown() {
        await("nothing is left")
                .atMost(Duration.ofSeconds(90))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> {
                    assertThat(cluster.remainsOn(nodes())).isEmpty();
                    assertThat(badNodes()).isEmpty();
                });
    }

    void script(String name, String text) {
        cluster.script(name + ".sh", "#!/bin/bash\n" + text);
    }

    /** Submits {@code NAME.sh}, whose output goes to {@code NAME.out}; returns the job's id. */
    String submit(String name, List<String> options) {
        List<String> argv = new ArrayList<>(List.of("qsub", "-o", name + ".out", "-e", name + ".err"));
        argv.addAll(options);
        argv.add(name + ".sh");
        return cluster.user(argv.toArray(String[]::new))
                .orThrow("submitting")
                .stdout()
                .strip();
    }

    void awaitEnd(String job) {
        await("the end of job " + job)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> isOver(job));
    }

    void awaitRunning(String job) {
        await("job " + job + " runs")
                .atMost(Duration.ofMinutes(1))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> attribute(job, "job_state").equals("R"));
    }

    void assertEnds(String job, int exitCode) {
        awaitEnd(job);
        assertThat(attribute(job, "(?i)exit_status")).isEqualTo(Integer.toString(exitCode));
    }

    @Test
    void theScriptRunsInAMachineAndItsExitCodeCounts() {
        script(
                "hello",
                VSE
                        + "echo \"$(hostname) $(id -un) $PBS_O_WORKDIR $VSE_ATTEMPT [$COLOUR]\"\n"
                        + "echo complaint >&2\n"
                        + "exit 7\n");
        assertEnds(submit("hello", List.of("-v", "COLOUR=blue and green")), 7);
        cluster.awaitFile("hello.out", "vm0 ann /home/ann 1 [blue and green]\n");
        cluster.awaitFile("hello.err", "complaint\n");
    }

    @Test
    void aForbiddenImageIsRefusedAtSubmitAndNothingIsQueued() {
        script("bad", "#VSE image=centos-5\nhostname\n");
        CommandResult result = cluster.user("qsub", "bad.sh");
        assertThat(result.exitCode()).isEqualTo(refused());
        assertThat(result.stderr()).contains(":2:12: image 'centos-5' is not allowed in queue 'batch'");
        assertThat(result.stdout()).isEmpty();
    }

    @Test
    void whoGetsAroundTheGateMeetsTheNode() {
        script("sly", "#VSE image=centos-5\necho ran\n");
        CommandResult result = around("-o", "sly.out", "-e", "sly.err", "sly.sh");
        awaitEnd(result.orThrow("submitting").stdout().strip());
        cluster.awaitFile("sly.err", "image 'centos-5' is not allowed in queue 'batch'");
        assertThat(cluster.file("sly.out")).doesNotContain("ran");
    }

    @Test
    void aScriptWithoutVseRunsOnTheNode() {
        script("plain", "hostname\nexit 4\n");
        assertEnds(submit("plain", List.of()), 4);
        await("its output").until(() -> cluster.file("plain.out").matches("n[123]\n"));
    }

    @Test
    void whereThePolicyRequiresItAScriptWithoutVseRunsInAMachineToo() {
        script("required", "hostname\n");
        assertEnds(submit("required", List.of("-q", "vms")), 0);
        cluster.awaitFile("required.out", "vm0\n");
    }

    @Test
    void membersOfAnArrayRunAtOnce() {
        script("member", VSE + "echo member ${PBS_ARRAY_INDEX:-$PBS_ARRAYID} on $(hostname) >>members.out\n");
        submit("member", List.of(array(), "1-2"));
        cluster.awaitFile("members.out", "member 1 on vm0\n");
        cluster.awaitFile("members.out", "member 2 on vm0\n");
    }

    @Test
    void aJobOnTwoNodesHasAMachineOnEachAndOneNetworkOfItsOwn() {
        script(
                "two",
                "#VSE image=debian-12-mpi memory=512MiB\ntr '\\n' ' ' <\"$PBS_NODEFILE\"; echo\n"
                        + "mpirun --mca pml ob1 --mca btl self,tcp --mca btl_tcp_if_include eth0"
                        + " --mca oob_tcp_if_include eth0 hostname | sort\n");
        assertEnds(submit("two", onTwoNodes()), 0);
        cluster.awaitFile("two.out", "vm0 vm1 \nvm0\nvm1\n");
    }

    @Test
    void signalsReachTheScriptAndQdelEndsIt() {
        script(
                "trap",
                VSE + "trap 'echo got USR1 >>trap.log' USR1\ntrap 'echo got TERM >>trap.log; exit 9' TERM\n"
                        + "echo ready >>trap.log\nwhile :; do sleep 0.2; done\n");
        String job = submit("trap", List.of());
        cluster.awaitFile("trap.log", "ready");
        cluster.user("qsig", "-s", "SIGUSR1", job).orThrow("signalling");
        cluster.awaitFile("trap.log", "got USR1");
        cluster.user("qdel", job).orThrow("deleting");
        awaitEnd(job);
        cluster.awaitFile("trap.log", "got TERM");
    }

    @Test
    void aQueuedJobThatIsDeletedLeavesNothing() {
        script("queued", VSE + "echo ran >ran.log\n");
        String job = submit("queued", List.of("-h"));
        cluster.user("qdel", job).orThrow("deleting");
        awaitEnd(job);
        assertThat(cluster.file("ran.log")).isEmpty();
    }

    @Test
    void aJobThatIsDeletedDuringThePrologueDoesNotRun() {
        script("never", VSE + "sleep 1\necho ran >never.log\n");
        String job = submit("never", List.of());
        awaitRunning(job);
        cluster.user("qdel", job).orThrow("deleting");
        awaitEnd(job);
        assertThat(cluster.file("never.log")).isEmpty();
    }

    @Test
    void vsedThatDiesUnderARunningJobLosesNothing() {
        script("survivor", VSE + "echo ready >survivor.log\nsleep 8\necho done\nexit 5\n");
        String job = submit("survivor", on("n1"));
        cluster.awaitFile("survivor.log", "ready");
        cluster.vse("n1", "down").orThrow("ending vsed");
        cluster.vse("n1", "up").orThrow("starting vsed");
        assertEnds(job, 5);
        cluster.awaitFile("survivor.out", "done\n");
    }

    @Test
    void aJobThatIsStartedAgainRunsInMachinesOfItsOwn() {
        script("again", VSE + "echo run $VSE_ATTEMPT >>again.log\n[ $VSE_ATTEMPT = 2 ] || sleep 100\n");
        String job = submit("again", List.of());
        cluster.awaitFile("again.log", "run 1\n");
        cluster.run("head", "root", List.of("qrerun", job)).orThrow("starting again");
        assertEnds(job, 0);
        assertThat(cluster.file("again.log")).isEqualTo("run 1\nrun 2\n");
    }
}

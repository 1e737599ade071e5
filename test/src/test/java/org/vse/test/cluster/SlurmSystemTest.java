package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
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

/** Jobs with VMs under a real Slurm with three nodes. */
@Tag("system")
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SlurmSystemTest {
    private static final String HEADER = "#!/bin/bash\n#SBATCH -n1 -t 5\n#VSE image=debian-12\n";

    private Cluster cluster;

    @BeforeAll
    void open() {
        cluster = Cluster.open("slurm");
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    @AfterEach
    void nothingIsLeftAndNoNodeDrained() {
        await("nothing is left")
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(cluster.remains()).isEmpty());
    }

    @Test
    void theScriptRunsInAMachineWithItsArgumentsAndItsExitCodeCounts() {
        cluster.script(
                "hello.sh",
                HEADER + "echo \"$(hostname) $(id -un) $PWD $SLURM_JOB_NODELIST $VSE_ATTEMPT [$1] [$2]\"\n"
                        + "cat $0 | tail -n +2 | head -n 1\necho complaint >&2\nexit 7\n");
        CommandResult result =
                cluster.user("sbatch", "-W", "-o", "hello.out", "-e", "hello.err", "hello.sh", "one", "t w o");
        assertThat(result.exitCode())
                .as(result.toString() + cluster.file("hello.err"))
                .isEqualTo(7);
        assertThat(cluster.file("hello.out")).isEqualTo("vm0 ann /home/ann vm0 1 [one] [t w o]\n#SBATCH -n1 -t 5\n");
        assertThat(cluster.file("hello.err")).isEqualTo("complaint\n");
    }

    @Test
    void aForbiddenImageIsRefusedAtSubmitAndNothingIsQueued() {
        cluster.script("bad.sh", "#!/bin/bash\n#VSE image=centos-5\nhostname\n");
        CommandResult result = cluster.user("sbatch", "bad.sh");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.stderr()).contains("bad.sh:2:12: image 'centos-5' is not allowed in queue 'batch'");
        assertThat(cluster.user("squeue", "-h").stdout()).isBlank();
    }

    @Test
    void aScriptWithoutVseRunsOnTheNode() {
        cluster.script("plain.sh", "#!/bin/bash\necho $(hostname)\nexit 4\n");
        CommandResult result = cluster.user("sbatch", "-W", "-o", "plain.out", "plain.sh");
        assertThat(result.exitCode()).isEqualTo(4);
        assertThat(cluster.file("plain.out")).matches("n[123]\n");
    }

    @Test
    void whereThePolicyRequiresItAScriptWithoutVseRunsInAMachineToo() {
        cluster.script("required.sh", "#!/bin/bash\n#SBATCH -n1 -t 5 -p vms\nhostname\n");
        CommandResult result = cluster.user("sbatch", "-W", "-o", "required.out", "required.sh");
        assertThat(result.exitCode()).as(cluster.file("required.out")).isZero();
        assertThat(cluster.file("required.out")).isEqualTo("vm0\n");
    }

    @Test
    void anImageThatDoesNotExistFailsTheJobWithAMessageAndHarmsNoNode() {
        cluster.script("nonesuch.sh", "#!/bin/bash\n#VSE image=debian-12-nonesuch\nhostname\n");
        CommandResult result = cluster.user("sbatch", "-W", "-o", "nonesuch.out", "nonesuch.sh");
        assertThat(result.exitCode()).isEqualTo(125);
        assertThat(cluster.file("nonesuch.out")).contains("debian-12-nonesuch").contains("[IMAGE_UNKNOWN]");
    }

    @Test
    void membersOfAnArrayAndSeveralJobsRunAtOnce() {
        cluster.script("member.sh", HEADER + "echo member $SLURM_ARRAY_TASK_ID on $(hostname)\n");
        CommandResult result = cluster.user("sbatch", "-W", "-a", "1-4", "-o", "member-%a.out", "member.sh");
        assertThat(result.exitCode()).as(result.toString()).isZero();
        assertThat(Stream.of(1, 2, 3, 4)
                        .map(index -> cluster.file("member-" + index + ".out"))
                        .toList())
                .containsExactly("member 1 on vm0\n", "member 2 on vm0\n", "member 3 on vm0\n", "member 4 on vm0\n");
    }

    @Test
    void aJobOnTwoNodesHasAMachineOnEachAndOneNetworkOfItsOwn() {
        cluster.script(
                "two.sh",
                "#!/bin/bash\n#SBATCH -N2 -n2 -t 5\n#VSE image=debian-12-mpi memory=512MiB\n"
                        + "echo \"$SLURM_JOB_NODELIST\"; tr '\\n' ' ' < \"$VSE_NODEFILE\"; echo\n"
                        + "mpirun --mca pml ob1 --mca btl self,tcp --mca btl_tcp_if_include eth0"
                        + " --mca oob_tcp_if_include eth0 hostname | sort\n"
                        + "head -c 3000000 /dev/zero | ssh vm1 'wc -c; ls two.sh'\n");
        CommandResult result = cluster.user("sbatch", "-W", "-o", "two.out", "two.sh");
        assertThat(cluster.file("two.out")).isEqualTo("vm0,vm1\nvm0 vm1 \nvm0\nvm1\n3000000\ntwo.sh\n");
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void aJobEndsOnEveryNodeWhenOneOfThemIsCutOff() {
        cluster.script(
                "cut.sh", "#!/bin/bash\n#SBATCH -N2 -n2 -t 5 -w n1,n2\n#VSE image=debian-12\necho ready\nsleep 100\n");
        String job = cluster.submit("-o", "cut.out", "cut.sh");
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
        cluster.awaitState(job, "FAILED", "COMPLETED", "NODE_FAIL");
    }

    @Test
    void signalsReachTheScriptAndACancelEndsIt() {
        cluster.script(
                "trap.sh",
                HEADER + "trap 'echo got USR1' USR1\ntrap 'echo got TERM; exit 9' TERM\necho ready\n"
                        + "while :; do sleep 0.2; done\n");
        String job = cluster.submit("-o", "trap.out", "trap.sh");
        cluster.awaitFile("trap.out", "ready");
        cluster.user("scancel", "-b", "-s", "USR1", job).orThrow("signalling");
        cluster.awaitFile("trap.out", "got USR1");
        cluster.user("scancel", job).orThrow("cancelling");
        cluster.awaitState(job, "CANCELLED");
        cluster.awaitFile("trap.out", "got TERM");
    }

    @Test
    void aCancelDuringThePrologLeavesNothing() {
        cluster.script("never.sh", HEADER + "echo ran\n");
        String job = cluster.submit("-o", "never.out", "never.sh");
        cluster.awaitState(job, "RUNNING", "CONFIGURING");
        cluster.user("scancel", job).orThrow("cancelling");
        cluster.awaitState(job, "CANCELLED");
    }

    @Test
    void aPrologThatIsRepeatedChangesNothing() {
        cluster.script("long.sh", HEADER + "echo ready\nsleep 5\n");
        String job = cluster.submit("-o", "long.out", "long.sh");
        cluster.awaitFile("long.out", "ready");
        String node = cluster.field(job, "BatchHost");
        CommandResult again = cluster.run(
                node,
                "root",
                List.of(
                        "env",
                        "SLURM_JOB_ID=" + job,
                        "SLURM_JOB_UID=60001",
                        "SLURM_JOB_RESTART_COUNT=0",
                        "SLURM_JOB_COMMENT=vse:1",
                        "SLURM_CONF=/etc/slurm/slurm.conf",
                        "/etc/vse/slurm/prolog"));
        assertThat(again.exitCode()).isZero();
        assertThat(again.stderr()).isEmpty();
        cluster.awaitState(job, "COMPLETED");
    }

    @Test
    void withoutVsedTheJobEndsWithAClearMessage() {
        cluster.script("alone.sh", HEADER + "echo ran\n");
        cluster.vse("n2", "down").orThrow("ending vsed");
        CommandResult result = cluster.user("sbatch", "-W", "-w", "n2", "-o", "alone.out", "alone.sh");
        cluster.vse("n2", "up").orThrow("starting vsed");
        assertThat(result.exitCode()).isEqualTo(125);
        assertThat(cluster.file("alone.out")).contains("[DAEMON_UNREACHABLE]");
        cluster.run("n2", "root", List.of("sh", "-c", "rm -f /run/vse/slurm/*")).orThrow("cleaning up");
    }

    @Test
    void aJobThatEndsWhileVsedIsDownIsTakenDownByTheNextOne() {
        cluster.script("orphan.sh", HEADER + "echo ready\nsleep 200\n");
        String job = cluster.submit("-o", "orphan.out", "orphan.sh");
        cluster.awaitFile("orphan.out", "ready");
        String node = cluster.field(job, "BatchHost");
        cluster.vse(node, "down").orThrow("ending vsed");
        cluster.user("scancel", job).orThrow("cancelling");
        await("the epilogue's word")
                .atMost(Duration.ofSeconds(60))
                .until(() -> cluster.run(node, "root", List.of("sh", "-c", "ls /run/vse/ended/*"))
                                .exitCode()
                        == 0);
        cluster.vse(node, "up").orThrow("starting vsed");
        cluster.awaitState(job, "CANCELLED");
    }

    @Test
    void vsedThatDiesUnderARunningJobLosesNothing() {
        cluster.script("survivor.sh", HEADER + "echo ready\nsleep 8\necho done\nexit 5\n");
        String job = cluster.submit("-o", "survivor.out", "survivor.sh");
        cluster.awaitFile("survivor.out", "ready");
        String node = cluster.field(job, "BatchHost");
        cluster.vse(node, "down").orThrow("ending vsed");
        cluster.vse(node, "up").orThrow("starting vsed");
        cluster.awaitState(job, "FAILED");
        assertThat(cluster.field(job, "ExitCode")).isEqualTo("5:0");
        assertThat(cluster.file("survivor.out")).startsWith("ready\n").contains("done\n");
    }
}

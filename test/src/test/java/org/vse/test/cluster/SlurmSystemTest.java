package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
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
    void twelveMembersOfAnArrayRunOnThreeNodes() {
        cluster.script("member.sh", HEADER + "echo member $SLURM_ARRAY_TASK_ID on $(hostname)\n");
        String job = cluster.submit("-a", "1-12", "-o", "member-%a.out", "member.sh");
        CommandResult result = cluster.userVse("wait", job);
        assertThat(result.exitCode()).as(result.toString()).isZero();
        assertThat(IntStream.rangeClosed(1, 12).mapToObj(index -> cluster.file("member-" + index + ".out")))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, 12)
                        .mapToObj(index -> "member " + index + " on vm0\n")
                        .toList());
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

    private String pid(String host, String file) {
        return cluster.run(host, "root", List.of("cat", file))
                .orThrow("reading " + file)
                .stdout()
                .strip();
    }

    /** Ends a daemon of the batch system's and returns when it has gone. */
    private void end(String host, String pid) {
        cluster.run(host, "root", List.of("kill", pid)).orThrow("ending a daemon");
        await("the end of " + pid)
                .atMost(Duration.ofSeconds(30))
                .until(() -> cluster.run(host, "root", List.of("test", "-d", "/proc/" + pid))
                                .exitCode()
                        != 0);
    }

    @Test
    void whatAUserAsksSlurmForIsSeenInsideAndVseSubmitsLikeSbatch() {
        byte[] script = (HEADER.replace("12\n", "12 vcpus=2\n")
                        + "# gr\u00fc\u00dfe\necho $SLURM_JOB_ACCOUNT $COLOUR $(nproc) [$1]\nsrun true\nexit 6\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        cluster.script("asked.sh", script);
        cluster.script("next.sh", "#!/bin/bash\n#SBATCH -n1\necho after\n");
        CommandResult submitted = cluster.userVse(
                "submit",
                "--account",
                "acc",
                "--output",
                "asked.out",
                "--error",
                "asked.err",
                "asked.sh",
                "--export=ALL,COLOUR=blue",
                "--",
                "a b");
        assertThat(submitted.exitCode()).as(submitted.toString()).isZero();
        assertThat(submitted.stderr()).isEqualTo("vse: submitted to slurm\n");
        String job = submitted.stdout().strip();
        String next = cluster.submit("-d", "afternotok:" + job, "-o", "next.out", "next.sh");
        assertThat(cluster.userVse("ps").stdout())
                .contains(job)
                .contains("QUEUED")
                .contains("asked.sh");
        CommandResult ended = cluster.userVse("wait", job);
        assertThat(ended.exitCode()).as(ended + cluster.file("asked.err")).isEqualTo(6);
        assertThat(cluster.file("asked.out")).isEqualTo("acc blue 2 [a b]\n");
        assertThat(cluster.file("asked.err"))
                .contains("vse: srun does not work inside a virtual machine [NOT_SUPPORTED]");
        assertThat(cluster.userVse("wait", next).exitCode()).isZero();
        assertThat(cluster.file("next.out")).isEqualTo("after\n");
    }

    @Test
    void whatDoesNotFitTogetherIsRefusedAtSubmit() {
        cluster.script("narrow.sh", "#!/bin/bash\n#SBATCH -n1 -c1\n#VSE image=debian-12 vcpus=2\nhostname\n");
        CommandResult cores = cluster.userVse("submit", "narrow.sh");
        assertThat(cores.exitCode()).isEqualTo(1);
        assertThat(cores.stderr()).contains("narrow.sh:3:28: the VMs of a node need 2 cores, but the job asks for 1");
        cluster.script(
                "small.sh", "#!/bin/bash\n#SBATCH -n1 --mem=100M\n#VSE image=debian-12 memory=512MiB\nhostname\n");
        CommandResult memory = cluster.user("sbatch", "small.sh");
        assertThat(memory.exitCode()).isEqualTo(1);
        assertThat(memory.stderr()).contains("need 512 MiB, but the job asks for 100 MiB [DIRECTIVE_CONFLICT]");
        CommandResult interactive = cluster.user("salloc", "-n1", "-p", "vms", "true");
        assertThat(interactive.exitCode()).isEqualTo(1);
        assertThat(interactive.stderr()).contains("queue 'vms' runs jobs in virtual machines only");
        cluster.user("sbatch", "-H", "-n1", "-p", "bare", "--job-name", "plain", "--wrap", "hostname")
                .orThrow("submitting");
        CommandResult listed = cluster.user("salloc", "-n1", "-p", "bare,vms", "true");
        assertThat(listed.exitCode()).isEqualTo(1);
        assertThat(listed.stderr()).contains("queue 'vms' runs jobs in virtual machines only");
        String plain =
                cluster.user("squeue", "-h", "-n", "plain", "-o", "%i").stdout().strip();
        CommandResult moved = cluster.user("scontrol", "update", "JobId=" + plain, "Partition=vms");
        assertThat(moved.exitCode()).isNotZero();
        assertThat(cluster.field(plain, "Partition")).isEqualTo("bare");
        cluster.user("scancel", plain).orThrow("cancelling");
        await("nothing is queued")
                .atMost(Duration.ofSeconds(20))
                .until(() -> cluster.user("squeue", "-h").stdout().isBlank());
    }

    @Test
    void whatIsAlteredAfterTheGateMeetsTheNode() {
        cluster.script("altered.sh", HEADER + "echo ran on $(hostname)\n");
        String moved = cluster.submit("-H", "-o", "moved.out", "altered.sh");
        String unmarked = cluster.submit("-H", "-o", "unmarked.out", "altered.sh");
        cluster.user("scontrol", "update", "JobId=" + moved, "Partition=bare").orThrow("altering");
        cluster.user("scontrol", "update", "JobId=" + unmarked, "Comment=none").orThrow("altering");
        cluster.user("scontrol", "release", moved, unmarked).orThrow("releasing");
        assertThat(cluster.userVse("wait", moved).exitCode()).isEqualTo(125);
        assertThat(cluster.userVse("wait", unmarked).exitCode()).isEqualTo(125);
        assertThat(cluster.file("moved.out")).contains("[POLICY_QUEUE_DENIED]").doesNotContain("ran on");
        assertThat(cluster.file("unmarked.out")).contains("[JOB_UNKNOWN]").doesNotContain("ran on");
    }

    @Test
    void aJobIsPausedOutlivesItsSlurmdAndAHeadThatIsDownAndIsRequeued() {
        cluster.script(
                "tough.sh",
                HEADER + "#SBATCH --requeue --open-mode=append\necho attempt $VSE_ATTEMPT\n"
                        + "until [ -e tough.go$VSE_ATTEMPT ]; do echo tick >> tough.ticks; sleep 0.5; done\necho done\n");
        String job = cluster.submit("-o", "tough.out", "tough.sh");
        cluster.awaitFile("tough.out", "attempt 1");
        String node = cluster.field(job, "BatchHost");
        cluster.run("head", "root", List.of("scontrol", "suspend", job)).orThrow("suspending");
        cluster.awaitFile("tough.out", "the machines are paused");
        String paused = cluster.file("tough.ticks");
        end(node, pid(node, "/run/slurmd.pid"));
        cluster.run(node, "root", List.of("slurmd", "-N", node)).orThrow("starting slurmd");
        assertThat(cluster.file("tough.ticks")).isEqualTo(paused);
        cluster.run("head", "root", List.of("scontrol", "resume", job)).orThrow("resuming");
        cluster.awaitFile("tough.out", "the machines go on");
        end("head", pid("head", "/run/slurm/slurmctld.pid"));
        int before = cluster.file("tough.ticks").length();
        await("the job goes on without its head")
                .atMost(Duration.ofSeconds(60))
                .until(() -> cluster.file("tough.ticks").length() > before + 25);
        cluster.run("head", "root", List.of("slurmctld")).orThrow("starting slurmctld");
        await("the head")
                .atMost(Duration.ofSeconds(60))
                .until(() -> cluster.field(job, "JobState").equals("RUNNING"));
        cluster.user("scontrol", "requeue", job).orThrow("requeueing");
        cluster.awaitFile("tough.out", "attempt 2");
        cluster.script("tough.go2", "");
        assertThat(cluster.userVse("wait", job).exitCode()).isZero();
        assertThat(cluster.file("tough.out")).endsWith("attempt 2\ndone\n");
    }

    @Test
    @Tag("full")
    void theMachinesOfANodeThatIsCutOffAreGoneBeforeTheirJobStartsAgain() {
        cluster.script("fence.sh", """
                #!/bin/bash
                #SBATCH -N2 -n2 -t 5 --requeue --open-mode=append
                #VSE image=debian-12
                echo attempt $VSE_ATTEMPT
                [ $VSE_ATTEMPT = 2 ] || sleep 200
                """);
        cluster.script("alone.sh", HEADER + "#SBATCH --no-requeue\necho ready\nsleep 200\n");
        String job = cluster.submit("-o", "fence.out", "fence.sh");
        cluster.awaitFile("fence.out", "attempt 1");
        String first = cluster.field(job, "BatchHost");
        String single = cluster.submit("-w", first, "-o", "lonely.out", "alone.sh");
        cluster.awaitFile("lonely.out", "ready");
        cluster.run("head", "root", List.of("ip", "link", "set", "v-" + first, "down"))
                .orThrow("cutting a node off");
        cluster.awaitFile("fence.out", "attempt 2");
        assertThat(cluster.vse(first, "vm", "ls", "--format", "json")
                        .orThrow("listing machines")
                        .stdout())
                .doesNotContain("RUNNING");
        assertThat(cluster.file("lonely.out")).contains("[NODE_LOST]");
        cluster.run("head", "root", List.of("ip", "link", "set", "v-" + first, "up"))
                .orThrow("joining a node again");
        cluster.awaitState(job, "COMPLETED");
        cluster.awaitState(single, "FAILED", "NODE_FAIL");
    }
}

package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.process.CommandResult;

/** Jobs with VMs under a real Slurm with three nodes. */
@Tag("system")
class SlurmSystemTest extends ClusterScenarios {
    private static final String HEADER = "#SBATCH -n1 -t 5\n" + VSE;

    @Override
    String scheduler() {
        return "slurm";
    }

    @Override
    CommandResult submits(List<String> words) {
        List<String> argv = new ArrayList<>(List.of("sbatch", "--parsable"));
        argv.addAll(words);
        return cluster.run("head", Cluster.USER, argv);
    }

    @Override
    List<String> on(String node) {
        return List.of("-w", node);
    }

    @Override
    List<String> on(String first, String second) {
        return List.of("-N2", "-n2", "-w", first + "," + second);
    }

    @Override
    List<String> saved() {
        return List.of("-N2", "-n2", "-w", "n2,n3", "-t", "2");
    }

    @Override
    int countedTo() {
        return 410;
    }

    @Override
    List<String> array(int last) {
        return List.of("-a", "1-" + last);
    }

    @Override
    String member() {
        return "SLURM_ARRAY_TASK_ID";
    }

    @Override
    List<String> inQueue(String queue) {
        return List.of("-p", queue);
    }

    @Override
    String held() {
        return "-H";
    }

    @Override
    List<String> variable(String assignment) {
        return List.of("--export=ALL," + assignment);
    }

    @Override
    int refused() {
        return 1;
    }

    @Override
    String machineList() {
        return "echo $SLURM_JOB_NODELIST";
    }

    @Override
    String twoMachines() {
        return "vm0,vm1\n";
    }

    @Override
    String listing() {
        return cluster.user("squeue", "-h", "-o", "%i %j").stdout();
    }

    @Override
    boolean hasBegun(String job) {
        return List.of("RUNNING", "CONFIGURING").contains(state(job));
    }

    @Override
    boolean isOver(String job) {
        return List.of("COMPLETED", "FAILED", "CANCELLED", "NODE_FAIL", "TIMEOUT")
                .contains(state(job));
    }

    @Override
    String exitCode(String job) {
        return field(job, "ExitCode").split(":", 2)[0];
    }

    @Override
    void cancel(String job) {
        cluster.user("scancel", job).orThrow("cancelling");
    }

    @Override
    void startAgain(String job) {
        cluster.user("scontrol", "requeue", job).orThrow("requeueing");
    }

    @Override
    List<String> unfit() {
        return cluster.user("sinfo", "-h", "-N", "-o", "%N %T %E")
                .orThrow("looking at the nodes")
                .stdout()
                .lines()
                .filter(line -> !line.matches("n[0-9] idle none\\s*"))
                .toList();
    }

    @Override
    String accountingForm() {
        return "slurm";
    }

    @Override
    List<String> accounting() {
        return List.of("sh", "-c", "exec cat \"$(scontrol show config | sed -n 's/^JobCompLoc *= *//p')\"");
    }

    /** A field of {@code scontrol show job}. */
    private String field(String job, String name) {
        String text = cluster.user("scontrol", "show", "job", job).stdout();
        int at = text.indexOf(" " + name + "=");
        return at < 0 ? "" : text.substring(at + name.length() + 2).split("\\s", 2)[0];
    }

    private String state(String job) {
        return field(job, "JobState");
    }

    @Test
    void anImageThatDoesNotExistFailsTheJobWithAMessageAndHarmsNoNode() {
        script("nonesuch", "#VSE image=debian-12-nonesuch\nhostname\n");
        assertEnds(submit("nonesuch", List.of()), 125);
        assertThat(cluster.file("nonesuch.err")).contains("debian-12-nonesuch").contains("[IMAGE_UNKNOWN]");
    }

    @Test
    void signalsReachTheScriptAndACancelEndsIt() {
        script(
                "trap",
                HEADER + "trap 'echo got USR1' USR1\ntrap 'echo got TERM; exit 9' TERM\necho ready\n"
                        + "while :; do sleep 0.2; done\n");
        String job = submit("trap", List.of());
        cluster.awaitFile("trap.out", "ready");
        cluster.user("scancel", "-b", "-s", "USR1", job).orThrow("signalling");
        cluster.awaitFile("trap.out", "got USR1");
        cancel(job);
        awaitEnd(job);
        cluster.awaitFile("trap.out", "got TERM");
        assertThat(state(job)).isEqualTo("CANCELLED");
    }

    @Test
    void aPrologThatIsRepeatedChangesNothing() {
        script("long", HEADER + "echo ready\nuntil [ -e long.go ]; do sleep 0.2; done\n");
        String job = submit("long", List.of());
        cluster.awaitFile("long.out", "ready");
        CommandResult again = cluster.run(
                field(job, "BatchHost"),
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
        cluster.script("long.go", "");
        assertEnds(job, 0);
    }

    @Test
    @Disturbs("n1")
    void withoutVsedTheJobEndsWithAClearMessage() {
        script("alone", HEADER + "echo ran\n");
        cluster.vse("n1", "down").orThrow("ending vsed");
        String job = submit("alone", on("n1"));
        awaitEnd(job);
        cluster.vse("n1", "up").orThrow("starting vsed");
        assertEnds(job, 125);
        assertThat(cluster.file("alone.err")).contains("[DAEMON_UNREACHABLE]");
        cluster.run("n1", "root", List.of("sh", "-c", "rm -f /run/vse/slurm/*")).orThrow("cleaning up");
    }

    @Test
    @Disturbs("n3")
    void aJobThatEndsWhileVsedIsDownIsTakenDownByTheNextOne() {
        script("orphan", HEADER + "echo ready\nsleep 200\n");
        String job = submit("orphan", on("n3"));
        cluster.awaitFile("orphan.out", "ready");
        cluster.vse("n3", "down").orThrow("ending vsed");
        cancel(job);
        awaits(
                "the epilogue's word",
                () -> cluster.run("n3", "root", List.of("sh", "-c", "ls /run/vse/ended/*"))
                                .exitCode()
                        == 0);
        cluster.vse("n3", "up").orThrow("starting vsed");
        awaitEnd(job);
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
        within(Duration.ofSeconds(30), "the end of " + pid)
                .until(() -> cluster.run(host, "root", List.of("test", "-d", "/proc/" + pid))
                                .exitCode()
                        != 0);
    }

    @Test
    void whatAUserAsksSlurmForIsSeenInsideAndVseSubmitsLikeSbatch() {
        byte[] text = ("#!/bin/bash\n" + HEADER.replace("12\n", "12 vcpus=2\n")
                        + "# gr\u00fc\u00dfe\necho $SLURM_JOB_ACCOUNT $COLOUR $(nproc) [$1]\nhead -n 2 $0 | tail -n 1\n"
                        + "srun true\nexit 6\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        cluster.script("asked.sh", text);
        script("next", "#SBATCH -n1\necho after\n");
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
        String next = submit("next", List.of("-d", "afternotok:" + job));
        assertThat(cluster.userVse("ps").stdout())
                .contains(job)
                .contains("QUEUED")
                .contains("asked.sh");
        awaitEnd(job);
        CommandResult ended = cluster.userVse("wait", job);
        assertThat(ended.exitCode()).as(ended + cluster.file("asked.err")).isEqualTo(6);
        assertThat(cluster.file("asked.out")).isEqualTo("acc blue 2 [a b]\n#SBATCH -n1 -t 5\n");
        assertThat(cluster.file("asked.err"))
                .contains("vse: srun does not work inside a virtual machine [NOT_SUPPORTED]");
        assertEnds(next, 0);
        assertThat(cluster.file("next.out")).isEqualTo("after\n");
    }

    @Test
    void whatDoesNotFitTogetherIsRefusedAtSubmit() {
        cluster.script("narrow.sh", "#!/bin/bash\n#SBATCH -n1 -c1\n#VSE image=debian-12 vcpus=2\nhostname\n");
        CommandResult cores = cluster.userVse("submit", "narrow.sh");
        assertThat(cores.exitCode()).isEqualTo(1);
        assertThat(cores.stderr()).contains("narrow.sh:3:28: the VMs of a node need 2 cores, but the job asks for 1");
        script("small", "#SBATCH -n1 --mem=100M\n#VSE image=debian-12 memory=512MiB\nhostname\n");
        CommandResult memory = submits(List.of("small.sh"));
        assertThat(memory.exitCode()).isEqualTo(1);
        assertThat(memory.stderr()).contains("need 512 MiB, but the job asks for 100 MiB [DIRECTIVE_CONFLICT]");
        CommandResult interactive = cluster.user("salloc", "-n1", "-p", "vms", "true");
        assertThat(interactive.exitCode()).isEqualTo(1);
        assertThat(interactive.stderr()).contains("queue 'vms' runs jobs in virtual machines only");
        String plain = submits(List.of("-H", "-n1", "-p", "bare", "--wrap", "hostname"))
                .orThrow("submitting")
                .stdout()
                .strip();
        CommandResult listed = cluster.user("salloc", "-n1", "-p", "bare,vms", "true");
        assertThat(listed.exitCode()).isEqualTo(1);
        assertThat(listed.stderr()).contains("queue 'vms' runs jobs in virtual machines only");
        CommandResult moved = cluster.user("scontrol", "update", "JobId=" + plain, "Partition=vms");
        assertThat(moved.exitCode()).isNotZero();
        assertThat(field(plain, "Partition")).isEqualTo("bare");
        cancel(plain);
        awaitEnd(plain);
    }

    @Test
    void whatIsAlteredAfterTheGateMeetsTheNode() {
        script("moved", HEADER + "echo ran on $(hostname)\n");
        script("unmarked", HEADER + "echo ran on $(hostname)\n");
        String moved = submit("moved", List.of(held()));
        String unmarked = submit("unmarked", List.of(held()));
        cluster.user("scontrol", "update", "JobId=" + moved, "Partition=bare").orThrow("altering");
        cluster.user("scontrol", "update", "JobId=" + unmarked, "Comment=none").orThrow("altering");
        cluster.user("scontrol", "release", moved, unmarked).orThrow("releasing");
        assertEnds(moved, 125);
        assertEnds(unmarked, 125);
        assertThat(cluster.file("moved.err")).contains("[POLICY_QUEUE_DENIED]");
        assertThat(cluster.file("unmarked.err")).contains("[JOB_UNKNOWN]");
        assertThat(cluster.file("moved.out") + cluster.file("unmarked.out")).doesNotContain("ran on");
    }

    @Test
    @Disturbs({"n1", "head"})
    void aJobIsPausedOutlivesItsSlurmdAndAHeadThatIsDownAndIsRequeued() {
        script(
                "tough",
                HEADER + "#SBATCH --requeue --open-mode=append\n"
                        + "echo attempt $VSE_ATTEMPT\n"
                        + "until [ -e tough.go$VSE_ATTEMPT ]; do echo tick >> tough.ticks; sleep 0.5; done\n"
                        + "echo done\n");
        String job = submit("tough", on("n1"));
        cluster.awaitFile("tough.out", "attempt 1");
        cluster.run("head", "root", List.of("scontrol", "suspend", job)).orThrow("suspending");
        cluster.awaitFile("tough.err", "the machines are paused");
        String paused = cluster.file("tough.ticks");
        end("n1", pid("n1", "/run/slurmd.pid"));
        cluster.run("n1", "root", List.of("slurmd", "-N", "n1")).orThrow("starting slurmd");
        assertThat(cluster.file("tough.ticks")).isEqualTo(paused);
        cluster.run("head", "root", List.of("scontrol", "resume", job)).orThrow("resuming");
        cluster.awaitFile("tough.err", "the machines go on");
        end("head", pid("head", "/run/slurm/slurmctld.pid"));
        int before = cluster.file("tough.ticks").length();
        within(Duration.ofSeconds(60), "the job goes on without its head")
                .until(() -> cluster.file("tough.ticks").length() > before + 25);
        cluster.run("head", "root", List.of("slurmctld")).orThrow("starting slurmctld");
        within(Duration.ofSeconds(60), "the head").until(() -> state(job).equals("RUNNING"));
        startAgain(job);
        cluster.awaitFile("tough.out", "attempt 2");
        cluster.script("tough.go2", "");
        assertEnds(job, 0);
        assertThat(cluster.file("tough.out")).endsWith("attempt 2\ndone\n");
    }

    @Test
    @Tag("full")
    @Disturbs({"n1", "n2", "n3"})
    void theMachinesOfANodeThatIsCutOffAreGoneBeforeTheirJobStartsAgain() {
        script(
                "fence",
                "#SBATCH -N2 -n2 -t 5 --requeue --open-mode=append\n" + VSE
                        + "echo attempt $VSE_ATTEMPT\n[ $VSE_ATTEMPT = 2 ] || sleep 200\n");
        script("lonely", HEADER + "#SBATCH --no-requeue\necho ready\nsleep 200\n");
        String job = submit("fence", List.of());
        cluster.awaitFile("fence.out", "attempt 1");
        String first = field(job, "BatchHost");
        String single = submit("lonely", on(first));
        cluster.awaitFile("lonely.out", "ready");
        cluster.link(first, "down");
        cluster.awaitFile("fence.out", "attempt 2");
        assertThat(cluster.hasRunningMachine(first)).isFalse();
        assertThat(cluster.file("lonely.err")).contains("[NODE_LOST]");
        cluster.link(first, "up");
        assertEnds(job, 0);
        awaitEnd(single);
    }
}

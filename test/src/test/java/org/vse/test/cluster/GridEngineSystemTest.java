package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.process.CommandResult;

/** Jobs with VMs under a real Grid Engine with three nodes. */
@Tag("system")
class GridEngineSystemTest extends ClusterScenarios {
    private static final Pattern EXIT_STATUS = Pattern.compile("(?m)^exit_status +([0-9]+)");

    @Override
    String scheduler() {
        return "gridengine";
    }

    @Override
    CommandResult submits(List<String> words) {
        List<String> argv = new ArrayList<>(List.of("qsub", "-terse", "-cwd"));
        argv.addAll(words);
        return cluster.run("head", Cluster.USER, argv);
    }

    @Override
    List<String> on(String node) {
        return List.of("-q", "batch@" + node);
    }

    @Override
    List<String> on(String first, String second) {
        return List.of("-pe", "mpi", "2", "-q", "batch@" + first + ",batch@" + second, "-masterq", "batch@" + first);
    }

    @Override
    String savedVms() {
        return "#VSE vms-per-node=2 vcpus=1 memory=256MiB\n";
    }

    /** A host that was not the job's first has it cleaned up minutes later, and does not take it before. */
    @Override
    List<String> saved() {
        return List.of("-pe", "smp", "2", "-q", "batch@n2", "-l", "h_rt=80");
    }

    @Override
    int countedTo() {
        return 280;
    }

    @Override
    List<String> array(int last) {
        return List.of("-t", "1-" + last);
    }

    @Override
    String member() {
        return "SGE_TASK_ID";
    }

    @Override
    List<String> inQueue(String queue) {
        return queue.equals("batch") ? List.of("-q", queue) : List.of("-q", queue, "-l", queue);
    }

    @Override
    String held() {
        return "-h";
    }

    @Override
    List<String> variable(String assignment) {
        return List.of("-v", assignment);
    }

    @Override
    int refused() {
        return 1;
    }

    @Override
    String machineList() {
        return "cat \"$PE_HOSTFILE\"; echo $NHOSTS";
    }

    @Override
    String twoMachines() {
        return "vm0 1 vse@vm0 UNDEFINED\nvm1 1 vse@vm1 UNDEFINED\n2\n";
    }

    @Override
    String listing() {
        return cluster.user("qstat", "-u", "*").stdout();
    }

    @Override
    boolean hasBegun(String job) {
        return state(job).matches(".* [rt] .*");
    }

    @Override
    boolean isOver(String job) {
        return state(job).isEmpty();
    }

    @Override
    String exitCode(String job) {
        Matcher status = EXIT_STATUS.matcher(cluster.user("qacct", "-j", job).stdout());
        String last = "";
        while (status.find()) {
            last = status.group(1);
        }
        return last;
    }

    @Override
    void cancel(String job) {
        cluster.user("qdel", job).orThrow("cancelling");
    }

    @Override
    void startAgain(String job) {
        // 'qmod -rj' starts a job before its old attempt has ended, and takes the end of that for the end of both.
        cluster.script("again.go", "");
    }

    /** Queues of nodes that are in use or in a state, and jobs. */
    @Override
    List<String> unfit() {
        return cluster.user("qstat", "-f", "-u", "*")
                .orThrow("looking at the queues")
                .stdout()
                .lines()
                .filter(line -> line.matches("[a-z]+@n[0-9] .*|\\s*[0-9]+ .*"))
                .filter(line -> !line.matches("[a-z]+@n[0-9] +BIP +0/0/[0-9]+ +[0-9.]+ +lx-amd64 *"))
                .toList();
    }

    @Override
    String accountingForm() {
        return "gridengine";
    }

    @Override
    List<String> accounting() {
        return List.of("cat", "/var/lib/gridengine/default/common/accounting");
    }

    /** State and queue of a job, empty once there is no such job. */
    private String state(String job) {
        return listing()
                .lines()
                .filter(line -> line.strip().startsWith(job + " "))
                .findFirst()
                .orElse("");
    }

    /** A job in error stays until somebody deletes it. */
    private void assertEndsInError(String job) {
        awaits("job " + job + " is in error", () -> state(job).matches(".* E(qw|Rq|Rhqw|hqw) .*"));
        cancel(job);
        awaitEnd(job);
    }

    @Test
    void aScriptHasItsArgumentsAndMayComeOnStandardInput() {
        script("words", VSE + "echo \"$(hostname) $NSLOTS [$1] [$2]\"\n");
        List<String> words = List.of("-sync", "y", "-o", "words.out", "-j", "y", "words.sh", "one", "t w o");
        assertThat(submits(words).exitCode()).isZero();
        cluster.awaitFile("words.out", "vm0 1 [one] [t w o]\n");
        script("piped", VSE + "echo \"piped to $(hostname)\"\n");
        CommandResult piped =
                cluster.user("sh", "-c", "exec qsub -terse -cwd -N piped -o piped.out -j y -sync y <piped.sh");
        assertThat(piped.exitCode()).as(piped.toString()).isZero();
        cluster.awaitFile("piped.out", "piped to vm0\n");
    }

    @Test
    void aCommandRunsOnTheNode() {
        assertThat(submits(List.of("-sync", "y", "-o", "command.out", "-j", "y", "-b", "y", "echo", "a"))
                        .exitCode())
                .isZero();
        cluster.awaitFile("command.out", "a\n");
    }

    @Test
    void whatGetsPastTheGateMeetsTheNode() {
        script("past", "#VSE image=centos-5\nhostname\n");
        // What stands before '-clear' is forgotten, too.
        String job = submits(List.of("-clear", "-terse", "-cwd", "-o", "past.out", "-e", "past.err", "past.sh"))
                .orThrow("submitting")
                .stdout()
                .strip();
        assertEndsInError(job);
        assertThat(cluster.file("past.err")).contains("image 'centos-5' is not allowed in queue 'batch'");
    }

    @Test
    void whatIsAlteredAfterTheGateMeetsTheNode() {
        script("altered", VSE + "echo ran\n");
        String job = submit("altered", List.of(held(), "-q", "batch"));
        cluster.user("qalter", "-q", "bare", "-l", "bare", job).orThrow("altering");
        cluster.user("qrls", job).orThrow("releasing");
        assertEndsInError(job);
        assertThat(cluster.file("altered.err")).contains("[POLICY_QUEUE_DENIED]");
        assertThat(cluster.file("altered.out")).doesNotContain("ran");
    }

    @Test
    void signalsReachTheScriptAndSuspendingPausesItsMachine() {
        script(
                "trap",
                VSE + "trap 'echo got USR1' USR1\ntrap 'echo got USR2; exit 9' USR2\necho ready\n"
                        + "while :; do echo tick >>trap.ticks; sleep 0.2; done\n");
        String job = submit("trap", List.of("-notify"));
        cluster.awaitFile("trap.out", "ready");
        cluster.user("qmod", "-sj", job).orThrow("suspending");
        cluster.awaitFile("trap.err", "the machines are paused");
        String ticks = cluster.file("trap.ticks");
        assertThat(state(job)).matches(".* s .*");
        assertThat(cluster.file("trap.ticks")).isEqualTo(ticks);
        cluster.user("qmod", "-usj", job).orThrow("resuming");
        cluster.awaitFile("trap.err", "the machines go on");
        awaits("the script goes on", () -> cluster.file("trap.ticks").length() > ticks.length());
        cluster.awaitFile("trap.out", "got USR1");
        cancel(job);
        cluster.awaitFile("trap.out", "got USR2");
        awaitEnd(job);
    }

    @Test
    void aShellInAQueueOfMachinesIsRefusedWithTheReason() {
        CommandResult shell = cluster.user("qrsh", "-now", "n", "-q", "vms", "-l", "vms");
        assertThat(shell.exitCode()).isNotZero();
        assertThat(shell.stdout() + shell.stderr()).contains("queue 'vms' runs jobs in virtual machines only");
    }

    @Test
    @Disturbs("n1")
    void withoutVsedTheJobIsTriedAgainAndThenInErrorWithAMessage() {
        script("alone", VSE + "echo ran\n");
        cluster.vse("n1", "down").orThrow("ending vsed");
        String job = submit("alone", on("n1"));
        assertEndsInError(job);
        assertThat(cluster.file("alone.err")).contains("[DAEMON_UNREACHABLE]");
        cluster.run("n1", "root", List.of("sh", "-c", "rm -f /run/vse/gridengine/* /run/vse/ended/*"))
                .orThrow("cleaning up");
        cluster.vse("n1", "up").orThrow("starting vsed");
    }
}

package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.vse.process.CommandResult;

/** What is the same in every PBS. */
abstract class PbsScenarios extends ClusterScenarios {

    /** {@code qstat} with what makes it print all that it knows of a job, also of one that has ended. */
    abstract List<String> lookAt(String job);

    /** Submits around the gate. */
    abstract CommandResult around(String... arguments);

    /** Options with which a job that is deleted has half a minute for its end. */
    abstract List<String> endsSlowly();

    @Override
    CommandResult submits(List<String> words) {
        List<String> argv = new ArrayList<>(List.of("qsub"));
        argv.addAll(words);
        return cluster.run("head", Cluster.USER, argv);
    }

    @Override
    List<String> saved() {
        return on("n2", nodes().contains("n3") ? "n3" : "n1");
    }

    /** Walltimes of PBS count the prologue, which takes as long as the machines of a busy host need to boot. */
    @Override
    boolean isSavedByItsWalltime() {
        return false;
    }

    @Override
    int countedTo() {
        return 300;
    }

    @Override
    List<String> inQueue(String queue) {
        return List.of("-q", queue);
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
    String machineList() {
        return "tr '\\n' ' ' <\"$PBS_NODEFILE\"; echo";
    }

    @Override
    String twoMachines() {
        return "vm0 vm1 \n";
    }

    @Override
    boolean showsOutputMeanwhile() {
        return false;
    }

    @Override
    String listing() {
        return cluster.user("qstat").stdout();
    }

    /** An attribute of a job; empty when there is none. */
    String attribute(String job, String name) {
        Matcher line = Pattern.compile("(?m)^    " + name + " = (.*)$")
                .matcher(cluster.run("head", Cluster.USER, lookAt(job)).stdout());
        return line.find() ? line.group(1) : "";
    }

    @Override
    boolean hasBegun(String job) {
        return attribute(job, "job_state").equals("R");
    }

    @Override
    String exitCode(String job) {
        return attribute(job, "(?i)exit_status");
    }

    @Override
    void cancel(String job) {
        cluster.user("qdel", job).orThrow("deleting");
    }

    @Override
    void startAgain(String job) {
        cluster.run("head", "root", List.of("qrerun", job)).orThrow("starting again");
    }

    @Override
    List<String> unfit() {
        return cluster.user("pbsnodes", "-l").stdout().lines().toList();
    }

    @Override
    String accountingForm() {
        return "pbs";
    }

    @Override
    List<String> accounting() {
        return List.of("sh", "-c", "exec cat /var/spool/*/server_priv/accounting/2*");
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
    void aJobThatIsDeletedWhileItIsSavedStaysDeleted() {
        script(
                "gone",
                VSE + "trap 'echo got TERM >>gone.log' TERM\necho ready >>gone.log\nwhile :; do sleep 0.2; done\n");
        List<String> options = new ArrayList<>(on("n1"));
        options.addAll(endsSlowly());
        String job = submit("gone", options);
        cluster.awaitFile("gone.log", "ready");
        cancel(job);
        cluster.awaitFile("gone.log", "got TERM");
        cluster.vse("n1", "checkpoint", "--stop", job).orThrow("saving");
        assertEnds(job, 85);
        within(Duration.ofSeconds(10), "job " + job + " stays deleted")
                .during(Duration.ofSeconds(6))
                .until(() -> isOver(job));
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
        cancel(job);
        awaitEnd(job);
        cluster.awaitFile("trap.log", "got TERM");
    }
}

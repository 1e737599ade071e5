package org.vse.test.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.process.CommandResult;

/** Jobs with VMs under a real OpenPBS with three nodes, whose installation {@code PBS_EXEC} names. */
@Tag("system")
@Tag("full")
@Tag("scheduler")
@Tag("openpbs")
class OpenPbsSystemTest extends PbsScenarios {
    @Override
    String scheduler() {
        return "openpbs";
    }

    @Override
    List<String> on(String node) {
        return List.of("-l", "select=1:ncpus=1:host=" + node);
    }

    @Override
    List<String> on(String first, String second) {
        return List.of("-l", "select=1:ncpus=1:host=" + first + "+1:ncpus=1:host=" + second);
    }

    @Override
    List<String> array(int last) {
        return List.of("-J", "1-" + last);
    }

    @Override
    String member() {
        return "PBS_ARRAY_INDEX";
    }

    @Override
    int refused() {
        return 32;
    }

    @Override
    CommandResult around(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(System.getenv().getOrDefault("PBS_EXEC", "") + "/bin/qsub"));
        argv.addAll(Arrays.asList(arguments));
        return cluster.run("head", Cluster.USER, argv);
    }

    /** As the queue has it: jobs have no such option. */
    @Override
    List<String> endsSlowly() {
        return List.of();
    }

    @Override
    List<String> lookAt(String job) {
        return List.of("qstat", "-xf", job);
    }

    @Override
    boolean isOver(String job) {
        return attribute(job, "job_state").equals("F");
    }

    @Test
    void whatTheScriptSaysCannotBeAlteredLater() {
        script("kept", VSE + "hostname\n");
        String job = submit("kept", List.of(held()));
        CommandResult altered = cluster.user("qalter", "-l", "vse_lines=AAAA", job);
        assertThat(altered.exitCode()).isNotZero();
        assertThat(altered.stderr()).contains("'vse_lines' comes from the script and stays");
        cancel(job);
        awaitEnd(job);
    }

    @Test
    void anInteractiveJobWithMachinesIsRefused() {
        // It takes a terminal.
        CommandResult result = cluster.user("script", "-qec", "qsub -I -q vms", "/dev/null");
        assertThat(result.exitCode()).isNotZero();
        assertThat(result.stdout()).contains("an interactive job has no script that a machine could run");
    }
}

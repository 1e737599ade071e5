package org.vse.test.cluster;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.vse.process.CommandResult;

/** Jobs with VMs under a real TORQUE with two nodes, whose installation {@code TORQUE_HOME} names. */
@Tag("system")
@Tag("full")
@Tag("scheduler")
@Tag("torque")
class TorqueSystemTest extends PbsScenarios {
    @Override
    String scheduler() {
        return "torque";
    }

    @Override
    List<String> nodes() {
        return Cluster.NODES.subList(0, 2);
    }

    @Override
    List<String> on(String node) {
        return List.of("-l", "nodes=" + node);
    }

    @Override
    List<String> on(String first, String second) {
        return List.of("-l", "nodes=" + first + "+" + second);
    }

    @Override
    List<String> array(int last) {
        return List.of("-t", "1-" + last);
    }

    @Override
    String member() {
        return "PBS_ARRAYID";
    }

    @Override
    int refused() {
        return 1;
    }

    /** As a user would submit from a host whose torque.cfg knows no filter. */
    @Override
    CommandResult around(String... arguments) {
        String hidden =
                "mount --bind /dev/null \"$(pbs_server --about 2>&1 | sed -n 's/^serverhome: *//p')/torque.cfg\" &&"
                        + " exec setpriv --reuid ann --regid ann --init-groups env -C /home/ann HOME=/home/ann USER=ann"
                        + " qsub \"$@\"";
        List<String> argv = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", hidden, "sh"));
        argv.addAll(Arrays.asList(arguments));
        return cluster.run("head", "root", argv);
    }

    @Override
    List<String> endsSlowly() {
        return List.of("-K", "30");
    }

    @Override
    List<String> lookAt(String job) {
        return List.of("qstat", "-f", job);
    }

    @Override
    boolean isOver(String job) {
        String state = attribute(job, "job_state");
        return state.equals("C") || state.isEmpty();
    }
}

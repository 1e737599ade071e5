package org.vse.scheduler.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.JobPlan;
import org.vse.policy.JobScript;
import org.vse.policy.NodeAllocation;
import org.vse.policy.PlannedVm;
import org.vse.policy.Planner;
import org.vse.scheduler.PbsResources;

class LocalDemandTest {
    private static LocalDemand demand(String pbs, String vse) {
        JobScript script = JobScript.parse("job.sh", "#PBS " + pbs + "\n#VSE image=a " + vse + "\n");
        return LocalDemand.of(PbsResources.read(script), script.description());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-V                       |                        | 1 | 1",
                "-V                       | vcpus=2                | 1 | 2",
                "-V                       | vcpus=2 vms-per-node=3 | 1 | 6",
                "-V                       | vms-per-node=2         | 1 | 2",
                "-l nodes=2:ppn=2         |                        | 2 | 2",
                "-l nodes=2:ppn=2         | vcpus=2                | 2 | 2",
                "-l nodes=2:ppn=4         | vcpus=1                | 2 | 4",
                "-l nodes=2               | vcpus=3                | 2 | 3",
                "-l select=2:ncpus=2      | vms-per-node=2         | 2 | 2",
                "-l ncpus=4,mem=1gb       | memory=1GiB            | 1 | 4",
                "-l nodes=1000000,mem=1pb |                        | 1000000 | 1"
            })
    void nodesBecomeGroupsOfThisMachine(String pbs, String vse, int groups, int cores) {
        assertThat(demand(pbs, vse == null ? "" : vse)).isEqualTo(new LocalDemand(groups, cores));
    }

    @Test
    void coresAreCountedWithoutOverflow() {
        assertThat(demand("-l nodes=2:ppn=3", "").cores()).isEqualTo(6);
        assertThat(demand("-l nodes=1000000:ppn=1000000", "").cores()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void aLeaseIsDividedAmongTheGroupsAndPlannedAsNodesAre() {
        JobScript script =
                JobScript.parse("job.sh", "#PBS -l nodes=2:ppn=2\n#VSE image=a vcpus=2 memory=256MiB\nhostname\n");
        LocalDemand demand = LocalDemand.of(PbsResources.read(script), script.description());
        LocalScheduler local = new LocalScheduler(IntStream.range(0, 8).boxed().toList());
        local.submit("local-1", Asked.cores(1));
        local.submit("local-2", Asked.cores(demand.cores()));
        CoreLease lease = local.start().get(1);
        var allocation = demand.allocation("laptop", lease);
        assertThat(allocation.nodes())
                .containsExactly(
                        new NodeAllocation("laptop", List.of(1, 2)), new NodeAllocation("laptop", List.of(3, 4)));
        var description = script.description();
        JobPlan plan = Planner.plan(description, description.image(), "sha256:0", allocation);
        assertThat(plan.vms()).extracting(PlannedVm::name).containsExactly("vm0", "vm1");
        assertThat(plan.vms()).extracting(PlannedVm::node).containsOnly("laptop");
        assertThat(plan.vms()).extracting(PlannedVm::cores).containsExactly(List.of(1, 2), List.of(3, 4));
    }

    @Test
    void aLeaseOfAnotherSizeIsADefect() {
        assertThatThrownBy(() -> new LocalDemand(2, 2).allocation("n", new CoreLease("a", List.of(0), 0, false)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-l nodes=1:ppn=2    | vcpus=4                | job.sh:2:20 | asked at job.sh:1:21 | vcpus        | set at job.sh:2:20",
                "-l ncpus=2          | vms-per-node=4         | job.sh:2:27 | asked at job.sh:1:15 | vms-per-node | set at job.sh:2:27",
                "-l ncpus=2,mem=1gb  | memory=2GiB            | job.sh:2:21 | asked at job.sh:1:21 | memory       | set at job.sh:2:21",
                "-l ncpus=2,mem=1gb  | vms-per-node=2 memory=1GiB | job.sh:2:36 | asked at job.sh:1:21 | memory   | set at job.sh:2:36",
                "-l mem=256mb        | vcpus=1                | job.sh:1:13 | asked at job.sh:1:13 | memory       | not set: the default is 512MiB",
                "-l nodes=2          | network=user           | job.sh:2:22 | asked at job.sh:1:15 | network      | set at job.sh:2:22",
            })
    void vmsThatNeedMoreThanIsAskedForAreAConflictThatNamesBothPlaces(
            String pbs, String vse, String where, String asked, String key, String wanted) {
        VseException error = catchThrowableOfType(VseException.class, () -> demand(pbs, vse));
        assertThat(error).isNotNull();
        assertThat(error.code()).isEqualTo(ErrorCode.DIRECTIVE_CONFLICT);
        assertThat(error.where()).isEqualTo(where);
        assertThat(error.facts()).containsEntry("batch system", asked).containsEntry(key, wanted);
        assertThat(error.next()).isNotBlank();
    }
}

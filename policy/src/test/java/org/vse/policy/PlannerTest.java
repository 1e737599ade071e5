package org.vse.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.groups.Tuple.tuple;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class PlannerTest {
    private static final String DIGEST = "sha256:" + "0".repeat(64);

    private static JobPlan plan(String options, NodeAllocation... nodes) {
        return plan(options, new Allocation(List.of(nodes)));
    }

    private static JobPlan plan(String options, Allocation allocation) {
        JobDescription description =
                JobScript.parse("job.sh", "#VSE image=a " + options).description();
        return Planner.plan(description, description.image(), DIGEST, allocation);
    }

    private static NodeAllocation node(String name, Integer... cores) {
        return new NodeAllocation(name, List.of(cores));
    }

    @Test
    void vmsAreNumberedAcrossNodesAndPinnedToRunsOfEqualLength() {
        JobPlan plan = plan("vms-per-node=2 memory=1GiB disk=3GiB", node("n1", 4, 5, 6, 7, 8), node("n0", 1, 0, 3, 2));
        assertThat(plan.imageDigest()).isEqualTo(DIGEST);
        assertThat(plan.imageName()).hasToString("a");
        assertThat(plan.vms())
                .containsExactly(vm(0, "n1", 4, 5), vm(1, "n1", 6, 7), vm(2, "n0", 1, 0), vm(3, "n0", 3, 2));
    }

    private static PlannedVm vm(int index, String node, Integer... cores) {
        return new PlannedVm(
                "vm" + index, index, node, List.of(cores), cores.length, 1L << 30, OptionalLong.of(3L << 30), index);
    }

    @Test
    void oneVmHasAllCoresOfItsNode() {
        assertThat(plan("", node("n", 0, 1, 2)).vms()).singleElement().satisfies(vm -> {
            assertThat(vm.vcpus()).isEqualTo(3);
            assertThat(vm.cores()).containsExactly(0, 1, 2);
            assertThat(vm.diskBytes()).isEmpty();
        });
    }

    @Test
    void fewerVcpusThanCoresTakeTheFirstOfEachRun() {
        assertThat(plan("vcpus=1 vms-per-node=2", node("n", 0, 1, 2, 3)).vms())
                .extracting(PlannedVm::cores)
                .containsExactly(List.of(0), List.of(2));
    }

    @Test
    void nodesMayBeUnequalAndOneNodeMayAppearTwice() {
        assertThat(plan("", node("n", 0), node("n", 1, 2)).vms())
                .extracting(PlannedVm::node, PlannedVm::vcpus)
                .containsExactly(tuple("n", 1), tuple("n", 2));
    }

    @Test
    void moreVcpusThanCoresAreAConflictThatNamesBothPlaces() {
        VseException error = catchThrowableOfType(
                VseException.class,
                () -> plan("vcpus=2\n#VSE vms-per-node=2", node("n0", 0, 1, 2, 3), node("n1", 0, 1, 2)));
        assertThat(error.code()).isEqualTo(ErrorCode.DIRECTIVE_CONFLICT);
        assertThat(error.where()).isEqualTo("job.sh:1:20");
        assertThat(error.what())
                .isEqualTo("2 VMs of 2 virtual processors need 4 cores, but node 'n1' has 3 for the job");
        assertThat(error.facts())
                .containsEntry("vcpus", "set at job.sh:1:20")
                .containsEntry("vms-per-node", "set at job.sh:2:19")
                .containsEntry("needed", "4 cores")
                .containsEntry("found", "3 cores");
    }

    @Test
    void moreVmsThanCoresAreAConflict() {
        VseException error = catchThrowableOfType(VseException.class, () -> plan("vms-per-node=3", node("n", 0, 1)));
        assertThat(error.code()).isEqualTo(ErrorCode.DIRECTIVE_CONFLICT);
        assertThat(error.where()).isEqualTo("job.sh:1:27");
    }

    @Test
    void aUserNetworkJoinsNoNodes() {
        VseException error =
                catchThrowableOfType(VseException.class, () -> plan("network=user", node("n0", 0), node("n1", 0)));
        assertThat(error.code()).isEqualTo(ErrorCode.DIRECTIVE_CONFLICT);
        assertThat(error.where()).isEqualTo("job.sh:1:22");
        assertThat(plan("network=user", node("n0", 0)).network()).isEqualTo(Network.USER);
    }

    @Test
    void anAllocationNeverHasACoreTwice() {
        assertThatThrownBy(() -> node("n", 1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Allocation(List.of(node("n", 1), node("n", 2, 1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("core 1 of 'n'");
        assertThatThrownBy(() -> new Allocation(List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NodeAllocation("n", List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Property(seed = "20261121", tries = 500)
    void noCoreIsInTwoVmsAndEveryCoreIsOfItsNode(
            @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 1, max = 64) Integer> sizes,
            @ForAll @IntRange(min = 1, max = 8) int vmsPerNode) {
        List<NodeAllocation> nodes = IntStream.range(0, sizes.size())
                .mapToObj(i -> new NodeAllocation(
                        "n" + i, IntStream.range(0, sizes.get(i)).boxed().toList()))
                .toList();
        if (sizes.stream().anyMatch(s -> s < vmsPerNode)) {
            assertThatThrownBy(() -> plan("vms-per-node=" + vmsPerNode, new Allocation(nodes)))
                    .isInstanceOf(VseException.class);
            return;
        }
        JobPlan plan = plan("vms-per-node=" + vmsPerNode, new Allocation(nodes));
        assertThat(plan).isEqualTo(plan("vms-per-node=" + vmsPerNode, new Allocation(nodes)));
        assertThat(plan.vms()).hasSize(sizes.size() * vmsPerNode);
        Set<String> used = new HashSet<>();
        for (PlannedVm vm : plan.vms()) {
            int size = sizes.get(Integer.parseInt(vm.node().substring(1)));
            assertThat(vm.vcpus()).isEqualTo(size / vmsPerNode);
            for (int core : vm.cores()) {
                assertThat(core).isBetween(0, size - 1);
                assertThat(used.add(vm.node() + "/" + core)).isTrue();
            }
        }
    }

    /** A step for each pair of nodes would be 10 000 000 000 steps; CPU time, so that a busy machine changes nothing. */
    @Test
    void aHundredThousandNodesArePlannedInLinearTime() {
        Allocation allocation = new Allocation(IntStream.range(0, 100_000)
                .mapToObj(i -> node("node" + i, 0, 1, 2, 3))
                .toList());
        var threads = ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadCpuTime();
        JobPlan plan = plan("vms-per-node=2", allocation);
        Duration used = Duration.ofNanos(threads.getCurrentThreadCpuTime() - before);
        assertThat(plan.vms()).hasSize(200_000);
        assertThat(used).isLessThan(Duration.ofSeconds(5));
    }
}

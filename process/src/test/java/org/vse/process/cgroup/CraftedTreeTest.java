package org.vse.process.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.VseException;
import org.vse.process.ProcessIdentity;

/** What is written into the files of groups and read from them; here the files are ordinary ones that were put there. */
class CraftedTreeTest {
    private static final ProcessIdentity SELF =
            ProcessIdentity.of(ProcessHandle.current().pid()).orElseThrow();

    @TempDir
    Path dir;

    private Path group(String path, Map<String, String> files) throws IOException {
        Path group = Files.createDirectories(dir.resolve(path));
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(group.resolve(file.getKey()), file.getValue());
        }
        return group;
    }

    private Path v2Group(String path) throws IOException {
        return group(
                path,
                Map.of(
                        "cgroup.controllers", "cpuset cpu io memory pids\n",
                        "cgroup.subtree_control", "",
                        "cgroup.procs", "",
                        "cpuset.cpus", "",
                        "memory.max", "max\n",
                        "memory.swap.max", "max\n",
                        "memory.oom.group", "0\n"));
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file).strip();
    }

    private Cgroups open(Hierarchy... hierarchies) {
        return Cgroups.open("me", List.of(hierarchies), dir.resolve("kept"));
    }

    @Test
    void versionTwoBindsTheMemberAndDelegatesAbove() throws IOException {
        v2Group("u");
        Path root = v2Group("u/vse-me");
        Path attempt = v2Group("u/vse-me/tag");
        Path member = v2Group("u/vse-me/tag/vm0");
        Cgroups cgroups = open(new Hierarchy(2, Set.of(), dir.resolve("u"), dir.resolve("u")));
        assertThat(cgroups.missing()).isEmpty();
        cgroups.put("tag", List.of(2, 3), "vm0", new Bounds(1 << 30, List.of(3)), SELF);
        for (Path above : List.of(dir.resolve("u"), root, attempt)) {
            assertThat(text(above.resolve("cgroup.subtree_control"))).isEqualTo("+cpuset +memory");
        }
        assertThat(text(member.resolve("cgroup.subtree_control"))).isEmpty();
        assertThat(text(attempt.resolve("cpuset.cpus"))).isEqualTo("2,3");
        assertThat(text(member.resolve("cpuset.cpus"))).isEqualTo("3");
        assertThat(text(member.resolve("memory.max"))).isEqualTo("1073741824");
        assertThat(text(member.resolve("memory.swap.max"))).isEqualTo("0");
        assertThat(text(member.resolve("memory.oom.group"))).isEqualTo("1");
        assertThat(text(member.resolve("cgroup.procs"))).isEqualTo(Long.toString(SELF.pid()));
    }

    @Test
    void versionTwoTellsWhatWasUsed() throws IOException {
        v2Group("u");
        Path member = v2Group("u/vse-me/tag/vm0");
        Files.writeString(member.resolve("cpu.stat"), "usage_usec 1234\nuser_usec 1000\n");
        Files.writeString(member.resolve("memory.peak"), "4096\n");
        Files.writeString(member.resolve("memory.events"), "low 0\noom 3\noom_kill 2\noom_group_kill 1\n");
        Cgroups cgroups = open(new Hierarchy(2, Set.of(), dir.resolve("u"), dir.resolve("u")));
        assertThat(cgroups.usage("tag", "vm0"))
                .contains(new GroupUsage(OptionalLong.of(1_234_000), OptionalLong.of(4096), 2));
        assertThat(cgroups.usage("tag", "vm1")).isEmpty();
        Files.delete(member.resolve("memory.peak"));
        assertThat(cgroups.usage("tag", "vm0").orElseThrow().peakBytes()).isEmpty();
    }

    @Test
    void aDaemonInTheGroupNamedVsedMakesItsGroupsBesideIt() throws IOException {
        v2Group("u");
        v2Group("u/vsed");
        v2Group("u/vse-me/tag/vm0");
        Cgroups cgroups = open(new Hierarchy(2, Set.of(), dir.resolve("u"), dir.resolve("u/vsed")));
        assertThat(cgroups.jobs()).containsExactly("tag");
    }

    @Test
    void versionOneHasATreeForEachController() throws IOException {
        Map<String, String> memory = Map.of(
                "cgroup.procs", "", "memory.limit_in_bytes", "9\n", "memory.oom_control", "under_oom 0\noom_kill 1\n");
        Map<String, String> cpuset = Map.of("cgroup.procs", "", "cpuset.cpus", "", "cpuset.mems", "");
        group("cpuset/own", Map.of("cpuset.cpus", "0-7\n", "cpuset.mems", "0-1\n"));
        group("memory/vse-me/tag/vm0", memory);
        for (String at : List.of("", "/tag", "/tag/vm0")) {
            group("cpuset/own/vse-me" + at, cpuset);
        }
        Cgroups cgroups = open(
                new Hierarchy(1, Set.of("memory"), dir.resolve("memory"), dir.resolve("memory")),
                new Hierarchy(1, Set.of("cpuset"), dir.resolve("cpuset"), dir.resolve("cpuset/own")));
        assertThat(cgroups.missing()).containsExactly("cpuacct (no such controller)");
        cgroups.put("tag", List.of(4, 5), "vm0", new Bounds(77, List.of(5)), SELF);
        assertThat(text(dir.resolve("memory/vse-me/tag/vm0/memory.limit_in_bytes")))
                .isEqualTo("77");
        assertThat(text(dir.resolve("memory/vse-me/tag/vm0/cgroup.procs"))).isEqualTo(Long.toString(SELF.pid()));
        assertThat(text(dir.resolve("cpuset/own/vse-me/cpuset.cpus"))).isEqualTo("0-7");
        assertThat(text(dir.resolve("cpuset/own/vse-me/tag/cpuset.cpus"))).isEqualTo("4,5");
        assertThat(text(dir.resolve("cpuset/own/vse-me/tag/vm0/cpuset.cpus"))).isEqualTo("5");
        assertThat(text(dir.resolve("cpuset/own/vse-me/tag/vm0/cpuset.mems"))).isEqualTo("0-1");
        assertThat(cgroups.usage("tag", "vm0")).contains(new GroupUsage(OptionalLong.empty(), OptionalLong.empty(), 1));
    }

    @Test
    void whatTheKernelRefusesIsNamed() throws IOException {
        group("memory", Map.of());
        Cgroups cgroups = open(new Hierarchy(1, Set.of("memory"), dir.resolve("memory"), dir.resolve("memory")));
        assertThatThrownBy(() -> cgroups.put("tag", List.of(), "vm0", new Bounds(77, List.of()), SELF))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("CGROUP_FAILED");
    }

    @Test
    void aReadOnlyTreeIsNotUsedAndNothingElseFails() {
        Hierarchy gone = new Hierarchy(1, Set.of("memory"), dir.resolve("no"), dir.resolve("no"));
        Cgroups cgroups = open(gone);
        assertThat(cgroups.missing()).hasSize(3).first().asString().startsWith("memory (");
        cgroups.put("tag", List.of(), "vm0", new Bounds(77, List.of()), SELF);
        cgroups.remove("tag");
        assertThat(cgroups.usage("tag", "vm0")).isEmpty();
        assertThat(cgroups.jobs()).isEmpty();
    }

    @Test
    void aDaemonStartedElsewhereFindsWhatTheFirstOneMade() throws IOException {
        group("memory/first/vse-me/tag/vm0", Map.of("cgroup.procs", "", "memory.max_usage_in_bytes", "5\n"));
        group("memory/second", Map.of());
        assertThat(open(new Hierarchy(1, Set.of("memory"), dir.resolve("memory"), dir.resolve("memory/first")))
                        .jobs())
                .containsExactly("tag");
        Cgroups second = open(new Hierarchy(1, Set.of("memory"), dir.resolve("memory"), dir.resolve("memory/second")));
        assertThat(second.jobs()).containsExactly("tag");
        assertThat(second.usage("tag", "vm0").orElseThrow().peakBytes()).hasValue(5);
    }

    @Test
    void theNodesMemoryIsTheLeastBoundAboveThisProcess() throws IOException {
        group("u", Map.of("memory.max", "5000\n"));
        group("u/a", Map.of("memory.max", "max\n"));
        group("u/a/b", Map.of("memory.max", "7000\n"));
        Hierarchy own = new Hierarchy(2, Set.of(), dir.resolve("u"), dir.resolve("u/a/b"));
        assertThat(NodeMemory.bytes(List.of(own))).isEqualTo(5000);
        assertThat(NodeMemory.bytes(List.of())).isEqualTo(NodeMemory.total(Files.readString(Path.of("/proc/meminfo"))));
        assertThat(NodeMemory.total("MemFree: 1 kB\nMemTotal:       24684096 kB\n"))
                .isEqualTo(24684096L * 1024);
        assertThatThrownBy(() -> NodeMemory.total("")).isInstanceOf(IOException.class);
    }
}

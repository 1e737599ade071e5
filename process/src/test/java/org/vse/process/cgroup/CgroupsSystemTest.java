package org.vse.process.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;

/** The kernel's own groups. Needs root. */
@Tag("system")
class CgroupsSystemTest {
    @TempDir
    Path dir;

    private final String owner = UUID.randomUUID().toString();
    private Cgroups cgroups;

    @BeforeEach
    void open() {
        cgroups = Cgroups.open(owner, Cgroups.hierarchies(), dir.resolve("kept"));
        assumeTrue(cgroups.missing().isEmpty(), () -> "no groups here: " + cgroups.missing());
    }

    @AfterEach
    void remove() {
        cgroups.jobs().forEach(cgroups::remove);
    }

    private Process start(String... argv) {
        return new CommandRunner().start(Command.of(argv), dir.resolve("log"));
    }

    private static ProcessIdentity identity(Process process) {
        return ProcessIdentity.of(process.pid()).orElseThrow();
    }

    @Test
    void theKernelKillsOnlyTheMemberThatExceedsItsMemory() throws Exception {
        // Waits for a file, so that it is bound before it takes memory.
        Path go = dir.resolve("go");
        Process greedy = start(
                "sh",
                "-c",
                "while [ ! -e \"$1\" ]; do sleep 0.05; done; dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 60",
                "sh",
                go.toString());
        Process neighbour = start("sleep", "60");
        cgroups.put("tag", List.of(), "vm0", new Bounds(50 << 20, List.of()), identity(greedy));
        cgroups.put("tag", List.of(), "vm1", new Bounds(50 << 20, List.of()), identity(neighbour));
        long begin = System.nanoTime();
        Files.createFile(go);
        // The shell is told of its child's end and goes on to sleep, or, in version 2, dies with it.
        while (cgroups.usage("tag", "vm0").orElseThrow().oomKills() == 0) {
            assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(20));
            greedy.waitFor(20, TimeUnit.MILLISECONDS);
        }
        GroupUsage used = cgroups.usage("tag", "vm0").orElseThrow();
        assertThat(used.cpuNanos().orElseThrow()).isPositive();
        assertThat(used.peakBytes().orElseThrow()).isBetween(40L << 20, 50L << 20);
        assertThat(cgroups.usage("tag", "vm1").orElseThrow().oomKills()).isZero();
        assertThat(neighbour.isAlive()).isTrue();
    }

    @Test
    void removingEndsEverythingAndMayBeRepeated() throws Exception {
        Process parent = start("sh", "-c", "sleep 60 & sleep 60 & wait");
        Process other = start("sleep", "60");
        cgroups.put("tag", List.of(), "vm0", new Bounds(50 << 20, List.of()), identity(parent));
        cgroups.put("other", List.of(), "vm0", new Bounds(50 << 20, List.of()), identity(other));
        assertThat(cgroups.jobs()).containsExactly("other", "tag");
        cgroups.remove("tag");
        assertThat(parent.waitFor(5, TimeUnit.SECONDS)).isTrue();
        assertThat(cgroups.jobs()).containsExactly("other");
        assertThat(other.isAlive()).isTrue();
        cgroups.remove("tag");
        cgroups.remove("never");
        cgroups.remove("other");
        assertThat(cgroups.jobs()).isEmpty();
        for (String line : Files.readAllLines(dir.resolve("kept"))) {
            assertThat(Place.parse(line).orElseThrow().root()).doesNotExist();
        }
    }

    @Test
    void pinnedThreadsStayWhereTheyWere() throws Exception {
        Process pinned = start("taskset", "-c", "1", "sleep", "60");
        ProcessIdentity process = identity(pinned);
        while (!Files.readString(Path.of("/proc/" + process.pid() + "/comm")).startsWith("sleep")) {
            pinned.waitFor(5, TimeUnit.MILLISECONDS);
        }
        cgroups.put("tag", List.of(0, 1), "vm0", new Bounds(50 << 20, List.of(0, 1)), process);
        assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/status")))
                .containsPattern("Cpus_allowed_list:\\s+1\n");
        assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/cgroup")))
                .contains("/vse-" + owner + "/tag/vm0");
    }

    @Test
    void anEndedProcessIsNoError() throws Exception {
        Process brief = start("sleep", "0.2");
        ProcessIdentity process = identity(brief);
        brief.waitFor();
        cgroups.put("tag", List.of(), "vm0", new Bounds(50 << 20, List.of()), process);
    }

    /** A tree of version 2 without controllers still ends groups. */
    @Test
    void versionTwoEndsGroupsByItself() throws Exception {
        Path mount = Path.of("/sys/fs/cgroup/unified");
        assumeTrue(Files.exists(mount.resolve("cgroup.procs")), "no tree of version 2 beside version 1");
        Place place = new Place(2, Set.of(Place.CPUACCT), mount.resolve("vse-" + owner));
        Process process = start("sh", "-c", "sleep 60 & wait");
        place.make("tag", List.of(), "vm0", new Bounds(1, List.of()));
        place.join("tag", "vm0", identity(process));
        assertThat(place.cpuNanos("tag", "vm0")).isPresent();
        place.kill("tag");
        assertThat(process.waitFor(5, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(137);
        Files.write(dir.resolve("kept"), List.of(place.text()));
        Cgroups again = Cgroups.open(owner, List.of(), dir.resolve("kept"));
        assertThat(again.jobs()).containsExactly("tag");
        again.remove("tag");
        assertThat(place.root()).doesNotExist();
    }
}

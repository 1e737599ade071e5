package org.vse.process.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HierarchyTest {
    private static final String V1 = """
            30 29 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
            31 29 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            32 29 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
            33 29 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            34 29 0:30 / /tmp rw - tmpfs tmpfs rw
            """;

    @Test
    void versionOneHasOneTreeForEachSetOfControllers() {
        String own = "4:memory:/a/b\n3:cpu,cpuacct:/\n1:name=systemd:/init.scope\n0::/user\n";
        assertThat(Hierarchy.parse(own, V1))
                .containsExactly(
                        new Hierarchy(
                                1,
                                Set.of("cpu", "cpuacct"),
                                Path.of("/sys/fs/cgroup/cpu,cpuacct"),
                                Path.of("/sys/fs/cgroup/cpu,cpuacct")),
                        new Hierarchy(
                                1,
                                Set.of("memory"),
                                Path.of("/sys/fs/cgroup/memory"),
                                Path.of("/sys/fs/cgroup/memory/a/b")),
                        new Hierarchy(
                                1,
                                Set.of("name=systemd"),
                                Path.of("/sys/fs/cgroup/systemd"),
                                Path.of("/sys/fs/cgroup/systemd/init.scope")),
                        new Hierarchy(
                                2,
                                Set.of(),
                                Path.of("/sys/fs/cgroup/unified"),
                                Path.of("/sys/fs/cgroup/unified/user")));
    }

    @Test
    void aContainerSeesItsOwnGroupAsTheRootOfTheMount() {
        String mount = "31 29 0:27 /docker/77 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        assertThat(Hierarchy.parse("4:memory:/docker/77/x\n", mount))
                .containsExactly(new Hierarchy(
                        1, Set.of("memory"), Path.of("/sys/fs/cgroup/memory"), Path.of("/sys/fs/cgroup/memory/x")));
        assertThat(Hierarchy.parse("4:memory:/other\n", mount)).isEmpty();
        assertThat(Hierarchy.parse("4:memory:/docker/77/../88\n", mount)).isEmpty();
    }

    @Test
    void aSpaceInAPathIsUnescaped() {
        String mount = "31 29 0:27 / /mnt/c\\040g rw - cgroup2 none rw\n";
        assertThat(Hierarchy.parse("0::/u v\n", mount))
                .containsExactly(new Hierarchy(2, Set.of(), Path.of("/mnt/c g"), Path.of("/mnt/c g/u v")));
    }

    @Test
    void noGroupsAreNone() {
        assertThat(Hierarchy.parse("", V1)).isEmpty();
        assertThat(Hierarchy.parse("4:memory:/\n", "")).isEmpty();
        assertThat(Hierarchy.parse("nonsense\n", "more nonsense - \n")).isEmpty();
    }
}

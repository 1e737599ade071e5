package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;

/** A job gets the machines that it asked for. */
@Tag("system")
class ShapeSystemTest {
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @Test
    void processorsMemoryAndDisk() {
        Desk alice = site.desk(site.alice());
        alice.script("big.sh", """
                #!/bin/bash
                #VSE image=debian-12 vcpus=2
                #VSE memory=1GiB disk=4GiB
                nproc
                awk '/^MemTotal/ { print $2 }' /proc/meminfo
                cat /sys/block/vda/size
                sort "$VSE_NODEFILE"
                """);
        String[] lines = alice.vse("run", "big.sh").expect(0).out().split("\n", -1);
        assertThat(lines[0]).isEqualTo("2");
        assertThat(Long.parseLong(lines[1])).isBetween(900_000L, 1L << 20);
        assertThat(Long.parseLong(lines[2]) * 512).isEqualTo(4L << 30);
        assertThat(lines[3] + lines[4]).isEqualTo("vm0vm0");
    }

    @Test
    void twoMachinesThatReachEachOther() {
        Desk alice = site.desk(site.alice());
        alice.script("two.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=2
                #VSE image=debian-12
                #VSE vms-per-node=2 vcpus=1
                cat "$VSE_NODEFILE"
                echo from vm0 > shared
                ssh vm1 'hostname; id -un; nproc; cat shared'
                ssh vm1 'exit 9'; echo $?
                ssh vm1 ssh vm0 hostname
                """);
        Finished run = alice.vse("run", "two.sh").expect(0);
        assertThat(run.out()).isEqualTo("vm0\nvm1\nvm1\n" + alice.account().name() + "\n1\nfrom vm0\n9\nvm0\n");
        assertThat(site.root()
                        .vse("report", "vms", "--user", alice.account().name())
                        .out())
                .contains("vm0", "vm1");
    }
}

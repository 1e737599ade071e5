package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.Examples;
import org.vse.test.site.Finished;
import org.vse.test.site.JobId;
import org.vse.test.site.Site;

/** The first job that anybody runs, and what is known of it afterwards. */
@Tag("system")
class HelloSystemTest {
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
    void runsInAMachineOfItsOwnAndIsInTheLedger() throws IOException {
        Desk root = site.root();
        Finished run = root.vse("run", Examples.script("hello.sh").toString()).expect(0);
        String job = JobId.in(run.err()).orElseThrow();
        assertThat(run.out())
                .contains("kernel   : Linux ")
                .contains("hostname : vm0")
                .contains("user     : root (0:0)")
                .contains("cores    : 1\n")
                .contains("job      : " + job)
                .contains("image    : debian-12")
                .doesNotContain(Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                        .strip());
        assertThat(run.err()).contains("running as root: no directory is shared");

        assertThat(root.vse("report", "vms", "--job", job, "--format", "json")
                        .expect(0)
                        .out())
                .contains("\"job\":\"" + job + "\"", "\"digest\":\"sha256:", "\"cores\":[", "\"user\":\"root\"")
                .doesNotContain("\"ended\":null");
        assertThat(root.vse("report", "vms").expect(0).out()).contains(job, "vm0");
        assertThat(root.vse("job", "ls").expect(0).out()).contains(job, "SETTLED", "debian-12");
        assertThat(root.vse("job", "show", job).expect(0).out()).containsPattern("exitCode +: 0");
        assertThat(root.vse("job", "show", job, "--format", "json").expect(0).out())
                .contains("\"exitCode\":0", "\"state\":\"SETTLED\"");
    }

    @Test
    void rootMayRunAJobAsItsUser() {
        Account alice = site.alice();
        Finished run = site.root()
                .in(alice.home())
                .vse("run", "--user", alice.name(), Examples.script("hello.sh").toString())
                .expect(0);
        assertThat(run.out())
                .contains("user     : " + alice.name() + " (" + alice.uid() + ":" + alice.gid() + ")")
                .contains("directory: " + alice.home());
        assertThat(run.err()).doesNotContain("no directory is shared");
    }
}

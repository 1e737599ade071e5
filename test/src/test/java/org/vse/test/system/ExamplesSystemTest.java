package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Examples;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;

/** The example jobs that need more than one machine, an image of their own, or a limit, as a user would run them. */
@Tag("system")
class ExamplesSystemTest {
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    private static Finished run(String name) {
        return site.desk(site.alice())
                .vse("run", "--quiet", Examples.script(name).toString());
    }

    @Test
    void mpiRunsAcrossTwoMachines() {
        assertThat(run("mpi.sh").expect(0).out()).isEqualTo("rank 0 of 2 on vm0\nrank 1 of 2 on vm1\nsum 3\n");
    }

    @Test
    void pythonHasItsPackage() {
        Finished python = run("python.sh").expect(0);
        assertThat(python.out()).isEqualTo("solution 1.0 3.0\n");
        assertThat(python.err()).isEmpty();
    }

    @Test
    void aProgramThatNeedsMoreMemoryThanTheJobHasIsKilled() {
        Finished memory = run("memory.sh").expect(137);
        assertThat(memory.out()).matches("of 256 MiB the kernel leaves [12][0-9]{2} MiB\n");
        assertThat(memory.err()).contains("Killed").endsWith("tail ended with 137\n");
    }
}

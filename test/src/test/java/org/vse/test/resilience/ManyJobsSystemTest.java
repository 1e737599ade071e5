package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.process.ProcessIdentity;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** Many jobs, one after the other and at once. */
@Tag("system")
class ManyJobsSystemTest {
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.prepare("cores: 0-1\n");
        site.root().vse("up").expect(0);
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @Test
    void moreJobsThanCoresWaitInTheirOrder() {
        Desk root = site.root();
        String script = root.script("w.sh", Scripts.saysStartedAnd("sleep 3")).toString();
        List<Started> runs = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            runs.add(root.start("run", script));
            assertThat(runs.get(i).job()).isNotEmpty();
        }
        for (Started run : runs) {
            assertThat(run.finish().expect(0).out()).isEqualTo("started\n");
        }
        assertThat(runs.get(2).err()).contains("queue");
        assertThat(runs.get(3).err()).contains("queue");
        site.awaitIdle();
    }

    @Test
    @Tag("full")
    void theDaemonDoesNotGrowWithItsJobs() throws IOException {
        Desk root = site.root();
        String script = root.script("t.sh", Scripts.saysStartedAnd("exit 0")).toString();
        long descriptors = 0;
        long threads = 0;
        long kibibytes = 0;
        for (int i = 1; i <= 12; i++) {
            Finished end = root.vse("run", script).expect(0);
            assertThat(end.out()).isEqualTo("started\n");
            site.awaitIdle();
            if (i == 3) {
                descriptors = count("fd");
                threads = count("task");
                kibibytes = resident();
            }
        }
        assertThat(count("fd")).as("descriptors").isLessThanOrEqualTo(descriptors + 2);
        assertThat(count("task")).as("threads").isLessThanOrEqualTo(threads + 8);
        assertThat(resident()).as("KiB").isLessThan(kibibytes + (48 << 10));
    }

    private static Path proc(String what) {
        ProcessIdentity vsed = Victim.vsed(site);
        return Path.of("/proc", Long.toString(vsed.pid()), what);
    }

    private static long count(String what) throws IOException {
        try (Stream<Path> entries = Files.list(proc(what))) {
            return entries.count();
        }
    }

    private static long resident() throws IOException {
        return Files.readAllLines(proc("status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .map(line -> line.replaceAll("[^0-9]", ""))
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElseThrow();
    }
}

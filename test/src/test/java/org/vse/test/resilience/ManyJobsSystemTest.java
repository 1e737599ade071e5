package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.process.ProcessIdentity;
import org.vse.test.site.Desk;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;
import org.vse.test.site.Started;
import org.vse.test.site.Table;

/** Many jobs, one after the other and at once. */
@Tag("system")
class ManyJobsSystemTest {
    private static final int SOME = 4;
    private static final int EIGHT = 8;
    private static final int IN_A_ROW = 40;
    private static final long MOST_GROWTH_KIB = 24 << 10;

    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.prepare("cores: 0-1\noversubscribe: 4\nboot-timeout: 5m\nsetup-timeout: 5m\n");
        site.root().vse("up").expect(0);
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @Test
    void moreJobsThanCoresWaitInTheirOrder() {
        Desk root = site.root();
        String script = root.script("w.sh", Scripts.saysStartedAnd("sleep 1")).toString();
        List<Started> runs = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            runs.add(root.start("run", script));
            assertThat(runs.get(i).job()).isNotEmpty();
        }
        for (Started run : runs) {
            assertThat(run.finish().expect(0).out()).isEqualTo("started\n");
        }
        assertThat(runs.get(2).err()).contains("queue");
        site.awaitIdle();
    }

    @Test
    void twoMachinesACoreAtOnceLeaveNothing() {
        atOnce(SOME);
    }

    @Test
    @Tag("full")
    void fourMachinesACoreAtOnceLeaveNothing() {
        atOnce(EIGHT);
    }

    private static void atOnce(int count) {
        Desk alice = site.desk(site.alice());
        String script = alice.script("e.sh", """
                        #!/bin/bash
                        #VSE image=debian-12 memory=256MiB oversubscribe=yes
                        echo "started $1"
                        until [[ -e go-$2 ]]; do sleep 0.5; done
                        echo "over $1"
                        exit "$1"
                        """).toString();
        List<Started> runs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            runs.add(alice.start("run", script, Integer.toString(i), Integer.toString(count)));
        }
        // All boots on two cores.
        runs.forEach(run -> run.awaitOut("started", Duration.ofMinutes(5)));
        assertThat(Remains.machines(site)).hasSize(count);
        assertThat(alice.vse("vm", "ls").expect(0).out().lines().filter(line -> line.contains("RUNNING")))
                .hasSize(count);
        alice.put("go-" + count, "", "rw-r--r--");
        for (int i = 0; i < count; i++) {
            assertThat(runs.get(i).finish().expect(i).out()).isEqualTo("started " + i + "\nover " + i + "\n");
        }
        site.awaitIdle();
    }

    @Test
    @Tag("full")
    void theDaemonDoesNotGrowWithItsJobs() throws IOException {
        Desk alice = site.desk(site.alice());
        String script = alice.script("t.sh", Scripts.saysStartedAnd("exit 0")).toString();
        Table table = new Table(List.of("jobs", "resident memory (MiB)", "descriptors", "threads"));
        Size settled = Size.of(Victim.vsed(site));
        for (int i = 1; i <= IN_A_ROW; i++) {
            assertThat(alice.vse("run", script).expect(0).out()).isEqualTo("started\n");
            site.awaitIdle();
            if (i == 1 || i % 10 == 0) {
                Size size = Size.of(Victim.vsed(site));
                table.row(List.of(
                        Integer.toString(i),
                        String.format(Locale.ROOT, "%.0f", size.kib() / 1024.0),
                        Long.toString(size.descriptors()),
                        Long.toString(size.threads())));
                settled = i == 10 ? size : settled;
            }
        }
        Size end = Size.of(Victim.vsed(site));
        assertThat(end.descriptors()).as("descriptors").isLessThanOrEqualTo(settled.descriptors() + 2);
        assertThat(end.threads()).as("threads").isLessThanOrEqualTo(settled.threads() + 2);
        assertThat(end.kib()).as("KiB").isLessThanOrEqualTo(settled.kib() + MOST_GROWTH_KIB);
        table.write("many-jobs.md", """
                # What `vsed` needs after many jobs

                %d jobs of an ordinary user with an NFS share, one after the other; nothing was left of any of them. From the
                tenth on memory may grow by %d MiB at most, descriptors and threads by 2.

                Made on %s by `./dev test --full`.
                """.formatted(IN_A_ROW, MOST_GROWTH_KIB >> 10, LocalDate.now(ZoneOffset.UTC)));
    }

    /** What a process needs. */
    private record Size(long kib, long descriptors, long threads) {
        static Size of(ProcessIdentity process) throws IOException {
            Path proc = Path.of("/proc", Long.toString(process.pid()));
            long kib = Files.readAllLines(proc.resolve("status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .map(line -> line.replaceAll("[^0-9]", ""))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElseThrow();
            return new Size(kib, count(proc.resolve("fd")), count(proc.resolve("task")));
        }

        private static long count(Path directory) throws IOException {
            try (Stream<Path> entries = Files.list(directory)) {
                return entries.count();
            }
        }
    }
}

package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.job.lifecycle.JobRecord;
import org.vse.process.ProcessIdentity;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** What serves a job is in the job's control group, and what a job makes the host hold is bounded. */
@Tag("system")
class JobBoundsSystemTest {
    private static final long MIB = 1 << 20;
    /** Takes memory, 16 MiB at a time, until it is killed. */
    private static final String GREEDY = "perl -e '$x .= \"x\" x (1 << 24) while 1'";

    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.prepare("cores: 0-1\nmax-output: 1MiB\nmax-console: 4MiB\n");
        site.root().vse("up").expect(0);
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @AfterEach
    void nothingIsLeft() {
        site.awaitIdle();
    }

    private static String script(String header, String body) {
        return "#!/bin/bash\n#VSE image=debian-12 " + header + "\n" + body + "\n";
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file);
    }

    @Test
    void everyProcessOfAJobIsInItsGroupAndTheLedgerKnowsItsPeak() throws IOException {
        assumeGroups(site);
        Desk alice = site.desk(site.alice());
        Started run = alice.start(
                "run",
                alice.script("s.sh", script("memory=512MiB", "echo started; until [[ -e go ]]; do sleep 0.2; done"))
                        .toString());
        run.awaitOut("started");
        List<ProcessIdentity> serving = Remains.processes(site).stream()
                .filter(process -> {
                    String line = commandLine(process);
                    return line.contains("qemu-system") || line.contains("ganesha.nfsd -F");
                })
                .toList();
        assertThat(serving).hasSize(2);
        for (ProcessIdentity process : serving) {
            String member = commandLine(process).contains("qemu-system") ? "/vm0" : "/share";
            assertThat(text(Path.of("/proc", Long.toString(process.pid()), "cgroup"))
                            .lines()
                            .filter(line -> line.contains("/vse-") && line.endsWith(member)))
                    .as("%s", commandLine(process))
                    .isNotEmpty();
        }
        alice.put("go", "", "rw-r--r--");
        run.finish().expect(0);
        String report = site.root()
                .vse("report", "vms", "--job", run.job(), "--format", "json")
                .expect(0)
                .out();
        Matcher peak = Pattern.compile("\"peakMemoryBytes\":([0-9]+)").matcher(report);
        assertThat(peak.find()).as(report).isTrue();
        assertThat(Long.parseLong(peak.group(1))).isBetween(64 * MIB, 768 * MIB);
    }

    @Test
    void outputAndConsoleOverTheirCapsEndTheJobAndAProgramBeyondTheGuestsMemoryIsKilledInside() throws IOException {
        Desk root = site.root();
        Started output =
                root.start("run", root.script("o.sh", script("", "yes")).toString());
        Started console = root.start(
                "run",
                root.script("c.sh", script("", "yes $(printf %0200d 7) >/dev/console"))
                        .toString());
        Started memory = root.start(
                "run",
                root.script("m.sh", script("memory=256MiB", "exec " + GREEDY)).toString());
        Finished end = output.finish();
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.err()).contains("[OUTPUT_LIMIT]").contains("standard output");
        end = console.finish();
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.err()).contains("[OUTPUT_LIMIT]").contains("the console");
        end = memory.finish();
        assertThat(end.exitCode()).as(end.toString()).isEqualTo(137);
        assertThat(end.err()).doesNotContain("MACHINE_MEMORY").doesNotContain("GUEST_DIED");
        site.awaitIdle();
        assertThat(largest("stdout")).isEqualTo(MIB + 1);
        assertThat(largest("console-0")).isEqualTo(4 * MIB + 1);
    }

    /** The kernel is told of a lower bound than the daemon's, so that a machine exceeds it without a defect in QEMU. */
    @Test
    void aMachineBeyondItsBoundIsKilledAlone() throws IOException {
        assumeGroups(site);
        Desk root = site.root();
        Desk alice = site.desk(site.alice());
        Started neighbour = alice.start(
                "run",
                alice.script("n.sh", script("", "echo started; until [[ -e on ]]; do sleep 0.2; done; echo whole"))
                        .toString());
        neighbour.awaitOut("started");
        Started greedy = root.start(
                "run",
                root.script("g.sh", script("memory=256MiB", "echo started; sleep 5; " + GREEDY))
                        .toString());
        greedy.awaitOut("started");
        Path group = memoryGroup(greedy.job());
        Path bound = Stream.of("memory.max", "memory.limit_in_bytes")
                .map(group::resolve)
                .filter(Files::exists)
                .findFirst()
                .orElseThrow();
        assertThat(text(bound).strip()).isEqualTo(Long.toString((256 + 256) * MIB));
        Path used = group.resolve(bound.endsWith("memory.max") ? "memory.current" : "memory.usage_in_bytes");
        Files.writeString(bound, Long.toString(Long.parseLong(text(used).strip()) + 8 * MIB));
        Finished end = greedy.finish();
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.err()).contains("[MACHINE_MEMORY]").contains("vm0 exceeded its memory");
        assertThat(neighbour.isAlive()).isTrue();
        alice.put("on", "", "rw-r--r--");
        assertThat(neighbour.finish().expect(0).out()).isEqualTo("started\nwhole\n");
    }

    private static Path memoryGroup(String job) throws IOException {
        String owner = text(site.state().resolve("owner")).strip();
        String tag = JobRecord.tagOf(owner, "local", job, 1);
        return Remains.groups(site).stream()
                .map(root -> root.resolve(tag).resolve("vm0"))
                .filter(group -> Files.exists(group.resolve("memory.stat")))
                .findFirst()
                .orElseThrow();
    }

    private static long largest(String name) throws IOException {
        try (Stream<Path> jobs = Files.list(site.state().resolve("jobs"))) {
            return jobs.map(job -> job.resolve(name).toFile().length())
                    .max(Long::compare)
                    .orElse(0L);
        }
    }

    private static void assumeGroups(Site at) {
        assumeTrue(!Remains.groups(at).isEmpty(), "this host has no control groups for the daemon");
    }

    private static String commandLine(ProcessIdentity process) {
        try {
            return text(Path.of("/proc", Long.toString(process.pid()), "cmdline"))
                    .replace('\0', ' ');
        } catch (IOException e) {
            return "";
        }
    }
}

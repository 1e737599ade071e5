package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vse.process.ProcessIdentity;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;
import org.vse.test.site.Started;
import org.vse.test.site.Table;

/**
 * Every process that a job needs is killed in every step of the job's life: the job is finished or undone, nothing is left,
 * and its user is told. The daemon is stopped (SIGSTOP) while the victim is looked for and killed, so that the step which
 * the journal names is the step in which it died.
 */
@Tag("system")
@Tag("full")
class KillTableSystemTest {
    private static final int SIGSTOP = 19;
    private static final int SIGCONT = 18;
    private static final int SIGINT = 2;
    private static final int TRIES = 25;

    /** What the daemon does between two looks: some steps take a few milliseconds. */
    private static final long SLICE_NANOS = 500_000;

    private static final String SCRIPT = Scripts.saysStartedAnd("sleep 1; echo kept >>kept; echo done; exit 7");
    private static final Pattern CODE = Pattern.compile("\\[([A-Z_]+)]");
    private static final Map<String, Map<Role, String>> CELLS = new LinkedHashMap<>();

    private static Site site;

    private static final List<String> STEPS =
            List.of("group", "stage", "share", "connect", "create", "ready", "run", "settle");

    /** Steps in which there is no such process. */
    private static Set<String> absent(Role role) {
        return switch (role) {
            case QEMU -> Set.of("group", "stage", "share", "connect");
            case SHARE_SERVER -> Set.of("group", "stage");
            default -> Set.of();
        };
    }

    static Stream<Arguments> cells() {
        return STEPS.stream().flatMap(step -> Arrays.stream(Role.values()).map(role -> Arguments.of(step, role)));
    }

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void writeTable() throws IOException {
        try {
            for (String step : STEPS) {
                assertThat(CELLS.getOrDefault(step, Map.of()))
                        .as("cells of step %s", step)
                        .containsOnlyKeys(Role.values());
            }
            Table table = new Table(Stream.concat(
                            Stream.of("step"), Arrays.stream(Role.values()).map(Role::words))
                    .toList());
            CELLS.forEach((step, row) -> table.row(Stream.concat(
                            Stream.of(step), Arrays.stream(Role.values()).map(role -> row.getOrDefault(role, "")))
                    .toList()));
            table.write("kill-table.md", """
                    # Who is killed, in which step, and what comes of it

                    Each cell is one job of an ordinary user with an NFS share. The daemon is stopped while the process is looked
                    for and killed with SIGKILL, so that it died in the step that the job's journal names; in *run* the script had
                    said its first line. In every cell nothing was left afterwards: no machine, disk, share server, namespace,
                    tap, socket, control group or mount.

                    A cell is what the user saw. *exit 7*: the script ran to its end; its whole output and its exit code arrived.
                    A code: the job failed with [this named error](../runbook.md), and was undone. *–*: there is no such process
                    in this step yet.

                    Made on %s by `./dev test --full`.
                    """.formatted(LocalDate.now(ZoneOffset.UTC)));
        } finally {
            site.close();
        }
    }

    @ParameterizedTest(name = "{1} in {0}")
    @MethodSource("cells")
    void isFinishedOrUndone(String step, Role role) {
        Desk alice = site.desk(site.alice());
        site.root().vse("up").expect(0);
        Set<Path> before = Victim.jobs(site);
        Started run = alice.start("run", alice.script("k.sh", SCRIPT).toString());
        Optional<Path> job = kill(step, role, run, before);
        for (int tries = 1; job.isEmpty(); tries++) {
            assertThat(tries).as("%s was never caught in step %s", role, step).isLessThan(TRIES);
            run.signal(SIGINT);
            run.finish();
            site.awaitIdle();
            before = Victim.jobs(site);
            run = alice.start("run", alice.script("k.sh", SCRIPT).toString());
            job = kill(step, role, run, before);
        }
        site.root().vse("up").expect(0);
        String seen = role == Role.STARTER ? shown(job.orElseThrow()) : told(run.finish());
        await("nothing is left of " + run)
                .atMost(Duration.ofSeconds(40))
                .untilAsserted(() -> assertThat(Remains.ofJobs(site)).isEmpty());
        if (absent(role).contains(step)) {
            assertThat(seen).isEqualTo("exit 7");
            seen = "–";
        } else if (step.equals("settle") || (step.equals("run") && role != Role.QEMU)) {
            assertThat(seen).as("what had run is not lost: %s", run).isEqualTo("exit 7");
        } else {
            assertThat(seen).as("%s", run).doesNotContain("INTERNAL").matches("exit 7|[A-Z_]+");
        }
        CELLS.computeIfAbsent(step, key -> new LinkedHashMap<>()).put(role, seen);
    }

    @Test
    void theTableHasEveryProcessInEveryStepOfAJob() {
        assertThat(cells()).hasSize(STEPS.size() * Role.values().length);
    }

    /**
     * Kills it in that step. Where there is none, it is seen that there is none. The daemon goes on in slices, and stands
     * still while it is looked at.
     *
     * @param before jobs that are not the one of this run
     * @return the job's directory; empty when the job was faster
     */
    private static Optional<Path> kill(String step, Role role, Started run, Set<Path> before) {
        ProcessIdentity vsed = Victim.vsed(site);
        boolean absent = absent(role).contains(step);
        while (run.isAlive()) {
            boolean resume = true;
            vsed.signal(SIGSTOP);
            try {
                Optional<Path> job = Victim.jobs(site).stream()
                        .filter(path -> !before.contains(path))
                        .findFirst();
                if (job.isPresent() && within(step, job.get())) {
                    Optional<ProcessIdentity> victim = role.find(site, run);
                    if (absent) {
                        assertThat(victim).isEmpty();
                        return job;
                    }
                    if (victim.isPresent()) {
                        resume = role != Role.VSED;
                        Victim.kill(victim.get());
                        return job;
                    }
                } else if (job.isPresent() && isPast(step, job.get())) {
                    return Optional.empty();
                }
            } finally {
                if (resume) {
                    vsed.signal(SIGCONT);
                }
            }
            LockSupport.parkNanos(SLICE_NANOS);
        }
        return Optional.empty();
    }

    private static boolean isPast(String step, Path job) {
        return Victim.journal(job).contains("\"DONE\",\"step\":\"" + step + "\"") && !step.equals("settle");
    }

    /** The journal's last word is that this step has begun, and in {@code run} the script has said something. */
    private static boolean within(String step, Path job) {
        String journal = Victim.journal(job);
        List<String> lines = journal.lines().toList();
        if (step.equals("settle")) {
            return journal.contains("\"UNDONE\",\"step\":\"run\"") && !journal.contains("\"SETTLED\"");
        }
        String last = "";
        for (String line : lines) {
            last = line.contains("\"kind\":\"STATE\"") ? last : line;
        }
        return last.contains("\"INTENT\",\"step\":\"" + step + "\"")
                && (!step.equals("run") || Victim.stdout(job).startsWith("started"));
    }

    private static String told(Finished end) {
        if (end.exitCode() == 7) {
            assertThat(end.out()).isEqualTo("started\ndone\n");
            return "exit 7";
        }
        return CODE.matcher(end.err())
                .results()
                .map(match -> match.group(1))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no code in: " + end));
    }

    /** What the user of a killed starter finds out afterwards. */
    private static String shown(Path job) {
        site.awaitIdle();
        Matcher record = Pattern.compile("\"id\":\"(local-[0-9]+)\"").matcher(Victim.record(job));
        assertThat(record.find()).as("%s has a record", job).isTrue();
        String id = record.group(1);
        String shown = site.root().vse("job", "show", id).expect(0).out();
        if (Pattern.compile("exitCode +: 7").matcher(shown).find()) {
            assertThat(site.root().vse("job", "logs", id).expect(0).out()).isEqualTo("started\ndone\n");
            return "exit 7";
        }
        Matcher code = Pattern.compile("code\\S* *[:=] *\"?([A-Z_]+)").matcher(shown);
        return code.find()
                ? code.group(1)
                : CODE.matcher(shown)
                        .results()
                        .map(match -> match.group(1))
                        .collect(Collectors.collectingAndThen(Collectors.toCollection(ArrayList::new), codes -> {
                            assertThat(codes).as(shown).isNotEmpty();
                            return codes.get(0);
                        }));
    }
}

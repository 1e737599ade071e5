package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
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
 * Every process that a job needs is killed in every phase of being saved and of going on from that: the job goes on, or goes
 * on later from its checkpoint, or has failed with the reason; its output is there once, and nothing is left. The daemon is
 * stopped (SIGSTOP) while the victim is looked for and killed.
 */
@Tag("system")
@Tag("full")
class SaveKillTableSystemTest {
    private static final int SIGSTOP = 19;
    private static final int SIGCONT = 18;
    private static final int TRIES = 15;
    private static final int LAST = 80;
    private static final int GOES_ON_LATER = 75;
    private static final long SLICE_NANOS = 500_000;
    private static final Pattern CODE = Pattern.compile("\\[([A-Z_]+)]");
    private static final Map<Phase, Map<Role, String>> CELLS = new EnumMap<>(Phase.class);
    private static final String SCRIPT = """
            #!/bin/bash
            #PBS -l nodes=1:ppn=1
            #VSE image=debian-12 memory=256MiB
            exec 3>>~/saved.log
            for ((i = 1; i <= 80; i++)); do
                echo "$i"
                echo "$i" >&3
                sleep 0.1
            done
            exit 7
            """;

    private static Site site;

    /** How far a save, or the start from what was saved, has come. */
    enum Phase {
        BEGUN("save begun, machine there"),
        MEMORY("memory being written"),
        WRITTEN("machine ended, set not there yet"),
        SET("set there, job not ended"),
        RESTORE("machine being restored");

        private final String words;

        Phase(String words) {
            this.words = words;
        }
    }

    static Stream<Arguments> cells() {
        return Arrays.stream(Phase.values())
                .flatMap(phase -> Arrays.stream(Role.values()).map(role -> Arguments.of(phase, role)));
    }

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void writeTable() throws IOException {
        try {
            for (Phase phase : Phase.values()) {
                assertThat(CELLS.getOrDefault(phase, Map.of()))
                        .as("cells of phase %s", phase)
                        .containsOnlyKeys(Role.values());
            }
            Table table = new Table(Stream.concat(
                            Stream.of("phase"), Arrays.stream(Role.values()).map(Role::words))
                    .toList());
            CELLS.forEach((phase, row) -> table.row(Stream.concat(
                            Stream.of(phase.words),
                            Arrays.stream(Role.values()).map(role -> row.getOrDefault(role, "")))
                    .toList()));
            table.write("save-kill-table.md", """
                    # Who is killed while a job is saved, and what comes of it

                    Each cell is a job that counts, to its output and to a file in its home directory by NFS, and is saved with
                    `vse checkpoint --stop`. The daemon is stopped while the process is looked for and killed with SIGKILL, so that it
                    died in that phase. Whatever came of it, no number was lost or there twice, and nothing was left afterwards.

                    *goes on*: the job was not saved and ran to its end. *goes on later*: it was, and ran to its end when it was
                    resumed. A code: the job failed with [this named error](../runbook.md). *–*: there is no such process.

                    Made on %s by `./dev test --full`.
                    """.formatted(LocalDate.now(ZoneOffset.UTC)));
        } finally {
            site.close();
        }
    }

    @ParameterizedTest(name = "{1} in {0}")
    @MethodSource("cells")
    void goesOnOrHasFailedWithTheReason(Phase phase, Role role) throws IOException {
        Desk alice = site.desk(site.alice());
        Path log = site.alice().home().resolve("saved.log");
        String seen = "";
        for (int tries = 1; seen.isEmpty(); tries++) {
            assertThat(tries).as("%s was never caught in phase %s", role, phase).isLessThan(TRIES);
            Files.deleteIfExists(log);
            site.root().vse("up").expect(0);
            seen = phase == Phase.RESTORE ? killedInRestore(alice, role, log) : killedInSave(alice, phase, role, log);
            site.root().vse("up").expect(0);
            site.awaitIdle();
            await("nothing is left")
                    .atMost(Duration.ofSeconds(40))
                    .untilAsserted(() -> assertThat(Remains.ofJobs(site)).isEmpty());
            site.root().vse("checkpoint", "gc", "--before", "0s").expect(0);
            assertThat(drafts()).isEmpty();
        }
        CELLS.computeIfAbsent(phase, key -> new EnumMap<>(Role.class)).put(role, seen);
    }

    /** What came of it; nothing when the victim was not caught. */
    private static String killedInSave(Desk alice, Phase phase, Role role, Path log) throws IOException {
        Started run = alice.start("run", alice.script("save.sh", SCRIPT).toString());
        run.awaitOut("5\n");
        String job = run.job();
        Started save = alice.start("checkpoint", "--stop", job);
        Caught caught = kill(role, run, () -> saving(phase), save::isAlive);
        save.finish();
        site.root().vse("up").expect(0);
        if (role == Role.STARTER && caught == Caught.KILLED) {
            site.awaitIdle();
            return ofItsOwn(alice, job, log);
        }
        return told(alice, run.finish(), job, log, caught);
    }

    private static String killedInRestore(Desk alice, Role role, Path log) throws IOException {
        Started run = alice.start("run", alice.script("save.sh", SCRIPT).toString());
        run.awaitOut("5\n");
        String job = run.job();
        alice.vse("checkpoint", "--stop", job).expect(0);
        Finished saved = run.finish().expect(GOES_ON_LATER);
        Started again =
                alice.start("run", alice.script("again.sh", resuming(job)).toString());
        Caught caught = kill(role, again, SaveKillTableSystemTest::restoring, again::isAlive);
        site.root().vse("up").expect(0);
        if (role == Role.STARTER && caught == Caught.KILLED) {
            site.awaitIdle();
        } else {
            Finished end = again.finish();
            if (end.exitCode() == 7) {
                assertWhole(saved.out() + end.out(), log);
                return caught == Caught.ABSENT ? "–" : caught == Caught.KILLED ? "goes on" : "";
            }
        }
        // Whatever happened to the one that was to go on: what was saved is still there, and is enough.
        Finished third = alice.vse(
                        "run", alice.script("third.sh", resuming(job)).toString())
                .expect(7);
        assertWhole(saved.out() + third.out(), log);
        return caught == Caught.KILLED ? "goes on later" : "";
    }

    private static String resuming(String job) {
        return SCRIPT.replace("memory=", "resume=" + job + " memory=");
    }

    private static String told(Desk alice, Finished end, String job, Path log, Caught caught) throws IOException {
        String seen;
        if (end.exitCode() == 7) {
            assertWhole(end.out(), log);
            seen = "goes on";
        } else if (end.exitCode() == GOES_ON_LATER) {
            Finished again = alice.vse(
                            "run", alice.script("again.sh", resuming(job)).toString())
                    .expect(7);
            assertWhole(end.out() + again.out(), log);
            seen = "goes on later";
        } else {
            seen = CODE.matcher(end.err())
                    .results()
                    .map(match -> match.group(1))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no code in: " + end));
            assertThat(seen).as("%s", end).isNotEqualTo("INTERNAL");
        }
        return caught == Caught.ABSENT ? "–" : caught == Caught.KILLED ? seen : "";
    }

    /** Whose starter was killed: what it wrote is in the daemon's hands. */
    private static String ofItsOwn(Desk alice, String job, Path log) throws IOException {
        Finished again =
                alice.vse("run", alice.script("again.sh", resuming(job)).toString());
        if (again.exitCode() == 7) {
            assertThat(log).hasContent(numbers());
            return "goes on later";
        }
        String shown = site.root().vse("job", "show", job).expect(0).out();
        return CODE.matcher(shown + again.err())
                .results()
                .map(match -> match.group(1))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no code in: " + shown));
    }

    private static void assertWhole(String out, Path log) {
        assertThat(out).isEqualTo(numbers());
        assertThat(log).hasContent(numbers());
    }

    private static String numbers() {
        return IntStream.rangeClosed(1, LAST).mapToObj(i -> i + "\n").collect(Collectors.joining());
    }

    /** What became of the attempt to kill. */
    private enum Caught {
        KILLED,
        /** The phase was seen, and that there is no such process in it. */
        ABSENT,
        MISSED
    }

    /** Whether a phase is there now, and a condition for looking on. */
    @FunctionalInterface
    private interface Look {
        boolean isSo();
    }

    /** Kills it when the phase is there. The daemon goes on in slices, and stands still while it is looked at. */
    private static Caught kill(Role role, Started run, Look phase, Look on) {
        ProcessIdentity vsed = Victim.vsed(site);
        while (on.isSo()) {
            boolean resume = true;
            vsed.signal(SIGSTOP);
            try {
                if (phase.isSo()) {
                    Optional<ProcessIdentity> victim = role.find(site, run);
                    if (victim.isEmpty()) {
                        return Caught.ABSENT;
                    }
                    resume = role != Role.VSED;
                    Victim.kill(victim.get());
                    return Caught.KILLED;
                }
            } finally {
                if (resume) {
                    vsed.signal(SIGCONT);
                }
            }
            LockSupport.parkNanos(SLICE_NANOS);
        }
        return Caught.MISSED;
    }

    private static boolean saving(Phase phase) {
        List<Path> drafts = drafts();
        if (phase == Phase.SET) {
            return drafts.isEmpty() && files(name -> name.equals("manifest.json")) > 0;
        }
        if (drafts.isEmpty()) {
            return false;
        }
        boolean memory = files(name -> name.endsWith(".memory")) > 0;
        boolean machine = !Remains.machines(site).isEmpty();
        return switch (phase) {
            case BEGUN -> !memory && machine;
            case MEMORY -> memory && machine;
            default -> memory && !machine;
        };
    }

    /** The machine of the job that goes on is there, and its script not yet taken up. */
    private static boolean restoring() {
        return !Remains.machines(site).isEmpty()
                && Victim.jobs(site).stream().map(Victim::journal).anyMatch(journal -> {
                    List<String> lines = journal.lines().toList();
                    return !lines.isEmpty()
                            && !journal.contains("SETTLED")
                            && journal.contains("\"INTENT\",\"step\":\"create\"")
                            && !journal.contains("\"INTENT\",\"step\":\"run\"");
                });
    }

    private static List<Path> drafts() {
        try (Stream<Path> all = Files.walk(sets())) {
            return all.filter(path -> path.toString().endsWith(".draft")).toList();
        } catch (IOException | UncheckedIOException e) {
            // Sets come and go while they are looked at.
            return List.of();
        }
    }

    private static long files(java.util.function.Predicate<String> named) {
        try (Stream<Path> all = Files.walk(sets())) {
            return all.filter(path -> named.test(path.getFileName().toString())).count();
        } catch (IOException | UncheckedIOException e) {
            return 0;
        }
    }

    private static Path sets() {
        return site.state().resolve("checkpoints");
    }
}

package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** The daemon dies; jobs whose script runs go on, all others are undone. */
@Tag("system")
class DaemonKilledSystemTest {
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @BeforeEach
    void aDaemonIsThere() {
        site.root().vse("up").expect(0);
    }

    @AfterEach
    void nothingIsLeft() {
        site.awaitIdle();
    }

    @Test
    void anAttachedRunStartsAnotherAndLosesNothing() {
        Desk root = site.root();
        Started run = root.start("run", root.script("n.sh", Scripts.NUMBERED).toString());
        run.awaitOut("line 40\n");
        Victim.kill(Victim.vsed(site));
        Finished end = run.finish().expect(7);
        assertThat(end.out()).isEqualTo(Scripts.numberedOut());
        assertThat(end.err().lines().filter(line -> line.startsWith("error ")).toList())
                .isEqualTo(Scripts.numberedErr().lines().toList());
        assertThat(end.err()).contains("the job goes on");
    }

    @Test
    void aScriptThatEndsWithoutADaemonIsNotForgotten() {
        Desk root = site.root();
        Started run = root.start(
                "run",
                root.script("s.sh", Scripts.saysStartedAnd("echo $$ >&2; sleep 4; echo done; exit 5"))
                        .toString());
        run.awaitOut("started");
        String job = run.job();
        run.signal(9);
        Victim.kill(Victim.vsed(site));
        // QEMU writes what the guest says with nobody there to read it.
        Path jobs = site.state().resolve("jobs");
        await("the end of the script")
                .atMost(Duration.ofSeconds(60))
                .until(() -> Victim.read(jobs, "control").contains("exit 5"));
        root.vse("up").expect(0);
        site.awaitIdle();
        assertThat(root.vse("job", "show", job).expect(0).out())
                .contains("SETTLED")
                .containsPattern("exitCode +: 5");
        assertThat(root.vse("job", "logs", job).expect(0).out()).isEqualTo("started\ndone\n");
    }

    @Test
    void aJobThatNobodyWatchesIsFoundByTheNextDaemon() {
        Desk root = site.root();
        Started run = root.start(
                "run",
                root.script("s.sh", Scripts.saysStartedAnd("sleep 12; echo done; exit 3"))
                        .toString());
        run.awaitOut("started");
        String job = run.job();
        run.signal(9);
        Victim.kill(Victim.vsed(site));
        root.vse("up").expect(0);
        assertThat(root.vse("job", "show", job).expect(0).out()).contains("RUNNING");
        site.awaitIdle();
        assertThat(root.vse("job", "show", job).expect(0).out())
                .contains("SETTLED")
                .containsPattern("exitCode +: 3");
        assertThat(root.vse("job", "logs", job).expect(0).out()).isEqualTo("started\ndone\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"create", "ready"})
    void whatHadNotRunYetIsUndone(String step) {
        undone(step);
    }

    /** Steps of a few hundredths of a second: the kill may come too late, and then the test says so. */
    @Tag("full")
    @ParameterizedTest
    @ValueSource(strings = {"share", "connect"})
    void whatHadHardlyBegunIsUndone(String step) {
        undone(step);
    }

    private static void undone(String step) {
        Desk alice = site.desk(site.alice());
        Started run = alice.start(
                "run", alice.script("s.sh", Scripts.saysStartedAnd("sleep 1")).toString());
        Path directory = Victim.killVsedIn(site, step);
        site.root().vse("up").expect(0);
        Finished end = run.finish();
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.err()).contains("[STEP_INTERRUPTED]").contains("run the job again");
        assertThat(end.out()).isEmpty();
        await("nothing of it is left")
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(Remains.ofJobs(site)).isEmpty());
        assertThat(Victim.journal(directory)).contains("\"FAILED\"");
        assertThat(site.root().vse("job", "show", run.job()).expect(0).out())
                .contains("FAILED")
                .contains("STEP_INTERRUPTED");
    }
}

package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.test.site.Desk;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** The user's command dies: a script that runs goes on, a job that does not run yet is undone. */
@Tag("system")
class CommandKilledSystemTest {
    private static final int SIGKILL = 9;
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @AfterEach
    void nothingIsLeft() {
        site.awaitIdle();
    }

    @Test
    void aScriptThatRunsGoesOnAndItsOutputIsKept() {
        Desk alice = site.desk(site.alice());
        Started run = alice.start("run", alice.script("n.sh", Scripts.NUMBERED).toString());
        run.awaitOut("line 3\n");
        String job = run.job();
        run.signal(SIGKILL);
        assertThat(run.finish().exitCode()).isEqualTo(128 + SIGKILL);
        await("the end of the job")
                .atMost(Duration.ofSeconds(60))
                .until(() -> alice.vse("job", "show", job).expect(0).out().contains("SETTLED"));
        assertThat(alice.vse("job", "show", job).expect(0).out()).containsPattern("exitCode +: 7");
        assertThat(alice.vse("job", "logs", job).expect(0).out()).isEqualTo(Scripts.numberedOut());
        assertThat(alice.vse("job", "logs", "--stderr", job).expect(0).out()).isEqualTo(Scripts.numberedErr());
    }

    @ParameterizedTest
    @ValueSource(strings = {"share", "create", "ready"})
    void aJobThatDoesNotRunYetIsUndone(String step) {
        Desk alice = site.desk(site.alice());
        Started run = alice.start(
                "run", alice.script("s.sh", Scripts.saysStartedAnd("sleep 60")).toString());
        Victim.awaitStep(site, step);
        String job = run.job();
        run.signal(SIGKILL);
        await("the end of the job")
                .atMost(Duration.ofSeconds(30))
                .until(() -> alice.vse("job", "show", job).expect(0).out().contains("FAILED"));
        assertThat(alice.vse("job", "show", job).expect(0).out()).contains("JOB_CANCELLED");
        site.awaitIdle();
    }
}

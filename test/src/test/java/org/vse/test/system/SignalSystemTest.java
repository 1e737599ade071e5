package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** Signals and cancellation, at every stage of a job's life. */
@Tag("system")
class SignalSystemTest {
    private static final int TERM = 15;
    private static final String WAITS = """
            #!/bin/bash
            #PBS -l nodes=1:ppn=1
            #VSE image=debian-12
            trap 'echo caught TERM; exit 7' TERM
            echo ready
            while :; do
                sleep 60 &
                wait $!
            done
            """;
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.prepare("cores: 0\n");
        site.root().vse("up").expect(0);
        site.desk(site.alice()).script("waits.sh", WAITS);
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
    void termOfTheCommandReachesTheScript() {
        Started run = site.desk(site.alice()).start("run", "waits.sh").awaitOut("ready");
        run.signal(TERM);
        Finished finished = run.finish().expect(7);
        assertThat(finished.out()).isEqualTo("ready\ncaught TERM\n");
        assertThat(finished.err()).contains("SIGTERM passed on to job");
    }

    @Test
    void cancellingEndsARunningJobAndAQueuedOne() {
        Desk alice = site.desk(site.alice());
        Started running = alice.start("run", "waits.sh").awaitOut("ready");
        Started queued = alice.start("run", "waits.sh").awaitErr("queue: waiting for");
        assertThat(alice.vse("job", "show", queued.job()).expect(0).out()).contains("QUEUED");

        alice.vse("job", "cancel", queued.job()).expect(0);
        assertThat(queued.finish().expect(125).err()).contains("[JOB_CANCELLED]", "while it waited");
        assertThat(alice.vse("job", "show", queued.job()).expect(125).err()).contains("[JOB_UNKNOWN]");

        alice.vse("job", "cancel", running.job()).expect(0);
        Finished ended = running.finish();
        assertThat(ended.out()).isEqualTo("ready\ncaught TERM\n");
        assertThat(ended.err()).contains("[JOB_CANCELLED]");
        assertThat(ended.exitCode()).isEqualTo(7);
        assertThat(alice.vse("job", "show", running.job()).expect(0).out()).contains("FAILED", "[JOB_CANCELLED]");
        assertThat(alice.vse("job", "logs", running.job()).expect(0).out()).isEqualTo("ready\ncaught TERM\n");
        assertThat(site.root()
                        .vse("report", "vms", "--job", running.job(), "--format", "json")
                        .expect(0)
                        .out())
                .contains("CANCELLED");
    }

    @Test
    void cancellingEndsABootingJob() {
        Desk alice = site.desk(site.alice());
        Started booting = alice.start("run", "waits.sh").awaitErr("ready: waiting for");
        alice.vse("job", "cancel", booting.job()).expect(0);
        assertThat(booting.finish().expect(125).err()).contains("[JOB_CANCELLED]");

        Started interrupted = alice.start("run", "waits.sh").awaitErr("ready: waiting for");
        interrupted.signal(TERM);
        assertThat(interrupted.finish().expect(143).err()).contains("SIGTERM: cancelling job");
    }
}

package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** A machine, or what serves it, ends before the script does. */
@Tag("system")
class GuestEndsSystemTest {
    private static final int SIGSTOP = 19;

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

    private static Started start(Desk desk, String what) {
        Started run = desk.start(
                "run", desk.script("s.sh", Scripts.saysStartedAnd(what)).toString());
        run.awaitOut("started");
        return run;
    }

    @Test
    void aKilledMachineIsNamedWithItsConsole() {
        Started run = start(site.root(), "sleep 600");
        Victim.kill(Victim.qemu(site));
        Finished end = run.finish();
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.out()).isEqualTo("started\n");
        assertThat(end.err())
                .contains("[GUEST_DIED]")
                .contains("virtual machine vm0 ended")
                .contains("console");
        assertThat(site.root()
                        .vse("report", "vms", "--job", run.job(), "--format", "json")
                        .expect(0)
                        .out())
                .contains("\"why\":\"DIED\"");
    }

    /** A power-off, a reboot and a panic; the first two at once. */
    @Test
    void aGuestThatEndsByItselfIsNamed() {
        List<Started> runs = Stream.of("o", "b", "c")
                .map(key -> site.root()
                        .start(
                                "run",
                                site.root()
                                        .script(
                                                key + ".sh",
                                                Scripts.saysStartedAnd(
                                                        "echo " + key + " >/proc/sysrq-trigger; sleep 600"))
                                        .toString()))
                .toList();
        for (Started run : runs) {
            Finished end = run.finish();
            assertThat(end.out()).isEqualTo("started\n");
            assertThat(end.exitCode()).isNotZero();
            assertThat(end.err()).contains("[GUEST_DIED]").contains("virtual machine vm0 ended");
        }
        assertThat(runs.get(2).err()).containsIgnoringCase("panic");
    }

    @Test
    void aJobNeedsNoLibvirtdOnceItRuns() {
        Started run = start(site.root(), "sleep 3; echo done; exit 4");
        Victim.kill(Victim.libvirtd(site));
        assertThat(run.finish().expect(4).out()).isEqualTo("started\ndone\n");
        site.root()
                .vse(
                        "run",
                        site.root()
                                .script("t.sh", Scripts.saysStartedAnd("exit 0"))
                                .toString())
                .expect(0);
    }

    @Test
    void aShareServerThatDiesIsStartedAgain() {
        Desk alice = site.desk(site.alice());
        Started run = start(alice, "for i in $(seq 1 10); do echo $i >>kept; sleep 0.5; done; wc -l <kept");
        Victim.kill(Victim.shareServer(site));
        assertThat(run.finish().expect(0).out()).isEqualTo("started\n10\n");
    }

    @Test
    void aMachineThatNeverAnswersIsABootTimeout() {
        Desk root = site.root();
        Started run = root.start(
                "run",
                root.script("s.sh", "#!/bin/bash\n#VSE image=debian-12 boot-timeout=5\necho started\n")
                        .toString());
        Victim.awaitStep(site, "ready");
        Victim.qemu(site).signal(SIGSTOP);
        Finished end = run.finish();
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.out()).isEmpty();
        assertThat(end.err()).contains("[BOOT_TIMEOUT]").contains("next");
    }
}

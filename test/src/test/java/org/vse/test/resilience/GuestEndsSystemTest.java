package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    @ParameterizedTest
    @CsvSource({
        "power-off,echo o >/proc/sysrq-trigger",
        "reboot,echo b >/proc/sysrq-trigger",
        "panic,echo c >/proc/sysrq-trigger"
    })
    void aGuestThatEndsByItselfIsNamed(String what, String command) {
        Finished end = start(site.root(), command + "; sleep 600").finish();
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.err()).contains("[GUEST_DIED]").contains("virtual machine vm0 ended");
        if (what.equals("panic")) {
            assertThat(end.err()).containsIgnoringCase("panic");
        }
    }

    @Test
    void aJobNeedsNoLibvirtdOnceItRuns() {
        Started run = start(site.root(), "sleep 6; echo done; exit 4");
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
        Started run = start(alice, "for i in $(seq 1 20); do echo $i >>kept; sleep 0.5; done; wc -l <kept");
        Victim.kill(Victim.shareServer(site));
        assertThat(run.finish().expect(0).out()).isEqualTo("started\n20\n");
    }

    @Test
    void aMachineThatNeverAnswersIsABootTimeout() {
        try (Site slow = Site.prepare("boot-timeout: 5s\n")) {
            Desk root = slow.root();
            root.vse("up").expect(0);
            Started run = root.start(
                    "run", root.script("s.sh", Scripts.saysStartedAnd("exit 0")).toString());
            Victim.awaitStep(slow, "ready");
            Victim.qemu(slow).signal(SIGSTOP);
            Finished end = run.finish();
            assertThat(end.exitCode()).isNotZero();
            assertThat(end.out()).isEmpty();
            assertThat(end.err()).contains("[BOOT_TIMEOUT]").contains("next");
        }
    }
}

package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Typist;

/** Interactive jobs. */
@Tag("system")
class TerminalSystemTest {
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @Test
    void aPipeIsTyped() {
        Finished run = site.desk(site.alice())
                .typing("echo hi from $(hostname) as $(id -un); exit 5\n")
                .vse("run", "--interactive", "debian-12")
                .expect(5);
        assertThat(run.out()).contains("hi from vm0 as " + site.alice().name());
    }

    @Test
    void aTerminalIsATerminal() throws IOException {
        Desk alice = site.desk(site.alice());
        Path keyboard = alice.account().home().resolve("keyboard");
        try (Typist shell = Typist.at(alice, keyboard, "run", "--quiet", "--interactive", "debian-12")) {
            shell.type("vm0:", "echo size $(stty size) term $TERM tty $(tty)\r");
            shell.type("size 33 99 term xterm tty /dev/", "sleep 1000\r");
            shell.type("sleep 1000", "\u0003");
            shell.type("^C", "echo alive $((40 + 2)); pwd; exit 6\r");
            assertThat(shell.finish().expect(6).out())
                    .contains("alive 42", alice.account().home().toString());
        }
    }
}

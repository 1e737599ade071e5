package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

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
        alice.program("mkfifo", keyboard.toString()).finish().expect(0);
        Started shell = alice.reading(keyboard)
                .with("TERM", "xterm")
                .program(
                        "script",
                        "-qefc",
                        "stty rows 33 cols 99; exec "
                                + String.join(" ", alice.words("run", "--quiet", "--interactive", "debian-12")),
                        "/dev/null");
        try (OutputStream keys = Files.newOutputStream(keyboard)) {
            shell.awaitOut("vm0:");
            type(keys, "echo size $(stty size) term $TERM tty $(tty)\r");
            shell.awaitOut("size 33 99 term xterm tty /dev/");
            type(keys, "sleep 1000\r");
            shell.awaitOut("sleep 1000");
            type(keys, "\u0003");
            shell.awaitOut("^C");
            type(keys, "echo alive $((40 + 2)); pwd; exit 6\r");
            shell.awaitOut("alive 42");
            assertThat(shell.finish().expect(6).out())
                    .contains(alice.account().home().toString());
        }
    }

    private static void type(OutputStream keys, String text) throws IOException {
        keys.write(text.getBytes(StandardCharsets.UTF_8));
        keys.flush();
    }
}

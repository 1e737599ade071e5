package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.Examples;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** A job runs as its user would run it here: identity, files, environment, arguments, output, exit code. */
@Tag("system")
class UserJobSystemTest {
    private static final int OUTPUT_BYTES = 20 << 20;
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
    void isTheUserInTheDirectoryWithTheEnvironment() throws IOException {
        Account alice = site.alice();
        Desk home = site.desk(alice);
        home.program("mkdir", "my wörk").finish().expect(0);
        Desk work = home.in(alice.home().resolve("my wörk"))
                .with("STRANGE", "two\nlines, \"quotes\", 'more', $HOME, ü €")
                .with("EMPTY", "");
        work.script("job.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12
                {
                  echo "ids $(id -u) $(id -g) $(id -G)"
                  echo "names $(id -un) $(id -gn)"
                  echo "pwd $(pwd) $PWD"
                  echo "home $HOME"
                  echo "name ${0##*/}"
                  echo "strange [$STRANGE]"
                  echo "empty [${EMPTY-unset}]"
                  for argument in "$@"; do echo "argument [$argument]"; done
                  echo "umask $(umask)"
                } > facts
                head -c 20971520 /dev/urandom > random
                cat random
                tail -c 1000003 random >&2
                exit 3
                """);
        Finished run = work.vse("run", "--quiet", "job.sh", "a b", "", "c'd\"e", "$HOME", "*", "--quiet", "ü\nz");
        run.expect(3);

        assertThat(work.program("cat", "facts").finish().out())
                .contains("names " + alice.name() + " " + alice.name() + "\n")
                .contains("pwd " + alice.home() + "/my wörk " + alice.home() + "/my wörk\n")
                .contains("home " + alice.home() + "\n")
                .contains("name job.sh\n")
                .contains("strange [two\nlines, \"quotes\", 'more', $HOME, ü €]\n")
                .contains("empty []\n")
                .contains(
                        "argument [a b]\nargument []\nargument [c'd\"e]\nargument [$HOME]\nargument [*]\nargument [--quiet]\nargument [ü\nz]\n")
                .contains("umask 0022");
        String ids = Files.readAllLines(alice.home().resolve("my wörk/facts")).get(0);
        List<String> numbers = List.of(ids.split(" "));
        assertThat(numbers.subList(1, 3)).containsExactly("" + alice.uid(), "" + alice.gid());
        assertThat(numbers.subList(3, numbers.size()))
                .containsExactlyInAnyOrderElementsOf(
                        alice.groups().stream().map(String::valueOf).toList());

        Path random = alice.home().resolve("my wörk/random");
        assertThat(Files.getAttribute(random, "unix:uid")).isEqualTo(alice.uid());
        assertThat(Files.getAttribute(random, "unix:gid")).isEqualTo(alice.gid());
        assertThat(Files.size(run.stdout())).isEqualTo(OUTPUT_BYTES);
        assertThat(sha256(run.stdout())).isEqualTo(sha256(random));
        assertThat(Files.readAllBytes(run.stderr())).isEqualTo(tail(random, 1_000_003));
    }

    @Test
    void exitCodesAreThoseOfAShell() {
        Desk home = site.desk(site.alice());
        home.script("signal.sh", "#!/bin/sh\n#PBS -l nodes=1:ppn=1\n#VSE image=debian-12\nkill -\"$1\" $$\n");
        Started killed = home.start("run", "signal.sh", "KILL");
        Started ended = home.start("run", "signal.sh", "TERM");
        killed.finish().expect(137);
        ended.finish().expect(143);
    }

    @Test
    void theExamplesRun() throws IOException {
        Desk home = site.desk(site.alice());
        Started arguments = home.start("run", Examples.script("arguments.sh").toString(), "4", "a b", "");
        Started output = home.start("run", Examples.script("output.sh").toString(), "3");
        Started signals = home.start("run", Examples.script("signals.sh").toString(), "1");
        assertThat(arguments.finish().expect(4).out()).isEqualTo(" 1: [4]\n 2: [a b]\n 3: []\n");
        Finished written = output.finish().expect(0);
        assertThat(written.err()).contains("3 of 3 MiB written\n", "sha256 " + sha256(written.stdout()));
        assertThat(signals.finish().expect(0).out()).contains("no more waiting");
    }

    private static byte[] tail(Path file, int length) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            in.skipNBytes(Files.size(file) - length);
            return in.readAllBytes();
        }
    }

    private static String sha256(Path file) throws IOException {
        try (DigestInputStream in =
                new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}

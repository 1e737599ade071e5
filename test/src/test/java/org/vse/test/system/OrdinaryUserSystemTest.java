package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vse.process.ProcessIdentity;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** Without root anywhere: a user's own vsed, libvirtd and machine, on the images that root has built. */
@Tag("system")
class OrdinaryUserSystemTest {
    private static final String LACKS = "no checkpoint, no job network";
    private static final int SIGINT = 2;
    private static final int SIGKILL = 9;

    private static Site site;
    private static Path run;

    @BeforeAll
    static void open() {
        site = Site.prepare("");
        run = Path.of("/tmp/vse-" + site.alice().uid());
    }

    @AfterAll
    static void close() throws IOException {
        try {
            desk(site.alice()).vse("down", "--cancel-jobs").expect(0);
            assertThat(processes()).as("what is left of alice").isEmpty();
            assertThat(Files.exists(sockets()) ? sockets().toFile().list() : new String[0])
                    .isEmpty();
        } finally {
            processes().forEach(process -> process.signal(SIGKILL));
            delete(run);
            site.close();
        }
    }

    /** That account at a vsed of alice's own; what she would have by default is spelled out, because root's may run here. */
    private static Desk desk(Account account) {
        Path home = site.alice().home();
        return site.desk(account)
                .with("VSE_RUN_DIR", run.toString())
                .with("VSE_STATE_DIR", home.resolve(".local/state/vse").toString())
                .with("VSE_CONFIG_DIR", home.resolve(".config/vse").toString())
                .with("VSE_IMAGES_DIR", site.state().resolve("images").toString());
    }

    private static Path sockets() {
        return run.resolve("j");
    }

    private static String script(String directives, String what) {
        return "#!/bin/bash\n#PBS -l nodes=1:ppn=1\n#VSE image=debian-12 " + directives + "\n" + what + "\n";
    }

    @Test
    void aJobRunsAsItsUserInItsDirectoryAndSaysWhatThereIsNot() throws IOException {
        Desk alice = desk(site.alice()).with("GREETING", "two\nlines");
        alice.script("job.sh", script("", """
                id -u > facts
                printf '%s|' "$PWD" "$GREETING" "$@" >> facts
                echo out
                echo err >&2
                exit 7
                """));
        Finished job = alice.vse("run", "job.sh", "a b", "").expect(7);
        assertThat(job.out()).isEqualTo("out\n");
        assertThat(job.err()).contains("err\n");
        assertThat(job.err().lines().filter(line -> line.contains(LACKS)))
                .singleElement()
                .asString()
                .startsWith("vse: note: ")
                .contains("sudo vse up");
        Path facts = site.alice().home().resolve("facts");
        assertThat(Files.readString(facts))
                .isEqualTo(site.alice().uid() + "\n" + site.alice().home() + "|two\nlines|a b||");
        assertThat(Files.getAttribute(facts, "unix:uid")).isEqualTo(site.alice().uid());

        alice.script("quiet.sh", script("share=none", "head -c 3000000 /dev/zero | tr '\\0' x; kill -TERM $$"));
        Finished quiet = alice.vse("run", "--quiet", "quiet.sh").expect(143);
        assertThat(quiet.out()).isEqualTo("x".repeat(3_000_000));
        assertThat(quiet.err()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            share=nfs      | 1 | SHARE_UNSUPPORTED | share=9p
            network=job    | 1 | NOT_PERMITTED     | network=user
            vms-per-node=2 | 1 | NOT_PERMITTED     | one machine
            memory=512MiB  | 2 | NOT_PERMITTED     | one node
            """)
    void whatTakesRootIsRefused(String directives, int nodes, String code, String instead) {
        Desk alice = desk(site.alice());
        alice.script("no.sh", script(directives, "echo never").replace("nodes=1:ppn=1", "nodes=" + nodes + ":ppn=2"));
        Finished job = alice.vse("run", "no.sh").expect(125);
        assertThat(job.err()).contains("[" + code + "]", "takes root", instead, "sudo vse up");
        assertThat(job.out()).isEmpty();
    }

    @Test
    void aRunningJobIsItsUsersAloneAndOutlivesTheDaemon() throws IOException {
        Desk alice = desk(site.alice());
        alice.script("long.sh", script("", "echo started; read -r -t 20 < <(sleep 30); echo done; exit 3"));
        Started job = alice.start("run", "long.sh");
        job.awaitOut("started\n");

        ProcessIdentity qemu = process("qemu-system");
        assertThat(allowedCores(qemu))
                .as("the processor of the machine is pinned")
                .anyMatch(list -> list.matches("\\d+"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(run)))
                .isEqualTo("rwx------");
        Finished stranger = desk(site.bob()).vse("job", "ls").expect(125);
        assertThat(stranger.err())
                .contains(
                        "[DAEMON_UNREACHABLE]", "belongs to uid " + site.alice().uid());
        desk(site.bob())
                .program("test", "-e", run.resolve("vsed.sock").toString())
                .finish()
                .expect(1);

        assertThat(alice.vse("vm", "console", job.job()).expect(0).out()).contains("Linux version");
        assertThat(alice.vse("vm", "ssh", job.job()).expect(2).err())
                .contains("cannot be reached", "network=job takes root");

        ProcessIdentity vsed = process("org.vse.job.cli.Vse vsed");
        assertThat(vsed.signal(SIGKILL)).isTrue();
        Finished end = job.finish().expect(3);
        assertThat(end.out()).isEqualTo("started\ndone\n");
        assertThat(end.err()).contains("the job goes on");
    }

    @Test
    void anInterruptReachesTheScript() {
        Desk alice = desk(site.alice());
        alice.script("int.sh", script("share=none", """
                trap 'echo interrupted; exit 9' INT
                echo started
                for ((i = 0; i < 600; i++)); do read -r -t 0.1 < <(sleep 1); done
                """));
        Started job = alice.start("run", "int.sh");
        job.awaitOut("started\n");
        job.signal(SIGINT);
        assertThat(job.finish().expect(9).out()).isEqualTo("started\ninterrupted\n");
        await("the end of its machine")
                .atMost(Duration.ofSeconds(60))
                .until(() -> processes().stream()
                        .noneMatch(process -> commandLine(process).contains("qemu-system")));
    }

    private static ProcessIdentity process(String words) {
        return processes().stream()
                .filter(process -> commandLine(process).contains(words))
                .findFirst()
                .orElseThrow(() -> new AssertionError("alice has no process with '" + words + "'"));
    }

    /** All processes of alice. */
    private static List<ProcessIdentity> processes() {
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            return all.filter(entry -> entry.getFileName().toString().matches("\\d+"))
                    .filter(OrdinaryUserSystemTest::isOfAlice)
                    .flatMap(entry -> ProcessIdentity.of(
                            Long.parseLong(entry.getFileName().toString()))
                            .stream())
                    .filter(ProcessIdentity::alive)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOfAlice(Path process) {
        try {
            return Files.getAttribute(process, "unix:uid").equals(site.alice().uid());
        } catch (IOException e) {
            // It has ended.
            return false;
        }
    }

    private static String commandLine(ProcessIdentity process) {
        return text(Path.of("/proc", Long.toString(process.pid()), "cmdline")).replace('\0', ' ');
    }

    /** What each thread may run on, as the kernel writes lists. */
    private static List<String> allowedCores(ProcessIdentity process) throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(process.pid()), "task"))) {
            return threads.flatMap(thread -> text(thread.resolve("status")).lines())
                    .filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .toList();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            // It has ended.
            return "";
        }
    }

    private static void delete(Path root) throws IOException {
        if (Files.exists(root)) {
            try (Stream<Path> all = Files.walk(root)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        }
    }
}

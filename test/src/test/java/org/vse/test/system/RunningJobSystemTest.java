package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** Looking into a running job, as its user and as somebody else. */
@Tag("system")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RunningJobSystemTest {
    private static Site site;
    private static Desk alice;
    private static Desk bob;
    private static Started run;
    private static String job;

    @BeforeAll
    static void open() {
        site = Site.open();
        alice = site.desk(site.alice());
        bob = site.desk(site.bob());
        alice.script("wait.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12
                echo first line
                echo an error >&2
                until [[ -e stop ]]; do sleep 0.3; done
                echo last line
                """);
        run = alice.start("run", "wait.sh");
        job = run.awaitOut("first line").job();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @Test
    @Order(Integer.MAX_VALUE)
    void itsUserReadsItsOutputWhileItRuns() {
        assertThat(alice.vse("job", "logs", job).expect(0).out()).isEqualTo("first line\n");
        assertThat(alice.vse("job", "logs", "--stderr", job).expect(0).out()).isEqualTo("an error\n");
        assertThat(alice.vse("job", "logs", "--offset", "6", job).expect(0).out())
                .isEqualTo("line\n");
        assertThat(alice.vse("vm", "console", job).expect(0).out()).contains("Linux version");
        assertThat(alice.vse("vm", "ls").expect(0).out()).contains(job, "vm0", "RUNNING");

        Started follow = alice.start("job", "logs", "-f", job).awaitOut("first line");
        alice.put("stop", "", "rw-r--r--");
        // The guest sees within seconds what its user does outside.
        assertThat(follow.finish(Duration.ofSeconds(20)).expect(0).out()).isEqualTo("first line\nlast line\n");
        run.finish().expect(0);
        assertThat(alice.vse("job", "logs", job).expect(0).out()).isEqualTo("first line\nlast line\n");
        assertThat(alice.vse("vm", "console", job).expect(0).out()).contains("Linux version");
        assertThat(alice.vse("vm", "ssh", job, "--", "true").expect(125).err()).contains("[JOB_STATE]");
        assertThat(alice.vse("job", "ls").expect(0).out()).contains(job, "SETTLED");
    }

    @Test
    void itStandsStillAndGoesOnWithTheRightTime() {
        assertThat(alice.vse("job", "pause", job).expect(0).err()).isEqualTo("vse: paused job " + job + "\n");
        assertThat(alice.vse("job", "show", job).out()).containsPattern("suspended *: 2");
        // What a guest does not notice it is told: without that its clock would be behind by as much.
        await().pollDelay(Duration.ofSeconds(4)).until(() -> true);
        alice.vse("job", "resume", job).expect(0);
        assertThat(alice.vse("job", "show", job).out()).containsPattern("suspended *: -");
        long guest = Long.parseLong(
                alice.vse("vm", "ssh", job, "--", "date +%s").expect(0).out().strip());
        assertThat(Instant.now().getEpochSecond() - guest).isBetween(-1L, 2L);
        alice.vse("job", "resume", job).expect(0);
    }

    @Test
    void itsUserLogsIn() {
        Finished ssh = alice.vse("vm", "ssh", job, "--", "hostname; id -un; exit 9");
        assertThat(ssh.expect(9).out()).isEqualTo("vm0\n" + alice.account().name() + "\n");
        assertThat(alice.typing("echo typed; exit 4\n")
                        .vse("vm", "ssh", job)
                        .expect(4)
                        .out())
                .contains("typed");
    }

    @Test
    void forAnotherUserItDoesNotExist() {
        assertThat(bob.vse("job", "ls").expect(0).out()).doesNotContain(job);
        assertThat(bob.vse("vm", "ls").expect(0).out()).doesNotContain("vm0");
        assertThat(bob.vse("report", "vms").expect(0).out()).doesNotContain(job);
        for (String[] command : new String[][] {
            {"job", "show", job},
            {"job", "logs", job},
            {"job", "logs", "-f", "--stderr", job},
            {"job", "cancel", job},
            {"job", "pause", job},
            {"vm", "console", job},
            {"vm", "ssh", job, "--", "id"}
        }) {
            Finished refused = bob.vse(command).expect(125);
            assertThat(refused.err()).contains("[JOB_UNKNOWN]", "there is no job '" + job + "'");
            assertThat(refused.out()).isEmpty();
        }
        for (String call : new String[] {
            "GET key", "GET events", "POST signal", "POST terminal", "POST tunnel/0", "GET output/stdout"
        }) {
            String[] words = call.split(" ", -1);
            assertThat(bob.raw(words[0], "/v1/jobs/" + job + "/" + words[1], "{\"signal\":\"KILL\"}")
                            .out())
                    .startsWith("HTTP/1.1 404");
        }
        assertThat(alice.vse("job", "show", job).expect(0).out()).contains("RUNNING");
    }

    @Test
    void anotherUserHasNoAuthority() {
        bob.script("id.sh", "#!/bin/bash\n#VSE image=debian-12\nid\n");
        String name = alice.account().name();
        assertThat(bob.vse("run", "--user", name, "id.sh").expect(125).err()).contains("[NOT_PERMITTED]");
        assertThat(bob.vse("down").expect(125).err()).contains("[NOT_PERMITTED]");
        assertThat(bob.vse("report", "vms", "--user", name).expect(125).err()).contains("[NOT_PERMITTED]");
        assertThat(site.root().vse("job", "ls").expect(0).out()).contains(job);
    }

    @Test
    void theFilesOfAJobAreClosedToOtherUsers() {
        Path jobs = site.state().resolve("jobs");
        assertThat(bob.program("ls", jobs.toString()).finish().exitCode()).isNotZero();
        Path directory = Path.of(alice.vse("job", "show", job, "--format", "json")
                .out()
                .replaceFirst("(?s).*\"directory\":\"", "")
                .replaceFirst("(?s)\".*", ""));
        assertThat(directory).isDirectory();
        assertThat(List.of(Objects.requireNonNull(directory.toFile().list())))
                .contains("stdout", "control", "script", "environment.json", "id_ed25519", "disk-0.qcow2", "journal")
                .filteredOn(name -> !List.of("share", "id_ed25519.pub").contains(name))
                .allSatisfy(name -> assertThat(
                                bob.program("cat", directory.resolve(name).toString())
                                        .finish()
                                        .exitCode())
                        .isNotZero());
        for (String socket : new String[] {"libvirt/libvirt-sock", "libvirt", "j"}) {
            assertThat(Files.exists(site.run().resolve(socket))).as(socket).isTrue();
            assertThat(bob.program("ls", site.run().resolve(socket) + "/")
                            .finish()
                            .exitCode())
                    .as(socket)
                    .isNotZero();
        }
        assertThat(bob.program(
                                "virsh",
                                "-c",
                                "qemu+unix:///system?socket=" + site.run().resolve("libvirt/libvirt-sock"),
                                "list")
                        .finish()
                        .exitCode())
                .isNotZero();
    }
}

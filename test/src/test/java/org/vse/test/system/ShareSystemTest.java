package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.process.ProcessIdentity;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.Remains;
import org.vse.test.site.RootSquash;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** The other ways of sharing directories, and of sharing none. */
@Tag("system")
class ShareSystemTest {
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
    void ninePIsQemuAsTheUser() throws IOException {
        Account alice = site.alice();
        Desk home = site.desk(alice);
        home.script("9p.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 share=9p
                awk -v at="$PWD" '$2 == at { print $3 }' /proc/mounts >made
                pwd
                stat -c %U made
                echo ready
                until [[ -e stop ]]; do sleep 0.3; done
                """);
        Started run = home.start("run", "9p.sh").awaitOut("ready");
        assertThat(run.out()).isEqualTo(alice.home() + "\n" + alice.name() + "\nready\n");
        Path made = alice.home().resolve("made");
        assertThat(Files.getAttribute(made, "unix:uid")).isEqualTo(alice.uid());
        assertThat(Files.readString(made)).isEqualTo("9p\n");
        List<ProcessIdentity> machines = Remains.machines(site);
        assertThat(machines).isNotEmpty();
        for (ProcessIdentity qemu : machines) {
            assertThat(Files.getAttribute(Path.of("/proc/" + qemu.pid()), "unix:uid"))
                    .isEqualTo(alice.uid());
        }
        home.put("stop", "", "rw-r--r--");
        run.finish().expect(0);
    }

    @Test
    void noneMeansNone() {
        Desk home = site.desk(site.alice());
        home.put("secret", "x", "rw-r--r--");
        home.script("none.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 share=none
                pwd
                ls -A
                grep -c -e nfs -e 9p /proc/mounts
                touch made-by-none && echo made
                """);
        assertThat(home.vse("run", "none.sh").expect(0).out())
                .isEqualTo(site.alice().home() + "\n0\nmade\n");
        assertThat(site.alice().home().resolve("made-by-none")).doesNotExist();
    }

    @Test
    void aUserNetworkSharesBy9p() {
        Desk home = site.desk(site.alice());
        home.put("hello", "from the host\n", "rw-r--r--");
        home.script("user.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12 network=user
                cat hello
                awk -v at="$PWD" '$2 == at { print $3 }' /proc/mounts
                """);
        assertThat(home.vse("run", "user.sh").expect(0).out()).isEqualTo("from the host\n9p\n");
    }

    /** Root is nobody to the file system of this home, as to an NFS server that squashes it, and nobody may not enter. */
    @Test
    void aHomeThatRefusesRootIsServed() throws IOException {
        Account bob = site.bob();
        Desk home = site.desk(bob);
        home.script("squashed.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=1
                #VSE image=debian-12
                pwd
                cat private/given
                echo of the guest >private/made
                mv private/made private/kept
                stat -c '%U %a' . private private/kept
                """);
        Path inside = Files.createDirectory(bob.home().resolve("private"));
        Files.setAttribute(inside, "unix:uid", bob.uid());
        Files.setPosixFilePermissions(inside, PosixFilePermissions.fromString("rwx------"));
        home.in(inside).put("given", "of the host\n", "rw-------");
        try (RootSquash squash = RootSquash.over(bob.home())) {
            assertThatThrownBy(() -> Files.readString(squash.directory().resolve("squashed.sh")))
                    .isInstanceOf(AccessDeniedException.class);
            List<String> run = new ArrayList<>(List.of("sh", "-c", "cd && exec \"$@\"", "sh"));
            run.addAll(home.words("run", "squashed.sh"));
            assertThat(home.in(Path.of("/"))
                            .program(run.toArray(String[]::new))
                            .finish()
                            .expect(0)
                            .out())
                    .isEqualTo(String.join(
                            "\n",
                            bob.home().toString(),
                            "of the host",
                            bob.name() + " 700",
                            bob.name() + " 700",
                            bob.name() + " 644",
                            ""));
            site.awaitIdle();
        }
        assertThat(inside.resolve("kept")).hasContent("of the guest");
        assertThat(Files.getAttribute(inside.resolve("kept"), "unix:uid")).isEqualTo(bob.uid());
    }
}

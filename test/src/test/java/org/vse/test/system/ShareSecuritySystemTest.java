package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Account;
import org.vse.test.site.Desk;
import org.vse.test.site.GuestDoor;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** What root of a guest, another job and another user of this host can do to a user's files: nothing. */
@Tag("system")
class ShareSecuritySystemTest {
    private static final String WAITS = """
            #!/bin/bash
            #PBS -l nodes=1:ppn=1
            #VSE image=debian-12
            echo ready
            exec sleep 600
            """;
    private static Site site;
    private static Account alice;
    private static Account bob;
    private static GuestDoor ofAlice;
    private static GuestDoor ofBob;

    @BeforeAll
    static void open() throws IOException {
        site = Site.open();
        alice = site.alice();
        bob = site.bob();
        Started first = start(alice);
        Started second = start(bob);
        ofAlice = site.guest(first.awaitOut("ready").job(), 0);
        ofBob = site.guest(second.awaitOut("ready").job(), 0);
        site.desk(alice).put("secret", "of alice\n", "rw-------");
        site.desk(bob).put("secret", "of bob\n", "rw-------");
        Path rootOnly = Files.writeString(alice.home().resolve("root-only"), "of root\n");
        Files.setPosixFilePermissions(rootOnly, PosixFilePermissions.fromString("rw-------"));
        Path closed = Files.createDirectory(alice.home().resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    }

    private static Started start(Account account) {
        Desk desk = site.desk(account);
        desk.script("waits.sh", WAITS);
        return desk.start("run", "waits.sh");
    }

    @AfterAll
    static void close() {
        ofAlice.close();
        ofBob.close();
        site.close();
    }

    @Test
    void rootOfTheGuestIsTheUserOnTheHost() throws IOException {
        String home = alice.home().toString();
        var result = ofAlice.sh("""
                id -u
                cd HOME || exit 9
                cat secret
                cat root-only; echo "read $?"
                echo overwritten >root-only; echo "write $?"
                ls closed; echo "list $?"
                chmod 0666 root-only; echo "chmod $?"
                chown OTHER secret; echo "chown $?"
                touch by-root; echo "touch $?"
                chown 0:0 by-root
                cp /bin/true suid; chmod 4755 suid; chown 0 suid
                mknod device b 7 0; echo "mknod $?"
                setpriv --reuid=OTHER --regid=OTHER --clear-groups touch by-other
                """.replace("HOME", home).replace("OTHER", Integer.toString(bob.uid())));
        assertThat(result.stdout().lines())
                .contains("0", "of alice", "read 1", "write 1", "list 2", "chmod 1", "touch 0")
                .doesNotContain("of root");
        assertThat(Files.readString(alice.home().resolve("root-only"))).isEqualTo("of root\n");
        assertThat(Files.getAttribute(alice.home().resolve("root-only"), "unix:uid"))
                .isEqualTo(0);
        try (Stream<Path> files = Files.list(alice.home())) {
            for (Path file : files.toList()) {
                if (!List.of("root-only", "closed").contains(file.getFileName().toString())) {
                    assertThat(Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS))
                            .as(file.toString())
                            .isEqualTo(alice.uid());
                    assertThat(Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                                    || Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)
                                    || file.endsWith(".bash_logout"))
                            .as(file + " is no device")
                            .isTrue();
                }
            }
        }
    }

    @Test
    void anotherJobReachesOnlyItsOwnShare() {
        var result = ofBob.sh("""
                ip -o route show default
                cat HOME/secret
                mkdir -p /mnt/a /mnt/b
                mount -t nfs4 -o proto=tcp,soft,timeo=50 10.77.255.254:/ /mnt/a; echo "root $?"
                find /mnt/a -maxdepth 2 -name secret -exec cat {} +
                mount -t nfs4 -o proto=tcp,soft,timeo=50 10.77.255.254:HOME /mnt/b; echo "home $?"
                for address in 10.77.0.2 10.77.255.253 10.77.0.250; do
                    timeout 2 bash -c "</dev/tcp/$address/22" && echo "reached $address"
                done
                umount /mnt/a
                """.replace("HOME", alice.home().toString()));
        assertThat(result.stdout()).contains("home 32").doesNotContain("of alice", "reached", "default");
    }

    @Test
    void nothingOfItIsOnTheHostsOwnNetwork() throws IOException {
        assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), 2049).close())
                .isInstanceOf(ConnectException.class);
        try (Stream<Path> namespaces = Files.list(Path.of("/run/netns"))) {
            for (Path namespace : namespaces.toList()) {
                var entered = site.desk(bob)
                        .program("nsenter", "--net=" + namespace, "true")
                        .finish();
                assertThat(entered.exitCode()).as(namespace.toString()).isNotZero();
            }
        }
        try (Stream<Path> devices = Files.list(Path.of("/sys/class/net"))) {
            assertThat(devices.map(device -> device.getFileName().toString()).filter(name -> name.startsWith("v")))
                    .as("taps and bridges are in namespaces of their jobs")
                    .isEmpty();
        }
    }
}

package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.GuestDoor;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** What answers in the network of a job: its machines and its share server, and nothing of another job or of the host. */
@Tag("system")
class JobNetworkSystemTest {
    private static final String SECOND_MACHINE = "10.77.0.2";
    private static final String SHARE_SERVER = "10.77.255.254";
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    private static Started start(Desk desk, int machines) {
        desk.script("waits.sh", """
                #!/bin/bash
                #PBS -l nodes=1:ppn=N
                #VSE image=debian-12 vms-per-node=N vcpus=1
                echo ready
                exec sleep 600
                """.replace("N", Integer.toString(machines)));
        return desk.start("run", "waits.sh").awaitOut("ready");
    }

    /** Whether a connection is made, and which interface answered for the address. */
    private static List<String> probe(GuestDoor from, String address, int port) {
        return from.sh(probe(address, port)).stdout().lines().toList();
    }

    private static String probe(String address, int port) {
        return """
                if timeout 5 bash -c 'exec 3<>/dev/tcp/ADDRESS/PORT'; then echo reached; else echo silent; fi
                ip -4 neigh show to ADDRESS | grep -o 'lladdr [0-9a-f:]*'
                """.replace("ADDRESS", address).replace("PORT", Integer.toString(port));
    }

    @Test
    void machinesOfAJobAnswerAndTheirUserGetsIntoEach() {
        Desk alice = site.desk(site.alice());
        Started run = start(alice, 2);
        try (GuestDoor first = site.guest(run.job(), 0)) {
            assertThat(probe(first, SECOND_MACHINE, 22)).hasSize(2).first().isEqualTo("reached");
        }
        for (int machine = 0; machine < 2; machine++) {
            assertThat(alice.vse("vm", "ssh", run.job() + "." + machine, "--", "hostname")
                            .expect(0)
                            .out())
                    .isEqualTo("vm" + machine + "\n");
        }
        assertThat(alice.vse("vm", "ssh", run.job() + ".2", "--", "hostname").exitCode())
                .isNotZero();
        alice.vse("job", "cancel", run.job()).expect(0);
        run.finish().expect(143);
        site.awaitIdle();
    }

    /** The second job's guest takes an address that only it has: its own network sees it, the first job does not. */
    @Test
    void nothingOfAnotherJobOrOfTheHostAnswers() throws IOException {
        Desk alice = site.desk(site.alice());
        Desk bob = site.desk(site.bob());
        Started one = start(alice, 1);
        Started two = start(bob, 1);
        try (GuestDoor ofAlice = site.guest(one.job(), 0);
                GuestDoor ofBob = site.guest(two.job(), 0)) {
            ofBob.sh("ip address add " + SECOND_MACHINE + "/16 dev eth0");
            bob.vse("vm", "ssh", two.job(), "--", "true").expect(0);
            assertThat(insideNetworkOf(two.job(), probe(SECOND_MACHINE, 22))).startsWith("reached\nlladdr ");
            assertThat(probe(ofAlice, SECOND_MACHINE, 22)).containsExactly("silent");

            assertThat(probe(ofAlice, SHARE_SERVER, 2049)).hasSize(2).first().isEqualTo("reached");
            hostIsSilent(ofAlice);
        }
        alice.vse("job", "cancel", one.job()).expect(0);
        bob.vse("job", "cancel", two.job()).expect(0);
        one.finish().expect(143);
        two.finish().expect(143);
        site.awaitIdle();
    }

    private static String insideNetworkOf(String job, String script) {
        return site.root()
                .program("ip", "netns", "exec", site.serviceNamespace(job), "bash", "-c", script)
                .finish()
                .out();
    }

    /** Not even when the guest's root sends what is for the host to the only other thing in its network. */
    private static void hostIsSilent(GuestDoor guest) throws IOException {
        try (ServerSocket listener = new ServerSocket(0)) {
            List<InetAddress> addresses = NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                    .toList();
            assertThat(addresses).isNotEmpty();
            guest.sh("ip route replace default via " + SHARE_SERVER);
            for (InetAddress address : addresses) {
                new Socket(address, listener.getLocalPort()).close();
                assertThat(probe(guest, address.getHostAddress(), listener.getLocalPort()))
                        .containsExactly("silent");
            }
        }
    }
}

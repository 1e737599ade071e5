package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.imagestore.Provides;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmDriverContract.Guest;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;

/** What the devices of a spec do, seen from inside a guest and from the host. */
@Tag("system")
class LibvirtDevicesSystemTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final VmName NAME =
            new VmName("vse-d" + ProcessHandle.current().pid());
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final CommandRunner COMMANDS = new CommandRunner();
    private static LibvirtRig rig;

    private LibvirtDriver driver;

    @BeforeAll
    static void startDaemon() throws IOException {
        rig = LibvirtRig.open();
    }

    @AfterAll
    static void stopDaemon() throws IOException {
        rig.close();
    }

    @BeforeEach
    void open() {
        driver = new LibvirtDriver("owner", rig.daemon());
    }

    @AfterEach
    void close() {
        driver.destroy(NAME);
        driver.close();
    }

    @Test
    void pinsChannelsTerminalShareAndIsolationHold() throws Exception {
        VmSpec plain = rig.spec(NAME, new VmLabel("owner", "job", 1, 0), Guest.ANSWERS);
        Path own = rig.directory(NAME);
        Path shared = owned(Files.createDirectory(own.resolve("share, 'a' <b> & c")));
        Path output = owned(Files.createFile(own.resolve("out,append=off\n'put' <\"&ü")));
        Path terminal = own.resolve("tty");
        VmStatus machine = driver.start(
                new VmSpec(
                        NAME,
                        UUID.randomUUID(),
                        plain.label(),
                        VmSpec.Accelerator.TCG,
                        2,
                        List.of(1, 0),
                        plain.memoryBytes(),
                        plain.disk(),
                        rig.kernel(Provides.NINE_P).vmlinuz(),
                        rig.kernel(Provides.NINE_P).initrd(),
                        rig.kernel(Provides.NFS).commandLine() + " vse.quoted=\"<a>&'b'\"",
                        LibvirtRig.UID,
                        LibvirtRig.UID,
                        List.of(new VmSpec.Nic.Isolated("52:54:00:ab:cd:01")),
                        List.of(new VmSpec.Channel("vse.stdout", output)),
                        List.of(new VmSpec.SharedDirectory("work", shared)),
                        plain.console(),
                        terminal),
                new Origin.Cold());
        ProcessIdentity qemu = LibvirtRig.process(machine);

        assertThat(Files.readString(Path.of("/proc", "" + qemu.pid(), "status")))
                .containsPattern("(?m)^Uid:\\s+" + LibvirtRig.UID + "\\s");
        assertThat(affinityOf(qemu, "CPU 0/TCG")).isEqualTo("1");
        assertThat(affinityOf(qemu, "CPU 1/TCG")).isEqualTo("0");

        assertThat(inGuest("cat /proc/cmdline")).contains("vse.quoted=\"<a>&'b'\"");
        assertThat(inGuest("nproc")).isEqualTo("2\n");

        inGuest("port=/dev/$(basename $(dirname $(grep -lx vse.stdout /sys/class/virtio-ports/*/name)));"
                + " echo first > $port; echo second > $port");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(output).hasContent("first\nsecond\n"));

        inGuest("mkdir /mnt/w; mount -t 9p -o trans=virtio,version=9p2000.L work /mnt/w"
                + " && echo x > /mnt/w/f && ! chown 0:0 /mnt/w/f");
        assertThat(shared.resolve("f")).hasContent("x\n");
        assertThat(Files.getAttribute(shared.resolve("f"), "unix:uid")).isEqualTo(LibvirtRig.UID);

        assertThat(inGuest("cat /sys/class/net/eth0/address")).isEqualTo("52:54:00:ab:cd:01\n");
        try (var listener =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            int port = listener.socket().getLocalPort();
            assertThat(inGuest("ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up;"
                            + " timeout 3 bash -c 'exec 3<>/dev/tcp/10.0.2.2/" + port
                            + "' 2>&1 && echo reached || echo no"))
                    .endsWith("no\n");
        }

        try (SocketChannel console = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            console.connect(UnixDomainSocketAddress.of(terminal));
            inGuest("echo to-the-terminal > /dev/hvc0");
            ByteBuffer bytes = ByteBuffer.allocate(64);
            while (bytes.position() < "to-the-terminal".length() && console.read(bytes) >= 0) {
                assertThat(bytes.hasRemaining()).isTrue();
            }
            assertThat(new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8))
                    .contains("to-the-terminal");
        }
    }

    @Test
    void theAgentsRefusalIsItsReply() throws Exception {
        driver.start(rig.spec(NAME, new VmLabel("owner", "job", 1, 0), Guest.ANSWERS), new Origin.Cold());
        JsonNode reply = JSON.readTree(driver.agent(
                NAME, "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/no/such/program\"}}", PATIENCE));
        assertThat(reply.path("error").path("desc").asText()).contains("/no/such/program");
    }

    @Test
    void aTapOfTheHostIsTheGuestsNetwork() throws Exception {
        String device = "vset" + ProcessHandle.current().pid() % 100000;
        COMMANDS.run(Command.of("ip", "tuntap", "add", "dev", device, "mode", "tap", "user", "" + LibvirtRig.UID))
                .orThrow("making a tap");
        try {
            COMMANDS.run(Command.of("ip", "link", "set", device, "up")).orThrow("raising the tap");
            VmSpec plain = rig.spec(NAME, new VmLabel("owner", "job", 1, 0), Guest.SILENT);
            driver.start(
                    new VmSpec(
                            NAME,
                            plain.uuid(),
                            plain.label(),
                            plain.accelerator(),
                            1,
                            List.of(),
                            plain.memoryBytes(),
                            plain.disk(),
                            plain.boot(),
                            plain.uid(),
                            plain.gid(),
                            List.of(new VmSpec.Nic.Tap(device, "52:54:00:ab:cd:02")),
                            List.of(),
                            List.of(),
                            plain.console(),
                            null,
                            List.of()),
                    new Origin.Cold());
            assertThat(Files.readString(Path.of("/sys/class/net", device, "carrier")))
                    .isEqualTo("1\n");
            driver.destroy(NAME);
            assertThat(Path.of("/sys/class/net", device)).exists();
        } finally {
            COMMANDS.run(Command.of("ip", "link", "del", device)).orThrow("removing the tap");
        }
    }

    /** Runs a line of shell in the guest and returns what it printed. */
    private String inGuest(String line) throws Exception {
        ObjectNode request = JSON.createObjectNode().put("execute", "guest-exec");
        ObjectNode arguments = request.putObject("arguments");
        arguments.put("path", "/bin/bash").put("capture-output", true);
        arguments.putArray("arg").add("-c").add(line);
        long pid = JSON.readTree(driver.agent(NAME, request.toString(), PATIENCE))
                .path("return")
                .path("pid")
                .asLong();
        ObjectNode question = JSON.createObjectNode().put("execute", "guest-exec-status");
        question.putObject("arguments").put("pid", pid);
        JsonNode[] status = new JsonNode[1];
        await().atMost(PATIENCE).until(() -> {
            status[0] = JSON.readTree(driver.agent(NAME, question.toString(), PATIENCE))
                    .path("return");
            return status[0].path("exited").asBoolean();
        });
        String said =
                new String(Base64.getDecoder().decode(status[0].path("out-data").asText()), StandardCharsets.UTF_8);
        assertThat(status[0].path("exitcode").asInt()).as(said + status[0]).isZero();
        return said;
    }

    private static String affinityOf(ProcessIdentity qemu, String thread) throws IOException {
        try (var tasks = Files.list(Path.of("/proc", "" + qemu.pid(), "task"))) {
            for (Path task : tasks.toList()) {
                if (Files.readString(task.resolve("comm")).strip().equals(thread)) {
                    return Files.readString(task.resolve("status"))
                            .lines()
                            .filter(line -> line.startsWith("Cpus_allowed_list:"))
                            .map(line -> line.substring(line.indexOf(':') + 1).strip())
                            .findFirst()
                            .orElseThrow();
                }
            }
        }
        throw new AssertionError("QEMU has no thread '" + thread + "'");
    }

    private static Path owned(Path file) throws IOException {
        Files.setAttribute(file, "unix:uid", LibvirtRig.UID);
        Files.setAttribute(file, "unix:gid", LibvirtRig.UID);
        return file;
    }
}

package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/** Setup, ssh and the terminal in a real guest that has a network interface and a console, but no share. */
@Tag("system")
class GuestSetupSystemTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String MAC = "52:54:00:12:34:56";
    private static final GuestConfigurator CONFIGURATOR = new GuestConfigurator(Duration.ofSeconds(10), PATIENCE);

    @TempDir
    private static Path directory;

    private static PlainGuest machine;

    @BeforeAll
    static void boot() throws Exception {
        machine = PlainGuest.boot(
                "-netdev",
                "user,id=net,restrict=on",
                "-device",
                "virtio-net-pci,netdev=net,mac=" + MAC,
                "-chardev",
                "socket,server=on,wait=off,id=terminal,path=" + directory.resolve("t"),
                "-device",
                "virtconsole,chardev=terminal");
    }

    @AfterAll
    static void end() throws Exception {
        machine.close();
    }

    private static GuestSetup setup(Optional<GuestNic> nic, List<GuestMount> mounts, Optional<GuestSetup.SshKey> key) {
        GuestAccount user = new GuestAccount(
                "carol",
                4321,
                List.of(new GuestAccount.Group("carol", 4321), new GuestAccount.Group("tape", 26)),
                "/home/carol",
                "/no/such/shell");
        return new GuestSetup(
                Instant.parse("2031-02-03T04:05:06Z"),
                "node-7",
                List.of(new GuestSetup.Host("10.0.2.15", List.of("node-7", "node-7.job"))),
                user,
                nic,
                mounts,
                List.of("/scratch/a b"),
                List.of("node-7"),
                key);
    }

    private static Optional<GuestNic> nic(String mac) {
        return Optional.of(new GuestNic(mac, "10.0.2.15/24", Optional.of("10.0.2.2"), 1450));
    }

    private static GuestSetup.SshKey key() throws IOException {
        Path file = Files.createTempDirectory(directory, "key").resolve("k");
        new CommandRunner()
                .run(Command.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file.toString()))
                .orThrow("making a key");
        String line = Files.readString(file.resolveSibling("k.pub")).strip();
        return new GuestSetup.SshKey(line, Files.readString(file));
    }

    @Test
    void theGuestBecomesWhatTheSetupSays() throws IOException {
        GuestSetup setup = setup(nic(MAC), List.of(), Optional.of(key()));
        for (int i = 0; i < 2; i++) {
            CONFIGURATOR.apply(machine.control, setup);
            CONFIGURATOR.startSsh(machine.control);
            assertThat(machine.sh("hostname; cat /etc/hostname; getent hosts node-7.job"))
                    .matches("node-7\nnode-7\n10\\.0\\.2\\.15 +node-7 node-7\\.job\n");
            assertThat(machine.sh("id carol; getent passwd carol; stat -c '%U %G' /home/carol '/scratch/a b'"))
                    .isEqualTo("""
                            uid=4321(carol) gid=4321(carol) groups=4321(carol),26(tape)
                            carol:x:4321:4321::/home/carol:/bin/bash
                            carol carol
                            carol carol
                            """);
            assertThat(machine.sh("date -u +%Y-%m-%dT%H")).isEqualTo("2031-02-03T04\n");
            assertThat(machine.sh("ip -o -4 addr show eth0; ip route; cat /sys/class/net/eth0/mtu"))
                    .contains("10.0.2.15/24", "default via 10.0.2.2 dev eth0", "\n1450\n");
        }
        String login =
                "setpriv --reuid=4321 --regid=4321 --clear-groups env HOME=/home/carol ssh -o BatchMode=yes node-7 ";
        String retried =
                "i=0; until " + login + "id -un 2>/tmp/e; do i=$((i+1)); [ $i -lt 50 ] || { cat /tmp/e; exit 1; };"
                        + " sleep 0.2; done; cat /tmp/e; [ ! -e /home/carol/.ssh ]";
        assertThat(machine.sh(retried)).isEqualTo("carol\n");
    }

    @Test
    void aFailingStepIsNamedWithItsWords() {
        assertFails("nic", "52:54:00:99:99:99", setup(nic("52:54:00:99:99:99"), List.of(), Optional.empty()));
        assertFails(
                "mount",
                "no-such-tag",
                setup(Optional.empty(), List.of(new GuestMount.NineP("no-such-tag", "/mnt")), Optional.empty()));
    }

    private static void assertFails(String step, String words, GuestSetup setup) {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> CONFIGURATOR.apply(machine.control, setup))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_SETUP_FAILED))
                .satisfies(e -> assertThat(e.what()).contains("'" + step + "'"))
                .satisfies(e -> assertThat(e.render()).contains("exit code", "said"))
                .satisfies(e -> assertThat(e.facts().get("said")).containsAnyOf(words, "9p"));
    }

    @Test
    void howLongItTakes() {
        GuestSetup setup = setup(nic(MAC), List.of(), Optional.empty());
        CONFIGURATOR.apply(machine.control, setup);
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            long begin = System.nanoTime();
            CONFIGURATOR.apply(machine.control, setup);
            best = Math.min(best, System.nanoTime() - begin);
        }
        System.out.printf("MEASURED setup without mounts: best of 5 %d ms%n", best / 1_000_000);
        assertThat(best).isLessThan(PATIENCE.toNanos());
    }

    @Test
    void anInteractiveJobIsTheLoginShellOnTheTerminal() throws IOException {
        CONFIGURATOR.apply(machine.control, setup(Optional.empty(), List.of(), Optional.empty()));
        machine.forgetScript();
        GuestJob job = new GuestJob(PATIENCE);
        try (SocketChannel terminal = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            terminal.connect(UnixDomainSocketAddress.of(directory.resolve("t")));
            terminal.configureBlocking(false);
            StringBuilder screen = new StringBuilder();
            job.start(
                    machine.control,
                    new ScriptLaunch(
                            Optional.empty(),
                            List.of(),
                            Map.of("PS1", "> ", "HOME", "/home/carol", "PATH", "/usr/bin:/bin"),
                            "/home/carol",
                            4321,
                            List.of(4321, 26),
                            022,
                            "/bin/bash",
                            Optional.of(new ScriptLaunch.Terminal(31, 97, "vt100"))));
            await(terminal, screen, "$ ");
            type(terminal, "tty; stty size; echo $TERM; shopt login_shell; echo a''b\r");
            await(terminal, screen, "ab\r\n");
            assertThat(screen.toString()).contains("/dev/hvc0", "31 97", "vt100", "on");
            type(terminal, "sh -c \"trap 'echo re''sized' WINCH; echo g''o; while :; do sleep 0.1; done\"\r");
            await(terminal, screen, "go\r\n");
            job.resize(machine.control, 50, 132);
            await(terminal, screen, "resized");
            type(terminal, "\3");
            type(terminal, "stty size; echo e''nd\r");
            await(terminal, screen, "end\r\n");
            assertThat(screen.toString()).contains("50 132");
            assertThat(job.status(machine.control)).isInstanceOf(JobStatus.Running.class);
            type(terminal, "exit 23\r");
            long end = System.nanoTime() + PATIENCE.toNanos();
            ControlRecords records;
            do {
                assertThat(System.nanoTime()).isLessThan(end);
                LockSupport.parkNanos(5_000_000);
                records = ControlRecords.parse(Files.readAllBytes(machine.file(ControlRecords.PORT)));
            } while (!(records.status() instanceof JobStatus.Exited));
            assertThat(records.status()).isEqualTo(new JobStatus.Exited(23, 0, 0));
        }
    }

    private static void type(SocketChannel terminal, String text) throws IOException {
        terminal.configureBlocking(true);
        Channels.newOutputStream(terminal).write(text.getBytes(StandardCharsets.US_ASCII));
        terminal.configureBlocking(false);
    }

    private static void await(SocketChannel terminal, StringBuilder screen, String text) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (screen.indexOf(text) < 0) {
            assertThat(System.nanoTime()).as(screen.toString()).isLessThan(end);
            buffer.clear();
            int count = terminal.read(buffer);
            screen.append(new String(buffer.array(), 0, Math.max(count, 0), StandardCharsets.ISO_8859_1));
            LockSupport.parkNanos(5_000_000);
        }
    }
}

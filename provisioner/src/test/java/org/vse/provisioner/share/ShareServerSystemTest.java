package org.vse.provisioner.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.NamespaceMembers;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.network.NetworkPlan;

/** A real nfs-ganesha in real namespaces. */
@Tag("system")
class ShareServerSystemTest {
    private static final int UID = 40_000;

    private final CommandRunner commands = new CommandRunner();
    private final JobNetwork network = new JobNetwork(commands, "shares");
    private final ShareServer server = new ShareServer(commands);
    private final NetworkPlan plan = new NetworkPlan(randomTag());

    @TempDir
    Path temp;

    @AfterEach
    void close() {
        network.closeSwitch(plan, List.of());
        network.closeService(plan);
        assertThat(NetworkPlan.file(plan.serviceNamespace())).doesNotExist();
    }

    @Test
    void servesADirectoryInsideTheJobsNetworkOnly() throws Exception {
        Path shared = directory("shared", UID, "rwx------");
        Path home = Files.createDirectories(temp.resolve("home"));
        network.openService(plan);
        network.openSwitch(plan, List.of());

        Process process = server.start(share(shared), home);
        server.awaitUp(process, home, Duration.ofSeconds(20));

        assertThat(connect(plan.serviceAddress(), "nsenter", "--net=" + namespaceFile()))
                .as("inside the job's network")
                .isZero();
        assertThat(connect("127.0.0.1")).as("on the host's loopback").isNotZero();
        assertThat(connect(
                        plan.serviceAddress(),
                        "setpriv",
                        "--reuid=40001",
                        "--regid=40001",
                        "--clear-groups",
                        "nsenter",
                        "--net=" + namespaceFile()))
                .as("another user who tries to enter the network")
                .isNotZero();
        assertThat(NamespaceMembers.of(NetworkPlan.file(plan.serviceNamespace())))
                .isNotEmpty();

        network.closeService(plan);
        assertThat(process.waitFor()).as("the server ends with its namespace").isNotZero();
    }

    @Test
    void isAProcessOfTheUserThatNoOtherProcessOfTheUserTakesOver() throws Exception {
        Path shared = directory("shared", UID, "rwx------");
        Path home = Files.createDirectories(temp.resolve("home"));
        network.openService(plan);

        Process process = server.start(share(shared), home);
        server.awaitUp(process, home, Duration.ofSeconds(20));

        String proc = "/proc/" + process.pid();
        assertThat(Files.getAttribute(Path.of(proc), "unix:uid")).isEqualTo(UID);
        assertThat(Files.readAllLines(Path.of(proc, "status")))
                .as("CAP_DAC_READ_SEARCH is bit 2 (capabilities(7))")
                .contains(
                        "CapPrm:\t0000000000000004",
                        "CapEff:\t0000000000000004",
                        "CapBnd:\t0000000000000004",
                        "NoNewPrivs:\t1");
        assertThat(asUser("kill", "-0", Long.toString(process.pid()))).isZero();
        for (String entry : List.of("environ", "mem", "maps", "cwd/.", "root/.", "ns/net")) {
            assertThat(asUser("head", "-c", "0", proc + "/" + entry)).as(entry).isNotZero();
        }
        assertThat(asUser("head", "-c", "0", proc + "/fd/1")).as("descriptors").isNotZero();
        assertThat(asUser("ls", home.resolve("recovery").toString()))
                .as("what the server keeps")
                .isNotZero();
    }

    @Test
    void refusesADirectoryThatTheUserCannotReach() throws Exception {
        Path outer = directory("outer", 0, "rwx------");
        Path inner = Files.createDirectory(outer.resolve("inner"));
        Files.setPosixFilePermissions(inner, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path home = Files.createDirectories(temp.resolve("home"));
        network.openService(plan);

        assertThatThrownBy(() -> server.start(share(inner), home))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.SHARE_UNSUPPORTED));
        assertThat(NamespaceMembers.of(NetworkPlan.file(plan.serviceNamespace())))
                .isEmpty();
    }

    @Test
    void openingTwiceAndClosingTwiceAreNoErrors() {
        network.openService(plan);
        network.openService(plan);
        network.openSwitch(plan, List.of());
        network.closeSwitch(plan, List.of());
        network.closeSwitch(plan, List.of());
        network.closeService(plan);
    }

    private int connect(String address, String... prefix) {
        List<String> argv = new ArrayList<>(List.of(prefix));
        argv.addAll(List.of("bash", "-c", "exec 3<>/dev/tcp/" + address + "/2049"));
        return commands.run(Command.of(argv).withTimeout(Duration.ofSeconds(5))).exitCode();
    }

    private int asUser(String... program) {
        List<String> argv =
                new ArrayList<>(List.of("setpriv", "--reuid=" + UID, "--regid=" + UID, "--clear-groups", "--"));
        argv.addAll(List.of(program));
        return commands.run(Command.of(argv)).exitCode();
    }

    private String namespaceFile() {
        return NetworkPlan.file(plan.serviceNamespace()).toString();
    }

    private NfsShare share(Path directory) {
        return new NfsShare(
                plan.serviceNamespace(), plan.serviceAddress(), UID, UID, List.of(UID), List.of(directory), List.of());
    }

    private Path directory(String name, int uid, String mode) throws Exception {
        Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path directory = Files.createDirectory(temp.resolve(name));
        Files.setAttribute(directory, "unix:uid", uid);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
        return directory;
    }

    private static String randomTag() {
        byte[] bytes = new byte[6];
        ThreadLocalRandom.current().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}

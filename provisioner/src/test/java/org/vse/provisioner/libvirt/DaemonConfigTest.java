package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.vse.failure.VseException;

class DaemonConfigTest {
    @Test
    void theHostsChoiceOfSecurityDriverIsKeptAndNothingElseOfIt() {
        String host = """
                # security_driver = "selinux"
                user = "root"
                  security_driver = [ "apparmor", "dac" ]
                stdio_handler = "logd"
                """;
        assertThat(DaemonConfig.qemu(host).lines())
                .contains("security_driver = [ \"apparmor\", \"dac\" ]", "stdio_handler = \"file\"")
                .doesNotContain("user = \"root\"", "stdio_handler = \"logd\"")
                .noneMatch(line -> line.contains("selinux"));
    }

    @Test
    void withoutAChoiceOfTheHostThereIsNone() {
        assertThat(DaemonConfig.qemu("")).doesNotContain("security_driver");
    }

    @Test
    void onlyRootMayAskTheDaemon() {
        UUID uuid = UUID.fromString("8d1ac8a6-8c4c-4f9a-9d30-1ff1b4d1a0f5");
        assertThat(DaemonConfig.libvirtd(uuid).lines())
                .contains(
                        "host_uuid = \"8d1ac8a6-8c4c-4f9a-9d30-1ff1b4d1a0f5\"",
                        "unix_sock_rw_perms = \"0700\"",
                        "unix_sock_ro_perms = \"0700\"",
                        "unix_sock_admin_perms = \"0700\"");
    }

    @Test
    void aSessionKeepsNothingInTheUsersHomeAndRaisesNothing() {
        DaemonDirectories at = new DaemonDirectories(Path.of("/state"), Path.of("/tmp/vse-1"), LibvirtScope.SESSION);
        assertThat(DaemonConfig.sessionEnvironment(at))
                .containsEntry("XDG_RUNTIME_DIR", "/tmp/vse-1")
                .containsEntry("XDG_CONFIG_HOME", "/tmp/vse-1/c")
                .allSatisfy((name, value) -> assertThat(value).matches("/(tmp/vse-1|state)(/.*)?"));
        assertThat(at.socket()).isEqualTo(Path.of("/tmp/vse-1/libvirt/libvirt-sock"));
        assertThat(DaemonConfig.qemuOfSession().lines())
                .contains("stdio_handler = \"file\"")
                .noneMatch(line -> line.startsWith("max_files") || line.startsWith("security_driver"));
    }

    @Test
    void aSessionsRunDirectoryLeavesRoomForLibvirtsOwnSockets() {
        assertThat(new DaemonDirectories(Path.of("/s"), Path.of("/" + "r".repeat(40)), LibvirtScope.SESSION).run())
                .isAbsolute();
        assertThatThrownBy(
                        () -> new DaemonDirectories(Path.of("/s"), Path.of("/" + "r".repeat(41)), LibvirtScope.SESSION))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("at most 107");
    }

    @Test
    void aRunDirectoryTooLongForSocketsIsRefused() {
        assertThatThrownBy(
                        () -> new DaemonDirectories(Path.of("/s"), Path.of("/" + "r".repeat(100)), LibvirtScope.SYSTEM))
                .isInstanceOf(VseException.class)
                .hasMessageContaining("at most 107");
        assertThat(new DaemonDirectories(Path.of("/s"), Path.of("/" + "r".repeat(85)), LibvirtScope.SYSTEM)
                        .socket()
                        .toString())
                .hasSize(107);
    }
}

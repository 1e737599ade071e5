package org.vse.provisioner.libvirt;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Where a libvirtd of our own keeps what.
 *
 * @param state survives a reboot: configuration, capability cache, logs
 * @param run does not survive a reboot: sockets, pid files; short, because of the sockets in it
 * @param scope decides where libvirt itself looks
 */
record DaemonDirectories(Path state, Path run, LibvirtScope scope) {
    /** Longest path of a Unix socket in bytes, unix(7). */
    private static final int SOCKET_PATH_MAX = 107;

    /** libvirt shortens the name of a machine to 20 characters in there. */
    private static final String LONGEST_OF_SESSION =
            "c/libvirt/qemu/lib/domain-99999-12345678901234567890/monitor.sock";

    DaemonDirectories {
        if (!state.isAbsolute() || !run.isAbsolute()) {
            throw new IllegalArgumentException("not absolute: '" + state + "', '" + run + "'");
        }
        String longest = scope == LibvirtScope.SYSTEM ? "libvirt/libvirt-sock" : LONGEST_OF_SESSION;
        int length = run.resolve(longest).toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > SOCKET_PATH_MAX) {
            throw VseException.of(
                            ErrorCode.CONFIG_INVALID, "the run directory '" + run + "' is too long for sockets in it")
                    .fact("socket path", length + " bytes, at most " + SOCKET_PATH_MAX)
                    .next("choose a shorter run directory");
        }
    }

    /** The configuration; in a session on the short path, because libvirt makes its sockets to QEMU below it. */
    Path etc() {
        return scope == LibvirtScope.SYSTEM
                ? state.resolve("libvirt/etc")
                : configHome().resolve("libvirt");
    }

    /** {@code XDG_CONFIG_HOME} of a session's daemon. */
    Path configHome() {
        return run.resolve("c");
    }

    /** What the daemon is known by, for good. */
    Path hostUuid() {
        return scope == LibvirtScope.SYSTEM ? etc().resolve("host-uuid") : state.resolve("libvirt/host-uuid");
    }

    Path lib() {
        return state.resolve("libvirt/lib");
    }

    Path log() {
        return state.resolve("libvirt/log");
    }

    Path cache() {
        return state.resolve("libvirt/cache");
    }

    /** What the daemon itself prints. */
    Path daemonLog() {
        return state.resolve("libvirt/libvirtd.log");
    }

    /** What the QEMU of a machine prints. */
    Path machineLog(String name) {
        return scope == LibvirtScope.SYSTEM
                ? log().resolve("qemu").resolve(name + ".log")
                : cache().resolve("libvirt/qemu/log").resolve(name + ".log");
    }

    /** Seen by the daemon as {@code /run/libvirt}. */
    Path sockets() {
        return run.resolve("libvirt");
    }

    Path socket() {
        return sockets().resolve("libvirt-sock");
    }

    /** Written by the daemon for each machine that it has started. */
    Path machinePid(String name) {
        Path qemu = sockets().resolve("qemu");
        return (scope == LibvirtScope.SYSTEM ? qemu : qemu.resolve("run")).resolve(name + ".pid");
    }

    /** Socket of a machine's agent in a session, where libvirt's own choice of a path may be too long. */
    Path agents() {
        return run.resolve("a");
    }

    /** Mount point of the daemon's own device nodes. */
    Path dev() {
        return run.resolve("libvirt-dev");
    }

    /** Written and locked by libvirtd itself for as long as it lives. */
    Path daemonPid() {
        return sockets().resolve("libvirtd.pid");
    }

    Path lock() {
        return run.resolve("libvirtd.lock");
    }

    Path ready() {
        return run.resolve("libvirtd.ready");
    }

    /** Makes what is missing. What the daemon itself keeps is for its user; QEMU, any user, must get through {@link #lib}. */
    void create() throws IOException {
        Files.createDirectories(run);
        Files.createDirectories(state.resolve("libvirt"));
        boolean system = scope == LibvirtScope.SYSTEM;
        List<Path> own = system
                ? List.of(etc(), lib(), log(), cache(), sockets(), dev())
                : List.of(configHome(), etc(), lib(), cache(), sockets(), agents());
        for (Path directory : own) {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(
                    directory,
                    PosixFilePermissions.fromString(system && directory.equals(lib()) ? "rwx--x--x" : "rwx------"));
        }
        if (system) {
            Files.setPosixFilePermissions(sockets(), PosixFilePermissions.fromString("rwx--x--x"));
        }
    }
}

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
 */
record DaemonDirectories(Path state, Path run) {
    /** Longest path of a Unix socket in bytes, unix(7). */
    private static final int SOCKET_PATH_MAX = 107;

    DaemonDirectories {
        if (!state.isAbsolute() || !run.isAbsolute()) {
            throw new IllegalArgumentException("not absolute: '" + state + "', '" + run + "'");
        }
        int length = run.resolve("libvirt/libvirt-sock").toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > SOCKET_PATH_MAX) {
            throw VseException.of(
                            ErrorCode.CONFIG_INVALID, "the run directory '" + run + "' is too long for sockets in it")
                    .fact("socket path", length + " bytes, at most " + SOCKET_PATH_MAX)
                    .next("choose a shorter run directory");
        }
    }

    Path etc() {
        return state.resolve("libvirt/etc");
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
        return log().resolve("qemu").resolve(name + ".log");
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
        return sockets().resolve("qemu").resolve(name + ".pid");
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

    /** Makes what is missing. What the daemon itself keeps is for root; QEMU, any user, must get through {@link #lib}. */
    void create() throws IOException {
        Files.createDirectories(run);
        for (Path directory : List.of(etc(), lib(), log(), cache(), sockets(), dev())) {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(
                    directory, PosixFilePermissions.fromString(directory.equals(lib()) ? "rwx--x--x" : "rwx------"));
        }
        Files.setPosixFilePermissions(sockets(), PosixFilePermissions.fromString("rwx--x--x"));
    }
}

package org.vse.job.doctor;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/** The run directory's sockets have paths that the kernel takes (unix(7)), and it ends with the boot of the host. */
final class RunDirectory implements Check {
    private static final int SOCKET_PATH_MAX = 107;
    private static final String LONGEST = "libvirt/libvirt-sock";
    private static final Set<String> VOLATILE = Set.of("tmpfs", "ramfs");

    @Override
    public String name() {
        return "run-directory";
    }

    @Override
    public Finding look(Host host) {
        String longest = host.run().resolve(LONGEST).toString();
        int bytes = longest.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > SOCKET_PATH_MAX) {
            return Finding.failed(
                    longest + " has " + bytes + " bytes, a socket's path at most " + SOCKET_PATH_MAX,
                    "unset VSE_RUN_DIR, or set it to a shorter path");
        }
        Optional<Mounts.Mount> mount = Mounts.of(host).holding(host.run());
        String type = mount.map(Mounts.Mount::type).orElse("unknown");
        String found = host.run() + " is on " + type;
        if (VOLATILE.contains(type)) {
            return Finding.ok(found);
        }
        return Finding.warning(
                found + ", not on tmpfs: what is in it outlives a boot",
                "mkdir -p " + host.run() + " && mount -t tmpfs -o mode=0755 none " + host.run());
    }
}

package org.vse.provisioner.libvirt;

import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The configuration of a libvirtd of our own, as pure functions (libvirtd(8), qemu.conf and libvirtd.conf as shipped). */
final class DaemonConfig {
    /** Run by {@code sh -e} in a mount namespace of its own with {@link #namespaceArguments}; ends by becoming libvirtd. */
    static final String ENTER_NAMESPACE = """
            etc=$1 lib=$2 log=$3 cache=$4 run=$5 dev=$6 kvm=$7
            mkdir -p /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /run/libvirt
            if [ "$kvm" = open ]; then
                mount -t tmpfs -o mode=0755,size=64k,nr_inodes=16 vse "$dev"
                mknod -m 0666 "$dev/kvm" c 10 232
                mount --bind "$dev/kvm" /dev/kvm
            fi
            mount --bind "$etc" /etc/libvirt
            mount --bind "$lib" /var/lib/libvirt
            mount --bind "$log" /var/log/libvirt
            mount --bind "$cache" /var/cache/libvirt
            mount --bind "$run" /run/libvirt
            exec tini -s -- libvirtd --pid-file /run/libvirt/libvirtd.pid
            """;

    private DaemonConfig() {}

    /**
     * The environment of an ordinary user's libvirtd: everything that it would keep in the user's home is kept in our
     * directories, so that the libvirt of the user's own session and ours do not meet (libvirtd(8), FILES).
     */
    static Map<String, String> sessionEnvironment(DaemonDirectories at) {
        return Map.of(
                "HOME", at.lib().toString(),
                "XDG_RUNTIME_DIR", at.run().toString(),
                "XDG_CONFIG_HOME", at.configHome().toString(),
                "XDG_CACHE_HOME", at.cache().toString(),
                "XDG_DATA_HOME", at.lib().toString(),
                "XDG_STATE_HOME", at.lib().toString());
    }

    /**
     * Arguments of {@link #ENTER_NAMESPACE}.
     *
     * @param openKvm whether machines get a {@code /dev/kvm} of their own that every uid may open. libvirt asks twice
     *     whether KVM is usable, once as root and once as the machine's user; where the answers differ it asks QEMU for
     *     its capabilities again at every start. The node exists in this namespace only.
     */
    static List<String> namespaceArguments(DaemonDirectories at, boolean openKvm) {
        return List.of(
                at.etc().toString(),
                at.lib().toString(),
                at.log().toString(),
                at.cache().toString(),
                at.sockets().toString(),
                at.dev().toString(),
                openKvm ? "open" : "host");
    }

    /**
     * @param hostUuid identity of this libvirtd; the one of the host's own would make two of them look the same
     */
    static String libvirtd(UUID hostUuid) {
        return """
                host_uuid = "%s"
                unix_sock_ro_perms = "0700"
                unix_sock_rw_perms = "0700"
                unix_sock_admin_perms = "0700"
                auth_unix_ro = "none"
                auth_unix_rw = "none"
                log_outputs = "3:stderr"
                # One client asks on behalf of all machines of the node; a guest that does not answer occupies a worker.
                max_client_requests = 128
                max_workers = 128
                min_workers = 4
                """.formatted(hostUuid);
    }

    /** The part that holds for root's libvirtd and for a user's. */
    private static final String QEMU_ANY = """
            # QEMU writes the files of consoles and channels itself: virtlogd would cut them at 2 MiB.
            stdio_handler = "file"
            # The files of a machine belong to its user before libvirt sees them, and afterwards.
            dynamic_ownership = 0
            remember_owner = 0
            # Whose job a machine belongs to decides its cgroup.
            cgroup_controllers = [ ]
            max_core = 0
            """;

    /**
     * @param hostConfig the host's own qemu.conf; its choice of security driver holds for us too, so that a site's
     *     AppArmor or SELinux rules go on confining QEMU
     */
    static String qemu(String hostConfig) {
        return QEMU_ANY
                + "max_files = 16384\n"
                + hostConfig
                        .lines()
                        .filter(line -> line.strip().matches("security_driver\\s*=.*"))
                        .map(line -> line.strip() + "\n")
                        .findFirst()
                        .orElse("");
    }

    /** An ordinary user raises no limit and chooses no security driver: libvirt takes those that work without root. */
    static String qemuOfSession() {
        return QEMU_ANY;
    }
}

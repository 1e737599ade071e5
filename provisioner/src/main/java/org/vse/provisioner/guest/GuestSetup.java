package org.vse.provisioner.guest;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a guest becomes before the job's script runs in it.
 *
 * @param clock the guest's clock is set to this
 * @param hostname one label, the guest's own
 * @param hosts all of {@code /etc/hosts} beside localhost
 * @param nic empty: no network is configured
 * @param mounts in this order
 * @param directories absolute paths; those that are missing after the mounts are made and belong to the user
 * @param nodes host names, one for each virtual processor, as a batch system's host file has them
 * @param role kept in {@value #ROLE_FILE}; empty: none is
 * @param services of the image, started in this order after everything else
 * @param key for ssh between the machines of the job; empty for a machine that is alone
 */
public record GuestSetup(
        Instant clock,
        String hostname,
        List<Host> hosts,
        GuestAccount user,
        Optional<GuestNic> nic,
        List<GuestMount> mounts,
        List<String> directories,
        List<String> nodes,
        Optional<SshKey> key,
        String role,
        List<String> services) {
    /** Where the guest finds {@code nodes}, one a line. */
    public static final String NODE_FILE = "/run/vse/nodes";

    /** Where the guest finds {@code role}. */
    public static final String ROLE_FILE = "/run/vse/role";

    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9][A-Za-z0-9@._-]{0,63}");

    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

    public GuestSetup {
        hosts = List.copyOf(hosts);
        mounts = List.copyOf(mounts);
        directories = List.copyOf(directories);
        directories.forEach(GuestPath::require);
        nodes = List.copyOf(nodes);
        services = List.copyOf(services);
        if (!services.stream().allMatch(service -> WORD.matcher(service).matches())
                || !(role.isEmpty() || WORD.matcher(role).matches())) {
            throw new IllegalArgumentException("not a role and services: '" + role + "', " + services);
        }
        if (!nodes.stream().allMatch(node -> LABEL.matcher(node).matches())) {
            throw new IllegalArgumentException("not host names: '" + Excerpt.of(nodes.toString()) + "'");
        }
        if (!LABEL.matcher(hostname).matches()) {
            throw new IllegalArgumentException("not a host name: '" + Excerpt.of(hostname) + "'");
        }
    }

    /** A guest without a role and services. */
    public GuestSetup(
            Instant clock,
            String hostname,
            List<Host> hosts,
            GuestAccount user,
            Optional<GuestNic> nic,
            List<GuestMount> mounts,
            List<String> directories,
            List<String> nodes,
            Optional<SshKey> key) {
        this(clock, hostname, hosts, user, nic, mounts, directories, nodes, key, "", List.of());
    }

    /**
     * One line of {@code /etc/hosts}.
     *
     * @param names the canonical name first
     */
    public record Host(String address, List<String> names) {
        private static final Pattern ADDRESS = Pattern.compile("[0-9A-Fa-f.:]{2,45}");
        private static final Pattern NAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?");

        public Host {
            names = List.copyOf(names);
            if (!ADDRESS.matcher(address).matches()
                    || names.isEmpty()
                    || !names.stream().allMatch(name -> NAME.matcher(name).matches())) {
                throw new IllegalArgumentException(
                        "not a line of hosts(5): '" + Excerpt.of(address + " " + names) + "'");
            }
        }
    }

    /**
     * A key pair made for one job. It is the user's and, at the same time, every machine's host key, so that ssh between
     * the machines needs no question and no trust on first use.
     *
     * @param publicKey one line, {@code TYPE BASE64}, without options and comment
     * @param privateKey in OpenSSH's or PEM form
     */
    public record SshKey(String publicKey, String privateKey) {
        private static final Pattern PUBLIC = Pattern.compile("[a-z0-9-]+ [A-Za-z0-9+/=]+");

        public SshKey {
            if (!PUBLIC.matcher(publicKey).matches()) {
                throw new IllegalArgumentException("not a public ssh key: '" + Excerpt.of(publicKey) + "'");
            }
            if (!privateKey.startsWith("-----BEGIN ") || !privateKey.endsWith("-----\n")) {
                throw new IllegalArgumentException("not a private ssh key");
            }
        }

        /** Without the secret. */
        @Override
        public String toString() {
            return "SshKey[" + publicKey + "]";
        }
    }
}

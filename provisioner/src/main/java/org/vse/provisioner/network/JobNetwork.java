package org.vse.provisioner.network;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.NamespaceMembers;

/** Builds and removes a job's network with ip(8). Every method may be called again after it was cut off half way. */
public final class JobNetwork {
    /** What the tunnel between nodes takes from a packet of the network between them, bytes (RFC 7348, IPv4). */
    public static final int TUNNEL_BYTES = 50;

    private static final int VXLAN_PORT = 4789;
    private static final int SIGKILL = 9;

    private static final Pattern ALIAS = Pattern.compile("\\balias (\\S+)");
    private static final Path LINKS = Path.of("/sys/class/net");
    private static final Path NAMESPACES = Path.of("/run/netns");
    private static final Pattern NAMESPACE = Pattern.compile("vse-[0-9a-f]{12}(-s)?");

    private final CommandRunner commands;
    private final String label;

    /**
     * Networks of one installation.
     *
     * @param owner id of the installation; part of the label that every network carries, as the alias of its links
     */
    public JobNetwork(CommandRunner commands, String owner) {
        this.commands = commands;
        this.label = "vse/" + owner + "/";
    }

    private String label(NetworkPlan plan) {
        return label + plan.tag();
    }

    /** Tags of all networks that carry this installation's label, whole or in part. */
    public Set<String> tags() {
        Set<String> tags = new TreeSet<>();
        try {
            for (Path link : list(LINKS)) {
                Path alias = link.resolve("ifalias");
                if (Files.exists(alias)) {
                    tagOf(Files.readString(alias).strip()).ifPresent(tags::add);
                }
            }
        } catch (IOException e) {
            throw failed("the host's network devices cannot be listed", e);
        }
        for (String namespace : namespaces()) {
            tags.addAll(tagsIn(namespace));
        }
        return tags;
    }

    /** Namespaces whose names could be ours. */
    private static List<String> namespaces() {
        return list(NAMESPACES).stream()
                .map(path -> String.valueOf(path.getFileName()))
                .filter(name -> NAMESPACE.matcher(name).matches())
                .toList();
    }

    /** The labels in a namespace; one that is just being removed has none. */
    private List<String> tagsIn(String namespace) {
        var links = commands.run(Command.of("ip", "-n", namespace, "-o", "link", "show"));
        return links.stdout()
                .lines()
                .map(ALIAS::matcher)
                .filter(Matcher::find)
                .flatMap(alias -> tagOf(alias.group(1)).stream())
                .toList();
    }

    private Optional<String> tagOf(String alias) {
        return alias.startsWith(label) ? Optional.of(alias.substring(label.length())) : Optional.empty();
    }

    /** Removes whatever of the network of that tag carries this installation's label. */
    public void remove(String tag) {
        NetworkPlan plan = new NetworkPlan(tag);
        for (Path link : list(LINKS)) {
            try {
                Path alias = link.resolve("ifalias");
                if (Files.exists(alias) && Files.readString(alias).strip().equals(label(plan))) {
                    removeLink(String.valueOf(link.getFileName()));
                }
            } catch (IOException e) {
                throw failed("the label of a network device cannot be read", e);
            }
        }
        for (String namespace : namespaces()) {
            if (tagsIn(namespace).contains(tag)) {
                removeNamespace(namespace);
            }
        }
    }

    private static List<Path> list(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        } catch (IOException e) {
            throw failed("the host's networks cannot be listed", e);
        }
    }

    private static VseException failed(String what, IOException e) {
        return VseException.of(ErrorCode.NETWORK_FAILED, what)
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }

    /** Makes the service namespace with its address; one end of its veth pair waits there to be joined. */
    public void openService(NetworkPlan plan) {
        String namespace = plan.serviceNamespace();
        removeNamespace(namespace);
        ip(List.of("netns", "add", namespace));
        ipIn(
                namespace,
                "link set lo up alias " + label(plan),
                "link add eth0 address 52:56:ff:ff:ff:fe type veth peer name uplink",
                "addr add " + plan.serviceAddress() + "/" + plan.prefix() + " dev eth0",
                "link set eth0 up");
    }

    /** Makes the switch namespace, joins the service namespace to it, and makes one tap for each machine in the host. */
    public void openSwitch(NetworkPlan plan, List<Tap> taps) {
        String namespace = plan.switchNamespace();
        removeNamespace(namespace);
        List<String> lines = new ArrayList<>(List.of("netns add " + namespace));
        for (Tap tap : taps) {
            removeLink(tap.device());
            lines.add("tuntap add dev " + tap.device() + " mode tap user " + tap.uid());
            lines.add("link set " + tap.device() + " alias " + label(plan));
        }
        batch(List.of("ip", "-batch", "-"), lines);
        ipIn(plan.serviceNamespace(), "link set uplink netns " + namespace);
        ipIn(
                namespace,
                "link set lo alias " + label(plan),
                "link add br0 type bridge",
                "link set br0 up",
                "link set uplink master br0",
                "link set uplink up");
    }

    /**
     * Joins the switch to those of the same job on other nodes, through a VXLAN tunnel (RFC 7348). The tunnel and the share
     * server are isolated ports of the bridge: machines reach both, and each node's machines only the node's own server.
     *
     * @param others addresses of the other nodes
     */
    public void span(NetworkPlan plan, List<String> others) {
        String namespace = plan.switchNamespace();
        String tunnel = plan.tunnel();
        removeLink(tunnel);
        batch(
                List.of("ip", "-batch", "-"),
                List.of(
                        "link add " + tunnel + " type vxlan id " + plan.tunnelId() + " dstport " + VXLAN_PORT,
                        "link set " + tunnel + " alias " + label(plan),
                        "link set " + tunnel + " netns " + namespace));
        ipIn(
                namespace,
                "link set " + tunnel + " master br0",
                "link set dev " + tunnel + " type bridge_slave isolated on",
                "link set dev uplink type bridge_slave isolated on",
                "link set " + tunnel + " up");
        batch(
                List.of("bridge", "-n", namespace, "-batch", "-"),
                others.stream()
                        .map(other -> "fdb append 00:00:00:00:00:00 dev " + tunnel + " dst " + other)
                        .toList());
    }

    /**
     * Moves the taps of started machines from the host to the bridge; a machine keeps its open device when that moves to
     * another namespace.
     */
    public void plug(NetworkPlan plan, List<Tap> taps) {
        List<String> host = new ArrayList<>();
        List<String> inside = new ArrayList<>();
        for (Tap tap : taps) {
            if (linkExists(tap.device())) {
                host.add("link set " + tap.device() + " netns " + plan.switchNamespace());
            }
            inside.add("link set " + tap.device() + " master br0");
            inside.add("link set " + tap.device() + " up");
        }
        batch(List.of("ip", "-batch", "-"), host);
        ipIn(plan.switchNamespace(), inside.toArray(String[]::new));
    }

    /** Takes the taps of ended machines back to the host, where machines that are started again look for them. */
    public void unplug(NetworkPlan plan, List<Tap> taps) {
        ipIn(
                plan.switchNamespace(),
                taps.stream()
                        .map(tap -> "link set " + tap.device() + " netns "
                                + ProcessHandle.current().pid())
                        .toArray(String[]::new));
    }

    /**
     * What has passed through a tap since it was made; empty when it is not in its place.
     *
     * @param device one of the taps that were plugged
     */
    public Optional<Traffic> traffic(NetworkPlan plan, String device) {
        if (!Files.exists(NetworkPlan.file(plan.switchNamespace()))) {
            return Optional.empty();
        }
        var told = commands.run(
                Command.of("ip", "-n", plan.switchNamespace(), "-json", "-stats", "link", "show", "dev", device));
        return told.exitCode() == 0 ? Traffic.of(told.stdout()) : Optional.empty();
    }

    /** Removes the bridge and the taps. Nothing there is no error. */
    public void closeSwitch(NetworkPlan plan, List<Tap> taps) {
        taps.forEach(tap -> removeLink(tap.device()));
        removeLink(plan.tunnel());
        removeNamespace(plan.switchNamespace());
    }

    /** Ends every process in the service namespace and removes it. Nothing there is no error. */
    public void closeService(NetworkPlan plan) {
        removeNamespace(plan.serviceNamespace());
    }

    /** A tap device that one host user may open. */
    public record Tap(String device, int uid) {}

    /**
     * What a machine has received from its network and sent to it.
     *
     * @param bytesIn received, bytes
     * @param bytesOut sent, bytes
     */
    public record Traffic(long bytesIn, long bytesOut) {
        private static final JsonMapper JSON = new JsonMapper();

        /** Reads what {@code ip -json -stats link show dev TAP} prints. What a tap receives, its machine has sent. */
        static Optional<Traffic> of(String links) {
            try {
                JsonNode counts = JSON.readTree(links).path(0).path("stats64");
                JsonNode sent = counts.path("rx").path("bytes");
                JsonNode received = counts.path("tx").path("bytes");
                return sent.canConvertToLong() && received.canConvertToLong()
                        ? Optional.of(new Traffic(received.longValue(), sent.longValue()))
                        : Optional.empty();
            } catch (JsonProcessingException e) {
                throw failed("ip tells of a device what is no JSON", e);
            }
        }
    }

    private void removeNamespace(String namespace) {
        Path file = NetworkPlan.file(namespace);
        if (!Files.exists(file)) {
            return;
        }
        NamespaceMembers.of(file).forEach(process -> process.signal(SIGKILL));
        ip(List.of("netns", "del", namespace));
    }

    private void removeLink(String device) {
        if (linkExists(device)) {
            ip(List.of("link", "del", device));
        }
    }

    private static boolean linkExists(String device) {
        return Files.exists(Path.of("/sys/class/net", device));
    }

    private void ip(List<String> arguments) {
        List<String> argv = new ArrayList<>(List.of("ip"));
        argv.addAll(arguments);
        batch(argv, List.of());
    }

    private void ipIn(String namespace, String... lines) {
        batch(List.of("ip", "-n", namespace, "-batch", "-"), List.of(lines));
    }

    private void batch(List<String> argv, List<String> lines) {
        if (lines.isEmpty() && argv.contains("-batch")) {
            return;
        }
        var result = commands.run(Command.of(argv).withStdin(String.join("\n", lines) + "\n"));
        if (result.exitCode() != 0) {
            throw VseException.of(
                            ErrorCode.NETWORK_FAILED,
                            "the job's network could not be set up: " + argv.get(0) + " exited " + result.exitCode())
                    .fact("command", String.join(" ", argv))
                    .fact("input", String.join("; ", lines))
                    .fact("said", result.stderr())
                    .next(
                            "check that this node may make network namespaces, bridges and taps (kernel modules bridge, veth, tun, vxlan)");
        }
    }
}

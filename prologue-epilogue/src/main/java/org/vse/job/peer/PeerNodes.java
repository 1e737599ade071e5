package org.vse.job.peer;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Where the daemons of other nodes are: as the site has listed them, else by the host's own resolver and the port of this
 * daemon.
 *
 * @param listed address by node name, in the order of the list
 * @param port where a node listens that is not listed
 */
public record PeerNodes(Map<String, Address> listed, int port) {
    /** Where nodes listen when nothing else is said. */
    public static final int PORT = 7411;

    private static final Pattern ENTRY =
            Pattern.compile("([A-Za-z0-9-]{1,63})=([A-Za-z0-9.:\\[\\]-]+?)(?::([0-9]{1,5}))?");

    /** A host, by name or number, and a TCP port. */
    public record Address(String host, int port) {}

    public PeerNodes {
        listed = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(listed));
    }

    /**
     * Reads {@code n1=10.0.0.1 n2=10.0.0.2:7000}.
     *
     * @throws IllegalArgumentException naming the entry that is none
     */
    public static PeerNodes parse(String text, int port) {
        Map<String, Address> listed = new LinkedHashMap<>();
        for (String entry : text.isBlank() ? new String[0] : text.strip().split("[\\s,]+")) {
            Matcher matcher = ENTRY.matcher(entry);
            if (!matcher.matches()) {
                throw new IllegalArgumentException(entry);
            }
            int at = matcher.group(3) == null ? port : Integer.parseInt(matcher.group(3));
            if (at < 1 || at > 65_535 || listed.put(matcher.group(1), new Address(matcher.group(2), at)) != null) {
                throw new IllegalArgumentException(entry);
            }
        }
        return new PeerNodes(listed, port);
    }

    /** Names of the listed nodes. */
    public List<String> names() {
        return List.copyOf(listed.keySet());
    }

    /**
     * Where the daemon of a node listens.
     *
     * @throws VseException PEER_UNREACHABLE when its name has no address
     */
    public InetSocketAddress daemon(String node) {
        Address address = listed.getOrDefault(node, new Address(node, port));
        return new InetSocketAddress(resolve(node, address.host()), address.port());
    }

    /** The address of a node, to which the packets of job networks go. */
    public String underlay(String node) {
        return daemon(node).getAddress().getHostAddress();
    }

    private static InetAddress resolve(String node, String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw VseException.of(ErrorCode.PEER_UNREACHABLE, "node '" + node + "' has no address")
                    .fact("host", host)
                    .next("put it into 'peers' of vsed.yaml or into /etc/hosts")
                    .because(e);
        }
    }
}

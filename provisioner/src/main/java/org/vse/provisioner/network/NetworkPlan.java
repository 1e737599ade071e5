package org.vse.provisioner.network;

import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * Names and addresses of one job's network on one node; a pure function of the job's tag, so that a daemon that has lost
 * its memory finds every device again.
 *
 * <p>Two network namespaces serve a job. The <em>switch</em> namespace holds the bridge and the taps of the machines and
 * has no address at all. The <em>service</em> namespace holds the share server at {@link #serviceAddress} and is joined
 * to the bridge by a veth pair. Neither has a route to the host. All jobs use the same addresses: no two jobs share a
 * namespace, and a restored guest finds its server where it left it.
 *
 * @param tag twelve hexadecimal digits that no other job attempt of any daemon on this host has
 */
public record NetworkPlan(String tag) {
    private static final Pattern TAG = Pattern.compile("[0-9a-f]{12}");
    private static final int PREFIX = 16;
    private static final int MAX_MACHINES = 250 * 250;

    public NetworkPlan {
        if (!TAG.matcher(tag).matches()) {
            throw new IllegalArgumentException("not a network tag: '" + tag + "'");
        }
    }

    /** Namespace of the bridge and the taps. */
    public String switchNamespace() {
        return "vse-" + tag;
    }

    /** Namespace of the share server. */
    public String serviceNamespace() {
        return "vse-" + tag + "-s";
    }

    /** Where ip-netns(8) keeps a namespace. */
    public static Path file(String namespace) {
        return Path.of("/run/netns", namespace);
    }

    /** Tap device of the machine with that index; at most 15 characters (IFNAMSIZ). */
    public String tap(int machine) {
        checkMachine(machine);
        return "v" + tag.substring(0, 9) + Integer.toString(machine, 36);
    }

    /** Device of the tunnel to the job's other nodes. */
    public String tunnel() {
        return "x" + tag;
    }

    /** What tells the job's packets from others' in tunnels between the same nodes: 24 bits (RFC 7348), never 0. */
    public int tunnelId() {
        return Math.max(1, Integer.parseInt(tag.substring(0, 6), 16));
    }

    /** Address of the share server, the same for every job on every node. */
    public String serviceAddress() {
        return "10.77.255.254";
    }

    /** Address of a machine. */
    public String address(int machine) {
        checkMachine(machine);
        return "10.77." + machine / 250 + "." + (machine % 250 + 1);
    }

    /** Length of the network part of every address. */
    public int prefix() {
        return PREFIX;
    }

    /** Locally administered address of a machine's interface. */
    public String mac(int machine) {
        checkMachine(machine);
        return String.format(
                "52:56:%s:%s:%02x:%02x", tag.substring(0, 2), tag.substring(2, 4), machine >> 8, machine & 255);
    }

    private static void checkMachine(int machine) {
        if (machine < 0 || machine >= MAX_MACHINES) {
            throw new IllegalArgumentException("machine index: " + machine);
        }
    }
}

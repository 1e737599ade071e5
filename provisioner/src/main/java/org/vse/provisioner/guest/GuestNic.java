package org.vse.provisioner.guest;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The guest's network interface, found by its hardware address whatever the guest calls it.
 *
 * @param mac lower case, colons
 * @param address {@code ADDRESS/PREFIX}, numeric
 * @param gateway of the default route, numeric; empty for none
 * @param mtu bytes, 576 to 65535
 */
public record GuestNic(String mac, String address, Optional<String> gateway, int mtu) {
    private static final Pattern MAC = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");
    private static final Pattern ADDRESS = Pattern.compile("[0-9A-Fa-f.:]{2,45}");

    public GuestNic {
        String[] parts = address.split("/", -1);
        if (!MAC.matcher(mac).matches()) {
            throw new IllegalArgumentException("not a MAC address: '" + Excerpt.of(mac) + "'");
        }
        if (parts.length != 2
                || !ADDRESS.matcher(parts[0]).matches()
                || !parts[1].matches("[0-9]{1,3}")
                || !gateway.map(g -> ADDRESS.matcher(g).matches()).orElse(true)) {
            throw new IllegalArgumentException("not an address: '" + Excerpt.of(address + " via " + gateway) + "'");
        }
        if (mtu < 576 || mtu > 65535) {
            throw new IllegalArgumentException("mtu: " + mtu);
        }
    }
}

package org.vse.job.doctor;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.process.CommandResult;

/** The kernel makes bridges, veths, taps and VXLANs: as a module, built in, or shown by making one in a namespace. */
final class NetworkDevices implements Check {
    /** Of the network of a job on one node. */
    private static final List<String> NEEDED = List.of("bridge", "veth", "tun");
    /** Of a network over several nodes, which this version does not make. */
    private static final List<String> WISHED = List.of("vxlan");

    @Override
    public String name() {
        return "kernel-modules";
    }

    @Override
    public Finding look(Host host) {
        List<String> missing = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (String module : NEEDED) {
            sort(host, module, missing, unknown);
        }
        if (!missing.isEmpty()) {
            return Finding.failed(
                    "the kernel has no " + String.join(", ", missing), "modprobe -a " + String.join(" ", missing));
        }
        for (String module : WISHED) {
            sort(host, module, missing, unknown);
        }
        if (!missing.isEmpty()) {
            return Finding.warning(
                    "the kernel has no " + String.join(", ", missing), "modprobe -a " + String.join(" ", missing));
        }
        if (!unknown.isEmpty()) {
            return Finding.forRoot("whether the kernel has " + String.join(", ", unknown));
        }
        return Finding.ok("bridge, veth, tun and vxlan are there");
    }

    private static void sort(Host host, String module, List<String> missing, List<String> unknown) {
        if (isKnown(host, module) || isModule(host, module)) {
            return;
        }
        if (!host.isRoot()) {
            unknown.add(module);
        } else if (!canMake(host, module)) {
            missing.add(module);
        }
    }

    private static boolean isKnown(Host host, String module) {
        return Files.exists(host.at("/sys/module/" + module))
                || (module.equals("tun") && Files.exists(host.at("/dev/net/tun")));
    }

    /** modprobe knows modules and what is built in, where the kernel's directory is on the disk. */
    private static boolean isModule(Host host, String module) {
        return host.run("modprobe", "-n", "-q", module)
                .filter(result -> result.exitCode() == 0)
                .isPresent();
    }

    /** In a network namespace that ends with the program. */
    private static boolean canMake(Host host, String type) {
        Optional<CommandResult> made = type.equals("tun")
                ? host.run("unshare", "--net", "ip", "tuntap", "add", "vsedoctor", "mode", "tap")
                : type.equals("vxlan")
                        ? host.run(
                                "unshare",
                                "--net",
                                "ip",
                                "link",
                                "add",
                                "vsedoctor",
                                "type",
                                type,
                                "id",
                                "1",
                                "dstport",
                                "4789")
                        : host.run("unshare", "--net", "ip", "link", "add", "vsedoctor", "type", type);
        return made.filter(result -> result.exitCode() == 0).isPresent();
    }
}

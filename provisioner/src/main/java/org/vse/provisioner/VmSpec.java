package org.vse.provisioner;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Everything a driver needs to start one machine.
 *
 * @param cores host core of each virtual processor in order, or empty for no pins
 * @param memoryBytes guest memory, bytes, a multiple of 1 MiB
 * @param disk qcow2 overlay that exists; the guest's {@code vda}
 * @param boot where the guest's first instructions come from
 * @param uid host user that the machine's process runs as
 * @param gid host group of the machine's process
 * @param channels virtio-serial ports from guest to host files, beside the agent's
 * @param console file that receives the guest's first serial port
 * @param devices PCI addresses of devices of the host that the guest gets, {@code 0000:3b:00.0}
 * @param terminal Unix socket behind the guest's {@code hvc0}, or null for none
 */
public record VmSpec(
        VmName name,
        UUID uuid,
        VmLabel label,
        Accelerator accelerator,
        int vcpus,
        List<Integer> cores,
        long memoryBytes,
        Path disk,
        Boot boot,
        int uid,
        int gid,
        List<Nic> nics,
        List<Channel> channels,
        List<SharedDirectory> shares,
        Path console,
        @Nullable Path terminal,
        List<String> devices) {

    public VmSpec {
        cores = List.copyOf(cores);
        nics = List.copyOf(nics);
        channels = List.copyOf(channels);
        shares = List.copyOf(shares);
        devices = List.copyOf(devices);
        if (!devices.stream().allMatch(device -> PCI.matcher(device).matches())) {
            throw new IllegalArgumentException("not PCI addresses: " + devices);
        }
        if (vcpus < 1) {
            throw new IllegalArgumentException("vcpus: " + vcpus);
        }
        if (!cores.isEmpty() && cores.size() != vcpus) {
            throw new IllegalArgumentException(cores.size() + " cores for " + vcpus + " virtual processors");
        }
        if (memoryBytes < 1 << 20 || memoryBytes % (1 << 20) != 0) {
            throw new IllegalArgumentException("memory: " + memoryBytes);
        }
    }

    /** A machine with no device of the host that boots a kernel. */
    public VmSpec(
            VmName name,
            UUID uuid,
            VmLabel label,
            Accelerator accelerator,
            int vcpus,
            List<Integer> cores,
            long memoryBytes,
            Path disk,
            Path kernel,
            Path initrd,
            String commandLine,
            int uid,
            int gid,
            List<Nic> nics,
            List<Channel> channels,
            List<SharedDirectory> shares,
            Path console,
            @Nullable Path terminal) {
        this(
                name,
                uuid,
                label,
                accelerator,
                vcpus,
                cores,
                memoryBytes,
                disk,
                new Boot.Direct(kernel, initrd, commandLine),
                uid,
                gid,
                nics,
                channels,
                shares,
                console,
                terminal,
                List.of());
    }

    /** Where a guest's first instructions come from. */
    public sealed interface Boot {
        /**
         * A kernel that the hypervisor loads.
         *
         * @param initrd initial file system
         */
        record Direct(Path kernel, Path initrd, String commandLine) implements Boot {}

        /** The boot loader in the first sectors of the disk, under a PC BIOS. */
        record Loader() implements Boot {}
    }

    /** What executes the guest's instructions. */
    public enum Accelerator {
        KVM,
        TCG
    }

    /** A network interface, {@code eth0} upwards in order. */
    public sealed interface Nic {
        String mac();

        /** An existing tap device of the host. */
        record Tap(String device, String mac) implements Nic {
            public Tap {
                requireMac(mac);
            }
        }

        /** User-mode network that reaches nothing: neither the host nor anything beyond it. */
        record Isolated(String mac) implements Nic {
            public Isolated {
                requireMac(mac);
            }
        }
    }

    /** A virtio-serial port whose bytes are appended to a host file; the file exists and belongs to the spec's uid. */
    public record Channel(String name, Path file) {}

    /** A host directory offered by 9p under a tag; every access happens as the spec's uid. */
    public record SharedDirectory(String tag, Path directory) {}

    private static final Pattern PCI = Pattern.compile("[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f][.][0-7]");
    private static final Pattern MAC = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");

    private static void requireMac(String mac) {
        if (!MAC.matcher(mac).matches()) {
            throw new IllegalArgumentException("not a MAC address: " + mac);
        }
    }
}

package org.vse.provisioner.libvirt;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.HostTopology;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.VmSpec.Nic;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/**
 * What libvirt is told about a machine, as a pure function of its spec (libvirt: "Domain XML format").
 *
 * <p>Guarantees:
 * <ul>
 *   <li>Every PCI device sits on the root bus at an address that depends on its place in the spec only: no root ports to
 *       enumerate at boot, and the same addresses when the machine is made again elsewhere.
 *   <li>QEMU runs as the spec's uid and gid and libvirt changes the owner of no file.
 *   <li>Any end is the end: power-off, reboot and crash destroy the machine. A reboot is no exception because the job's
 *       script does not survive it; what booted afterwards would be a machine without a job.
 *   <li>The overlay is thrown away with its attempt, so flushes of the guest do not reach the host's disk
 *       ({@code cache=unsafe}); who wants to keep the overlay syncs the file after the machine was paused.
 * </ul>
 */
final class DomainXml {
    /** Namespace of our element in the domain's metadata. */
    static final String NAMESPACE = "urn:x-vse:machine:1";

    private static final String QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0";
    private static final String AGENT = "org.qemu.guest_agent.0";

    private static final int DISK_SLOT = 2;
    private static final int SERIAL_SLOT = 3;
    private static final int ENTROPY_SLOT = 4;
    private static final int FIRST_FREE_SLOT = 5;
    /** Slot 0x1f of the q35 root bus belongs to the chip set. */
    private static final int LAST_FREE_SLOT = 0x1e;

    private DomainXml() {}

    /**
     * The machine's description. Its memory comes from the NUMA nodes of its cores alone.
     *
     * @throws VseException NOT_SUPPORTED when it has more devices than the root bus, SHARE_ROOT when QEMU would share as
     *     root, LIBVIRT_FAILED when a value has no spelling in XML
     */
    static String of(VmSpec spec, HostTopology host) {
        return of(spec, host, null);
    }

    /**
     * As {@link #of(VmSpec, HostTopology)}.
     *
     * @param agent null with root's libvirtd; with an ordinary user's the socket of the guest's agent. QEMU then runs as
     *     that user, whatever the spec says: there is no other
     */
    static String of(VmSpec spec, HostTopology host, @Nullable Path agent) {
        int devices = spec.nics().size() + spec.shares().size() + spec.devices().size();
        int room = LAST_FREE_SLOT - FIRST_FREE_SLOT + 1;
        if (devices > room) {
            throw VseException.of(
                    ErrorCode.NOT_SUPPORTED,
                    "machine '" + spec.name() + "' has " + devices + " networks, shares and devices, at most " + room
                            + " fit");
        }
        if (spec.uid() == 0 && !spec.shares().isEmpty()) {
            throw VseException.of(
                    ErrorCode.SHARE_ROOT, "machine '" + spec.name() + "' would share directories as root");
        }
        XmlElement domain =
                XmlElement.root("domain").with("type", spec.accelerator() == Accelerator.KVM ? "kvm" : "qemu");
        domain.add("name").text(spec.name().value());
        domain.add("uuid").text(spec.uuid().toString());
        label(domain.add("metadata"), spec.label());
        domain.add("memory").with("unit", "b").with("dumpCore", "off").text(Long.toString(spec.memoryBytes()));
        domain.add("vcpu").with("placement", "static").text(Integer.toString(spec.vcpus()));
        pins(domain, spec.cores());
        memory(domain, host.memoriesOf(spec.cores()));
        boot(domain, spec);
        processor(domain, spec);
        domain.add("clock").with("offset", "utc");
        domain.add("on_poweroff").text("destroy");
        domain.add("on_reboot").text("destroy");
        domain.add("on_crash").text("destroy");
        // A guest that put itself to sleep would look like one that hangs: nobody is there to wake it.
        XmlElement power = domain.add("pm");
        power.add("suspend-to-mem").with("enabled", "no");
        power.add("suspend-to-disk").with("enabled", "no");
        devices(domain.add("devices"), spec, agent);
        if (agent == null) {
            domain.add("seclabel")
                    .with("type", "static")
                    .with("model", "dac")
                    .with("relabel", "no")
                    .add("label")
                    .text("+" + spec.uid() + ":+" + spec.gid());
        }
        isolatedNetworks(domain, spec.nics());
        askNoFeatures(domain);
        return domain.render();
    }

    /**
     * Reads our element of a domain's metadata back.
     *
     * @throws VseException LIBVIRT_FAILED when it is not as {@link #of} writes it
     */
    static VmLabel labelOf(String metadata) {
        try {
            Element machine = XmlElement.parse(metadata);
            return new VmLabel(
                    machine.getAttribute("owner"),
                    machine.getAttribute("job"),
                    Integer.parseInt(machine.getAttribute("attempt")),
                    Integer.parseInt(machine.getAttribute("index")));
        } catch (SAXException | NumberFormatException e) {
            throw VseException.of(ErrorCode.LIBVIRT_FAILED, "the label of a machine is damaged")
                    .fact("found", metadata)
                    .because(e);
        }
    }

    private static void label(XmlElement metadata, VmLabel label) {
        metadata.add(NAMESPACE, "vse:machine")
                .with("owner", label.owner())
                .with("job", label.job())
                .with("attempt", label.attempt())
                .with("index", label.index());
    }

    /** The emulator's own threads share the machine's cores: an allocation has no others. */
    private static void pins(XmlElement domain, List<Integer> cores) {
        if (cores.isEmpty()) {
            return;
        }
        XmlElement tune = domain.add("cputune");
        for (int vcpu = 0; vcpu < cores.size(); vcpu++) {
            tune.add("vcpupin").with("vcpu", vcpu).with("cpuset", cores.get(vcpu));
        }
        String all = cores.stream().distinct().sorted().map(String::valueOf).collect(Collectors.joining(","));
        tune.add("emulatorpin").with("cpuset", all);
    }

    private static void memory(XmlElement domain, List<Integer> nodes) {
        if (!nodes.isEmpty()) {
            String all = nodes.stream().map(String::valueOf).collect(Collectors.joining(","));
            domain.add("numatune").add("memory").with("mode", "strict").with("nodeset", all);
        }
    }

    private static void boot(XmlElement domain, VmSpec spec) {
        XmlElement os = domain.add("os");
        os.add("type").with("arch", "x86_64").with("machine", "q35").text("hvm");
        if (spec.boot() instanceof VmSpec.Boot.Direct direct) {
            os.add("kernel").text(absolute(direct.kernel()));
            os.add("initrd").text(absolute(direct.initrd()));
            os.add("cmdline").text(direct.commandLine());
        } else {
            os.add("boot").with("dev", "hd");
        }
    }

    private static void processor(XmlElement domain, VmSpec spec) {
        XmlElement features = domain.add("features");
        features.add("acpi");
        features.add("apic");
        XmlElement cpu;
        if (spec.accelerator() == Accelerator.KVM) {
            cpu = domain.add("cpu")
                    .with("mode", "host-passthrough")
                    .with("check", "none")
                    .with("migratable", "on");
        } else {
            // The default translation cache is a quarter of the guest's memory and is never given back.
            features.add("tcg").add("tb-cache").with("unit", "MiB").text("32");
            cpu = domain.add("cpu").with("mode", "maximum").with("check", "none");
        }
        cpu.add("topology")
                .with("sockets", 1)
                .with("dies", 1)
                .with("cores", spec.vcpus())
                .with("threads", 1);
    }

    private static void devices(XmlElement devices, VmSpec spec, @Nullable Path agent) {
        disk(devices, spec.disk());
        devices.add("controller").with("type", "usb").with("model", "none");
        address(devices.add("controller").with("type", "virtio-serial").with("index", 0), SERIAL_SLOT);
        file(devices.add("serial"), spec.console())
                .add("target")
                .with("type", "isa-serial")
                .with("port", 0);
        Path terminal = spec.terminal();
        if (terminal != null) {
            XmlElement console = devices.add("console").with("type", "unix");
            console.add("source").with("mode", "bind").with("path", absolute(terminal));
            console.add("target").with("type", "virtio").with("port", 0);
        }
        XmlElement line = devices.add("channel").with("type", "unix");
        if (agent != null) {
            line.add("source").with("mode", "bind").with("path", absolute(agent));
        }
        line.add("target").with("type", "virtio").with("name", AGENT);
        for (VmSpec.Channel channel : spec.channels()) {
            file(devices.add("channel"), channel.file())
                    .add("target")
                    .with("type", "virtio")
                    .with("name", channel.name());
        }
        int slot = FIRST_FREE_SLOT;
        for (Nic nic : spec.nics()) {
            if (nic instanceof Nic.Tap tap) {
                tap(devices, tap, slot);
            }
            slot++;
        }
        for (VmSpec.SharedDirectory share : spec.shares()) {
            share(devices, share, slot++);
        }
        for (String device : spec.devices()) {
            device(devices, device, slot++);
        }
        devices.add("memballoon").with("model", "none");
        XmlElement entropy = devices.add("rng").with("model", "virtio");
        entropy.add("backend").with("model", "random").text("/dev/urandom");
        address(entropy, ENTROPY_SLOT);
        devices.add("panic").with("model", "isa");
    }

    private static void disk(XmlElement devices, Path overlay) {
        XmlElement disk = devices.add("disk").with("type", "file").with("device", "disk");
        disk.add("driver")
                .with("name", "qemu")
                .with("type", "qcow2")
                .with("cache", "unsafe")
                .with("discard", "unmap");
        disk.add("source").with("file", absolute(overlay));
        disk.add("target").with("dev", "vda").with("bus", "virtio");
        address(disk, DISK_SLOT);
    }

    private static XmlElement file(XmlElement device, Path path) {
        device.with("type", "file").add("source").with("path", absolute(path)).with("append", "on");
        return device;
    }

    private static void tap(XmlElement devices, Nic.Tap tap, int slot) {
        XmlElement nic = devices.add("interface").with("type", "ethernet");
        nic.add("mac").with("address", tap.mac());
        nic.add("target").with("dev", tap.device()).with("managed", "no");
        nic.add("model").with("type", "virtio");
        nic.add("rom").with("enabled", "no");
        address(nic, slot);
    }

    /** With {@code squash} QEMU, which is not root, creates every file as itself, and a guest that wants to give one away is refused. */
    private static void share(XmlElement devices, VmSpec.SharedDirectory share, int slot) {
        XmlElement filesystem = devices.add("filesystem")
                .with("type", "mount")
                .with("accessmode", "squash")
                .with("multidevs", "remap");
        filesystem.add("source").with("dir", absolute(share.directory()));
        filesystem.add("target").with("dir", share.tag());
        address(filesystem, slot);
    }

    /** With {@code managed} libvirt takes the device from its driver on the host and gives it back. */
    private static void device(XmlElement devices, String address, int slot) {
        String[] part = address.split("[:.]", -1);
        XmlElement device = devices.add("hostdev")
                .with("mode", "subsystem")
                .with("type", "pci")
                .with("managed", "yes");
        device.add("driver").with("name", "vfio");
        device.add("source")
                .add("address")
                .with("domain", "0x" + part[0])
                .with("bus", "0x" + part[1])
                .with("slot", "0x" + part[2])
                .with("function", "0x" + part[3]);
        address(device, slot);
    }

    /** libvirt has no spelling for a user-mode network that reaches nothing; QEMU has ({@code restrict=on}). */
    private static void isolatedNetworks(XmlElement domain, List<Nic> nics) {
        if (nics.stream().noneMatch(Nic.Isolated.class::isInstance)) {
            return;
        }
        XmlElement line = domain.add(QEMU_NAMESPACE, "qemu:commandline");
        for (int i = 0; i < nics.size(); i++) {
            if (nics.get(i) instanceof Nic.Isolated isolated) {
                argument(line, "-netdev");
                argument(line, "user,id=vsenet" + i + ",restrict=on");
                argument(line, "-device");
                argument(
                        line,
                        "virtio-net-pci,netdev=vsenet" + i + ",id=vsenic" + i + ",mac=" + isolated.mac()
                                + ",romfile=,bus=pcie.0,addr=0x" + Integer.toHexString(FIRST_FREE_SLOT + i));
            }
        }
    }

    /**
     * Without this libvirt asks a new QEMU for each of some four hundred processor features by a request of its own, a third
     * of a second in which the machine stands still, to fill in a description that a transient machine has no use for.
     */
    private static void askNoFeatures(XmlElement domain) {
        domain.add(QEMU_NAMESPACE, "qemu:capabilities")
                .add(QEMU_NAMESPACE, "qemu:del")
                .with("capability", "cpu-unavailable-features");
    }

    private static void argument(XmlElement line, String value) {
        line.add(QEMU_NAMESPACE, "qemu:arg").with("value", value);
    }

    private static void address(XmlElement device, int slot) {
        device.add("address")
                .with("type", "pci")
                .with("domain", 0)
                .with("bus", 0)
                .with("slot", slot)
                .with("function", 0);
    }

    private static String absolute(Path path) {
        if (!path.isAbsolute()) {
            throw new IllegalArgumentException("not an absolute path: '" + path + "'");
        }
        return path.toString();
    }
}

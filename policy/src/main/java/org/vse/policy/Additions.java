package org.vse.policy;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a job's VMs have beyond what every VM has.
 *
 * @param services started in every VM before the script
 * @param headServices in the first one; {@code services} where nothing else is said
 * @param boot further words of the kernel's command line
 * @param bootSeconds until a guest answers; null for the node's own bound
 * @param devices PCI addresses, for the first VM of each node
 * @param root whether the script runs as root of its VM
 * @param difference null for none
 */
public record Additions(
        List<String> services,
        List<String> headServices,
        List<HostMount> mounts,
        List<String> boot,
        @Nullable Integer bootSeconds,
        List<PlugIn> plugIns,
        List<String> devices,
        boolean root,
        @Nullable Difference difference) {
    /** Nothing. */
    public static final Additions NONE =
            new Additions(List.of(), List.of(), List.of(), List.of(), null, List.of(), List.of(), false, null);

    public Additions {
        services = List.copyOf(services);
        headServices = List.copyOf(headServices);
        mounts = List.copyOf(mounts);
        boot = List.copyOf(boot);
        plugIns = List.copyOf(plugIns);
        devices = List.copyOf(devices);
    }

    /** The same with the programs of its plug-ins below that directory. */
    public Additions withPrograms(Path directory) {
        return new Additions(
                services,
                headServices,
                mounts,
                boot,
                bootSeconds,
                plugIns.stream().map(plugIn -> plugIn.in(directory)).toList(),
                devices,
                root,
                difference);
    }

    /** The same with another difference. */
    public Additions with(Difference other) {
        return new Additions(
                services,
                headServices,
                mounts,
                boot,
                bootSeconds,
                plugIns,
                devices,
                root,
                other.isNone() ? null : other);
    }

    /** What its VMs have that their image does not. */
    public Difference changes() {
        return difference == null ? Difference.NONE : difference;
    }

    /** Services of the first VM, or of another. */
    public List<String> servicesOf(int index) {
        return index == 0 ? headServices : services;
    }

    static Additions of(Settings settings) {
        List<String> services = words(settings, DirectiveKey.SERVICES);
        return new Additions(
                services,
                settings.get(DirectiveKey.HEAD_SERVICES).isPresent()
                        ? words(settings, DirectiveKey.HEAD_SERVICES)
                        : services,
                words(settings, DirectiveKey.MOUNTS).stream()
                        .map(HostMount::one)
                        .toList(),
                words(settings, DirectiveKey.BOOT),
                settings.get(DirectiveKey.BOOT_TIMEOUT)
                        .map(s -> Integer.valueOf(s.text()))
                        .orElse(null),
                words(settings, DirectiveKey.PLUG_INS).stream().map(PlugIn::one).toList(),
                words(settings, DirectiveKey.HOSTDEV),
                settings.get(DirectiveKey.ROOT).map(s -> s.text().equals("yes")).orElse(false),
                Difference.of(settings).isNone() ? null : Difference.of(settings));
    }

    private static List<String> words(Settings settings, DirectiveKey key) {
        return settings.get(key).map(s -> Grammar.Words.of(s.text())).orElse(List.of());
    }
}

package org.vse.policy;

import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/**
 * The VMs that a job asks for, with the defaults in place. Nothing in it contradicts anything else in it.
 *
 * @param vcpus virtual processors of each VM; empty: as many as its node's cores allow
 * @param memoryBytes guest memory of each VM, a multiple of 1 MiB
 * @param diskBytes disk of each VM; empty: the size of the image
 * @param oversubscribe the job agrees to share its cores with other jobs that do
 * @param headVcpus virtual processors of the first VM; empty: as of every VM
 * @param headMemoryBytes memory of the first VM, a multiple of 1 MiB
 * @param additions what the VMs have beyond that
 * @param continuation how the job goes on after its walltime
 * @param provenance where each value was written; keys that nobody set are absent
 */
public record JobDescription(
        ImageReference image,
        OptionalInt vcpus,
        long memoryBytes,
        OptionalLong diskBytes,
        int vmsPerNode,
        Share share,
        Network network,
        boolean oversubscribe,
        OptionalInt headVcpus,
        long headMemoryBytes,
        Additions additions,
        Continuation continuation,
        Map<DirectiveKey, SourcePosition> provenance) {

    public JobDescription {
        provenance = Map.copyOf(provenance);
        boolean positive = vmsPerNode >= 1 && vcpus.orElse(1) >= 1 && diskBytes.orElse(1) >= 1;
        boolean wholeMemory = isWhole(memoryBytes) && isWhole(headMemoryBytes);
        boolean userNetworkFits = network != Network.USER || (vmsPerNode == 1 && share != Share.NFS);
        if (!positive || !wholeMemory || !userNetworkFits) {
            throw new IllegalArgumentException("not a description: " + vcpus + ", " + memoryBytes + ", " + diskBytes
                    + ", " + vmsPerNode + ", " + share + ", " + network);
        }
    }

    private static boolean isWhole(long memory) {
        return memory >= ByteSize.MIB && memory % ByteSize.MIB == 0;
    }

    /** The same with other additions. */
    public JobDescription with(Additions other) {
        return new JobDescription(
                image,
                vcpus,
                memoryBytes,
                diskBytes,
                vmsPerNode,
                share,
                network,
                oversubscribe,
                headVcpus,
                headMemoryBytes,
                other,
                continuation,
                provenance);
    }

    /** Memory of the largest VM. */
    public long mostMemoryBytes() {
        return Math.max(memoryBytes, headMemoryBytes);
    }

    /** Virtual processors of the largest VM; empty: as many as its node's cores allow. */
    public OptionalInt mostVcpus() {
        return headVcpus.isPresent() && headVcpus.getAsInt() > vcpus.orElse(0) ? headVcpus : vcpus;
    }

    /**
     * @param settings all layers merged
     * @throws VseException DIRECTIVE_IMAGE_MISSING when no layer names an image, DIRECTIVE_CONFLICT for values that cannot
     *     be had together, with both positions
     */
    public static JobDescription of(Settings settings) {
        Problems problems = new Problems();
        Conflicts.find(settings, problems);
        if (settings.get(DirectiveKey.IMAGE).isEmpty()) {
            VseException missing = VseException.of(
                            ErrorCode.DIRECTIVE_IMAGE_MISSING, "VM options are given but no image")
                    .next("add '#VSE image=NAME'; 'vse image ls' lists the names");
            Optional<SourcePosition> first =
                    settings.all().stream().map(Setting::position).min(Comparator.naturalOrder());
            if (first.isEmpty()) {
                throw missing;
            }
            problems.add(first.get(), missing);
        }
        problems.throwFirst();
        return resolve(settings);
    }

    private static JobDescription resolve(Settings settings) {
        Map<DirectiveKey, SourcePosition> provenance = new EnumMap<>(DirectiveKey.class);
        settings.all().forEach(s -> provenance.put(s.key(), s.position()));
        Optional<String> vcpus = settings.get(DirectiveKey.VCPUS).map(Setting::text);
        Optional<String> disk = settings.get(DirectiveKey.DISK).map(Setting::text);
        Network network = Network.of(text(settings, DirectiveKey.NETWORK, Defaults.NETWORK));
        return new JobDescription(
                ImageReference.parse(text(settings, DirectiveKey.IMAGE, "")),
                vcpus.map(v -> OptionalInt.of(Integer.parseInt(v))).orElse(OptionalInt.empty()),
                bytes(text(settings, DirectiveKey.MEMORY, Defaults.MEMORY)),
                disk.map(d -> OptionalLong.of(bytes(d))).orElse(OptionalLong.empty()),
                Integer.parseInt(text(settings, DirectiveKey.VMS_PER_NODE, Defaults.VMS_PER_NODE)),
                settings.get(DirectiveKey.SHARE).map(s -> Share.of(s.text())).orElse(Defaults.share(network)),
                network,
                text(settings, DirectiveKey.OVERSUBSCRIBE, Defaults.OVERSUBSCRIBE)
                        .equals("yes"),
                settings.get(DirectiveKey.HEAD_VCPUS)
                        .map(s -> OptionalInt.of(Integer.parseInt(s.text())))
                        .orElse(OptionalInt.empty()),
                bytes(settings.get(DirectiveKey.HEAD_MEMORY)
                        .map(Setting::text)
                        .orElse(text(settings, DirectiveKey.MEMORY, Defaults.MEMORY))),
                Additions.of(settings),
                Continuation.of(settings),
                provenance);
    }

    private static String text(Settings settings, DirectiveKey key, String standard) {
        return settings.get(key).map(Setting::text).orElse(standard);
    }

    private static long bytes(String size) {
        return ByteSize.parse(size).orElseThrow();
    }
}

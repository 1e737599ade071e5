package org.vse.imagestore;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * An image in a store: a name somebody used, and the digest that says which bytes it is.
 *
 * @param name without tag
 * @param tag empty when the image was found by its digest and no tag of its name points to it
 * @param digest {@code sha256:} and 64 hexadecimal digits: SHA-256 of the bytes of its manifest
 * @param disk read-only base disk; machines get an {@link OverlayDisk} over it
 * @param format of the disk: {@code qcow2}
 * @param virtualSizeBytes what the guest sees, bytes
 * @param boots in order of preference, at least one: kernels, or the disk itself
 * @param created when it was added to this store
 */
public record Image(
        String name,
        String tag,
        String digest,
        Path disk,
        String format,
        long virtualSizeBytes,
        List<? extends Boot> boots,
        Instant created) {
    public Image {
        boots = List.copyOf(boots);
        if (boots.isEmpty()) {
            throw new IllegalArgumentException("an image that nothing boots: " + name);
        }
    }

    /** Its kernels in order of preference; none when its disk boots itself. */
    public List<Kernel> kernels() {
        return boots.stream()
                .filter(Kernel.class::isInstance)
                .map(Kernel.class::cast)
                .toList();
    }

    /** How its disk boots itself; empty when kernels of the image boot it. */
    public Optional<DiskBoot> diskBoot() {
        return boots.stream()
                .filter(DiskBoot.class::isInstance)
                .map(DiskBoot.class::cast)
                .findFirst();
    }

    /** {@code name:tag}, or {@code name@digest} without a tag. */
    public String reference() {
        return tag.isEmpty() ? name + "@" + digest : name + ":" + tag;
    }

    /**
     * The first way to boot it that provides all that is needed.
     *
     * @throws VseException SHARE_UNSUPPORTED when none does
     */
    public Boot bootFor(Set<Provides> needed) {
        return boots.stream()
                .filter(boot -> boot.provides().containsAll(needed))
                .<Boot>map(boot -> boot)
                .findFirst()
                .orElseThrow(() -> VseException.of(
                                ErrorCode.SHARE_UNSUPPORTED,
                                "image '" + reference() + "' boots nothing that provides '" + words(needed) + "'")
                        .fact("needed", words(needed))
                        .fact(
                                "boots",
                                boots.stream()
                                        .map(k -> k.name() + " (" + words(k.provides()) + ")")
                                        .collect(Collectors.joining(", ")))
                        .next("choose another share or another image: vse image ls"));
    }

    private static String words(Set<Provides> of) {
        return new TreeSet<>(of).stream().map(Provides::word).collect(Collectors.joining(", "));
    }
}

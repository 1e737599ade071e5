package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** In what two images differ, in lines for people. */
public final class ImageDifference {
    private ImageDifference() {}

    /**
     * Compares two images.
     *
     * @return package versions first, which are why most files differ, then files, kernels and the manifests' other parts;
     *     empty for the same image
     */
    public static List<String> between(Image one, Image other) {
        return between(one.disk().resolveSibling(""), other.disk().resolveSibling(""));
    }

    /** The same for directories that hold an image each, in a store or on their way into it. */
    public static List<String> between(Path one, Path other) {
        try {
            List<String> lines = new ArrayList<>();
            Manifest a = manifest(one);
            Manifest b = manifest(other);
            Optional<ImageContents> in = ImageContents.read(one);
            Optional<ImageContents> inOther = ImageContents.read(other);
            if (in.isPresent() && inOther.isPresent()) {
                compare("package", in.get().packages(), inOther.get().packages(), lines);
                compare("file", in.get().files(), inOther.get().files(), lines);
            }
            manifests(a, b, lines);
            if (lines.isEmpty() && !a.equals(b)) {
                lines.add("disk: laid out differently by mke2fs or qemu-img; every file in it is the same");
            }
            return lines;
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "two images cannot be compared")
                    .fact("reason", e)
                    .because(e);
        }
    }

    private static Manifest manifest(Path directory) throws IOException {
        return Manifest.parse(Files.readAllBytes(directory.resolve("manifest.yaml")));
    }

    private static void manifests(Manifest a, Manifest b, List<String> lines) {
        compare("label", a.labels(), b.labels(), lines);
        if (!a.name().equals(b.name())) {
            lines.add("name: " + a.name() + " | " + b.name());
        }
        if (a.disk().virtualBytes() != b.disk().virtualBytes()) {
            lines.add("size: " + a.disk().virtualBytes() + " | " + b.disk().virtualBytes());
        }
        if (!a.diskBoot().equals(b.diskBoot())) {
            lines.add("boot: " + boot(a) + " | " + boot(b));
        }
        if (!a.kernels().equals(b.kernels())) {
            lines.add("kernels: " + kernels(a) + " | " + kernels(b));
        }
    }

    private static String boot(Manifest manifest) {
        return manifest.diskBoot()
                .map(disk -> "disk " + new TreeSet<>(disk.provides()))
                .orElse("kernels");
    }

    private static List<String> kernels(Manifest manifest) {
        return manifest.kernels().stream()
                .map(k -> k.name() + " kernel " + k.kernel().substring(0, 12) + " initrd "
                        + k.initrd().substring(0, 12) + " '" + k.commandLine() + "'")
                .toList();
    }

    private static void compare(String what, Map<String, String> one, Map<String, String> other, List<String> lines) {
        TreeSet<String> names = new TreeSet<>(one.keySet());
        names.addAll(other.keySet());
        for (String name : names) {
            if (!Objects.equals(one.get(name), other.get(name))) {
                lines.add(
                        what + " " + name + ": " + one.getOrDefault(name, "-") + " | " + other.getOrDefault(name, "-"));
            }
        }
    }
}

package org.vse.imagestore;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What an image is. Its bytes are canonical: equal manifests render to equal bytes, and the SHA-256 of those bytes is the
 * image's digest. Times, hosts and tags are not part of it, so that the same content built twice is the same image.
 *
 * @param name image name without tag
 * @param kernels in order of preference; empty when the disk boots itself
 * @param diskBoot how the disk boots itself; empty when there are kernels
 * @param labels shown to users
 */
record Manifest(
        String name, Disk disk, List<KernelFiles> kernels, Optional<DiskBoot> diskBoot, Map<String, String> labels) {
    /** Version of this format. */
    static final int FORMAT = 1;

    /** How the guest is controlled: by the QEMU guest agent. */
    static final String GUEST = "agent";

    private static final String DISK_BOOT = "disk";

    static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,63}");
    static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern PRINTABLE = Pattern.compile("\\P{C}*");
    static final int MAX_BYTES = 2 << 20;

    /**
     * @param bytes size of the file
     * @param virtualBytes size as the guest sees it
     * @param chunks SHA-256 of every {@link ChunkDigests#CHUNK_BYTES}
     */
    record Disk(String format, long bytes, long virtualBytes, List<String> chunks) {
        Disk {
            chunks = List.copyOf(chunks);
            long expected = -Math.floorDiv(-bytes, (long) ChunkDigests.CHUNK_BYTES);
            require(format.equals("qcow2"), "disk format '" + format + "'");
            require(virtualBytes > 0 && bytes > 0 && chunks.size() == expected, "sizes of the disk");
            require(chunks.stream().allMatch(c -> HEX.matcher(c).matches()), "digests of the disk");
        }
    }

    /**
     * @param kernel SHA-256 of the kernel file
     * @param initrd SHA-256 of the initial file system
     */
    record KernelFiles(String name, TreeSet<Provides> provides, String commandLine, String kernel, String initrd) {
        KernelFiles {
            require(NAME.matcher(name).matches(), "kernel name '" + name + "'");
            require(HEX.matcher(kernel).matches() && HEX.matcher(initrd).matches(), "digests of kernel '" + name + "'");
        }
    }

    Manifest {
        kernels = List.copyOf(kernels);
        labels = java.util.Collections.unmodifiableMap(new TreeMap<>(labels));
        require(NAME.matcher(name).matches(), "name '" + name + "'");
        require(labels.values().stream().allMatch(l -> PRINTABLE.matcher(l).matches()), "labels");
        require(kernels.isEmpty() == diskBoot.isPresent(), "neither kernels nor a disk that boots itself, or both");
        require(kernels.stream().map(KernelFiles::name).distinct().count() == kernels.size(), "kernel names");
    }

    /** The image whose files lie, or will lie, in a directory. */
    Image image(Path directory, String as, String tag, Origin origin) {
        return new Image(
                as,
                tag,
                digest(),
                directory.resolve(NewImage.DISK),
                disk.format(),
                disk.virtualBytes(),
                boots(directory),
                origin.created());
    }

    private List<? extends Boot> boots(Path directory) {
        return diskBoot.isPresent()
                ? List.of(diskBoot.get())
                : kernels.stream()
                        .map(k -> new Kernel(
                                k.name(),
                                kernel(directory, k.name()),
                                initrd(directory, k.name()),
                                k.commandLine(),
                                k.provides()))
                        .toList();
    }

    static Path kernel(Path directory, String name) {
        return directory.resolve(NewImage.KERNELS).resolve(name).resolve("kernel");
    }

    static Path initrd(Path directory, String name) {
        return directory.resolve(NewImage.KERNELS).resolve(name).resolve("initrd");
    }

    byte[] render() {
        StringBuilder out = new StringBuilder();
        out.append("format: ").append(FORMAT).append('\n');
        out.append("name: ").append(quoted(name)).append('\n');
        out.append("guest: ").append(quoted(GUEST)).append('\n');
        out.append("labels:").append(labels.isEmpty() ? " {}\n" : "\n");
        labels.forEach((key, value) -> out.append("  ")
                .append(quoted(key))
                .append(": ")
                .append(quoted(value))
                .append('\n'));
        diskBoot.ifPresent(boot -> out.append("boot: ")
                .append(quoted(DISK_BOOT))
                .append("\nprovides: ")
                .append(words(boot.provides()))
                .append('\n'));
        out.append(kernels.isEmpty() ? "" : "kernels:\n");
        for (KernelFiles k : kernels) {
            out.append("  - name: ").append(quoted(k.name())).append('\n');
            out.append("    provides: ").append(words(k.provides())).append('\n');
            out.append("    command-line: ").append(quoted(k.commandLine())).append('\n');
            out.append("    kernel: ").append(quoted(k.kernel())).append('\n');
            out.append("    initrd: ").append(quoted(k.initrd())).append('\n');
        }
        out.append("disk:\n");
        out.append("  format: ").append(quoted(disk.format())).append('\n');
        out.append("  bytes: ").append(disk.bytes()).append('\n');
        out.append("  virtual-bytes: ").append(disk.virtualBytes()).append('\n');
        out.append("  chunk-bytes: ").append(ChunkDigests.CHUNK_BYTES).append('\n');
        out.append("  chunks:\n");
        disk.chunks()
                .forEach(chunk -> out.append("    - ").append(quoted(chunk)).append('\n'));
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String words(Set<Provides> provides) {
        return new TreeSet<>(provides).stream().map(p -> quoted(p.word())).collect(Collectors.joining(", ", "[", "]"));
    }

    /** {@code sha256:} and 64 hexadecimal digits. */
    String digest() {
        return "sha256:" + ChunkDigests.whole(render());
    }

    /** @throws VseException IMAGE_CORRUPT unless the bytes are exactly what {@link #render} writes */
    static Manifest parse(byte[] bytes) {
        try {
            YAMLFactory factory = YAMLFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build();
            JsonNode root = new YAMLMapper(factory).readTree(new String(bytes, StandardCharsets.UTF_8));
            require(
                    root.path("format").asInt() == FORMAT,
                    "format '" + root.path("format").asText() + "'");
            Manifest manifest = new Manifest(
                    text(root, "name"),
                    disk(root.path("disk")),
                    kernels(root),
                    diskBoot(root),
                    labels(root.path("labels")));
            require(java.util.Arrays.equals(bytes, manifest.render()), "text that is not canonical");
            return manifest;
        } catch (JsonProcessingException e) {
            throw VseException.of(ErrorCode.IMAGE_CORRUPT, "an image manifest is not YAML")
                    .fact("reason", String.valueOf(e.getOriginalMessage()))
                    .because(e);
        }
    }

    private static Disk disk(JsonNode disk) {
        require(disk.path("chunk-bytes").asInt() == ChunkDigests.CHUNK_BYTES, "chunk size");
        List<String> chunks = new ArrayList<>();
        disk.path("chunks").forEach(chunk -> chunks.add(chunk.asText()));
        return new Disk(
                text(disk, "format"),
                disk.path("bytes").asLong(),
                disk.path("virtual-bytes").asLong(),
                chunks);
    }

    private static List<KernelFiles> kernels(JsonNode root) {
        List<KernelFiles> kernels = new ArrayList<>();
        for (JsonNode kernel : root.path("kernels")) {
            kernels.add(new KernelFiles(
                    text(kernel, "name"),
                    provides(kernel),
                    text(kernel, "command-line"),
                    text(kernel, "kernel"),
                    text(kernel, "initrd")));
        }
        return kernels;
    }

    private static Optional<DiskBoot> diskBoot(JsonNode root) {
        if (!root.has("boot")) {
            return Optional.empty();
        }
        require(text(root, "boot").equals(DISK_BOOT), "boot '" + text(root, "boot") + "'");
        return Optional.of(new DiskBoot(provides(root)));
    }

    private static TreeSet<Provides> provides(JsonNode node) {
        TreeSet<Provides> provides = new TreeSet<>();
        node.path("provides")
                .forEach(word -> provides.add(Provides.of(word.asText())
                        .orElseThrow(() -> corrupt("what provides '" + word.asText() + "'"))));
        return provides;
    }

    private static Map<String, String> labels(JsonNode node) {
        Map<String, String> labels = new TreeMap<>();
        node.properties()
                .forEach(entry -> labels.put(entry.getKey(), entry.getValue().asText()));
        return labels;
    }

    private static String text(JsonNode node, String key) {
        require(node.path(key).isTextual(), "no '" + key + "'");
        return node.path(key).asText();
    }

    /** A double-quoted YAML scalar (YAML 1.1, 5.7) in ASCII. */
    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            if (c == '"' || c == '\\') {
                out.append('\\').append((char) c);
            } else if (c >= ' ' && c <= '~') {
                out.append((char) c);
            } else {
                out.append(String.format(c > 0xffff ? "\\U%08X" : "\\u%04X", c));
            }
        });
        return out.append('"').toString();
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw corrupt(what);
        }
    }

    private static VseException corrupt(String what) {
        return VseException.of(ErrorCode.IMAGE_CORRUPT, "an image manifest has a wrong content: " + what);
    }
}

package org.vse.imagestore;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a built image has inside, file by file and package by package, kept beside the image so that two builds can be
 * compared without opening either disk. It is no part of the image's identity.
 *
 * @param files type, mode, owner and SHA-256 or target of every path of the guest
 * @param packages version of every Debian package
 */
public record ImageContents(Map<String, String> files, Map<String, String> packages) {
    static final String FILE = "contents.txt";
    private static final int MAX_BYTES = 64 << 20;

    public ImageContents {
        files = new TreeMap<>(files);
        packages = new TreeMap<>(packages);
    }

    /** Looks at a root directory, without following links, and writes down what it has. */
    public static void write(Path root, Path image) throws IOException {
        StringBuilder text = new StringBuilder();
        packages(root)
                .forEach((name, version) -> text.append("package\t")
                        .append(escaped(name))
                        .append('\t')
                        .append(escaped(version))
                        .append('\n'));
        TreeMap<String, String> found = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                found.put("/" + root.relativize(path), describe(path));
            }
        }
        found.forEach((path, what) -> text.append("file\t")
                .append(escaped(path))
                .append('\t')
                .append(what)
                .append('\n'));
        Path file = Files.writeString(image.resolve(FILE), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }

    private static String describe(Path path) throws IOException {
        Map<String, Object> seen = Files.readAttributes(path, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
        String mode = seen.get("mode") instanceof Integer bits ? Integer.toOctalString(bits) : "?";
        String owner = mode + " " + seen.get("uid") + ":" + seen.get("gid");
        if (Files.isSymbolicLink(path)) {
            return owner + " -> " + escaped(Files.readSymbolicLink(path).toString());
        }
        return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) ? owner + " " + ChunkDigests.whole(path) : owner;
    }

    /** From dpkg's own record; nothing when the guest has none. */
    private static Map<String, String> packages(Path root) throws IOException {
        Path status = root.resolve("var/lib/dpkg/status");
        Map<String, String> packages = new LinkedHashMap<>();
        if (!Files.isRegularFile(status, LinkOption.NOFOLLOW_LINKS)) {
            return packages;
        }
        String name = "";
        for (String line : Files.readAllLines(status, StandardCharsets.UTF_8)) {
            if (line.startsWith("Package: ")) {
                name = line.substring("Package: ".length());
            } else if (line.startsWith("Version: ")) {
                packages.put(name, line.substring("Version: ".length()));
            }
        }
        return packages;
    }

    /** Of an image's directory; empty for an image that was not built. */
    static Optional<ImageContents> read(Path image) throws IOException {
        Optional<String> text = StoreFiles.readSmall(image.resolve(FILE), MAX_BYTES);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        Map<String, String> files = new TreeMap<>();
        Map<String, String> packages = new TreeMap<>();
        text.get()
                .lines()
                .map(line -> line.split("\t", 3))
                .filter(cells -> cells.length == 3)
                .forEach(cells -> {
                    if (cells[0].equals("file")) {
                        files.put(cells[1], cells[2]);
                    } else {
                        packages.put(cells[1], cells[2]);
                    }
                });
        return Optional.of(new ImageContents(files, packages));
    }

    private static String escaped(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}

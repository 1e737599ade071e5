package org.vse.imagestore;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The directories of a store's images: what is in them, and whether it is what their digests say. */
final class ImageDirectories {
    private static final Pattern DIRECTORY = Pattern.compile("sha256-[0-9a-f]{64}");

    private final Path root;

    ImageDirectories(Path root) {
        this.root = root;
    }

    Path of(String digest) {
        return root.resolve("images").resolve(digest.replace(':', '-'));
    }

    boolean has(String digest) {
        return Files.exists(of(digest), LinkOption.NOFOLLOW_LINKS);
    }

    /** The digests of all images, tagged or not, sorted. */
    List<String> digests() throws IOException {
        List<String> digests = new ArrayList<>();
        if (Files.isDirectory(root.resolve("images"))) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve("images"))) {
                for (Path entry : entries) {
                    String name = String.valueOf(entry.getFileName());
                    if (DIRECTORY.matcher(name).matches()) {
                        digests.add(name.replace('-', ':'));
                    }
                }
            }
        }
        digests.sort(Comparator.naturalOrder());
        return digests;
    }

    /** @throws VseException IMAGE_CORRUPT unless it is there and has that digest */
    Manifest manifest(String digest) throws IOException {
        Path directory = of(digest);
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw corrupt(digest, "its directory is missing or not a directory").fact("path", directory);
        }
        Path file = directory.resolve("manifest.yaml");
        byte[] bytes = StoreFiles.readSmall(file, Manifest.MAX_BYTES)
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .orElseThrow(() -> corrupt(digest, "it has no manifest").fact("file", file));
        if (!digest.equals("sha256:" + ChunkDigests.whole(bytes))) {
            throw corrupt(digest, "its manifest differs from its digest").fact("file", file);
        }
        return Manifest.parse(bytes);
    }

    /** The image under a name and a tag; its files are there and have their sizes. */
    Image load(String digest, String name, String tag) throws IOException {
        Path directory = of(digest);
        Manifest manifest = manifest(digest);
        for (Path file : files(directory, manifest)) {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                throw corrupt(digest, "a file is missing or not a regular file").fact("file", file);
            }
        }
        Path disk = directory.resolve(NewImage.DISK);
        if (Files.size(disk) != manifest.disk().bytes()) {
            throw corrupt(digest, "its disk has the wrong size")
                    .fact("file", disk)
                    .fact("expected", manifest.disk().bytes())
                    .fact("found", Files.size(disk));
        }
        Origin origin = StoreFiles.readSmall(directory.resolve("origin.yaml"), 1 << 16)
                .flatMap(Origin::parse)
                .orElseThrow(() -> corrupt(digest, "it does not say when it was made")
                        .fact("file", directory.resolve("origin.yaml")));
        return manifest.image(directory, name, tag, origin);
    }

    /** Compares every byte with its digest. */
    void check(String digest) throws IOException {
        check(of(digest), manifest(digest));
    }

    /** The same for a directory that is not in its place yet. */
    static void check(Path directory, Manifest manifest) throws IOException {
        Path disk = directory.resolve(NewImage.DISK);
        OptionalInt differs = ChunkDigests.firstDifference(disk, manifest.disk().chunks());
        if (differs.isPresent()) {
            throw corrupt(manifest.digest(), "chunk " + differs.getAsInt() + " of its disk differs from its digest")
                    .fact("file", disk)
                    .fact("offset", (long) differs.getAsInt() * ChunkDigests.CHUNK_BYTES);
        }
        for (Manifest.KernelFiles kernel : manifest.kernels()) {
            check(manifest, Manifest.kernel(directory, kernel.name()), kernel.kernel());
            check(manifest, Manifest.initrd(directory, kernel.name()), kernel.initrd());
        }
    }

    private static void check(Manifest manifest, Path file, String expected) throws IOException {
        if (!ChunkDigests.whole(file).equals(expected)) {
            throw corrupt(manifest.digest(), "a kernel file differs from its digest")
                    .fact("file", file);
        }
    }

    Stamp stamp(String digest) throws IOException {
        return stamp(of(digest), manifest(digest));
    }

    static Stamp stamp(Path directory, Manifest manifest) throws IOException {
        return Stamp.of(directory, files(directory, manifest));
    }

    /** The files that an image must have. */
    static List<Path> files(Path directory, Manifest manifest) {
        List<Path> files = new ArrayList<>();
        files.add(directory.resolve("manifest.yaml"));
        files.add(directory.resolve("origin.yaml"));
        files.add(directory.resolve(NewImage.DISK));
        for (Manifest.KernelFiles kernel : manifest.kernels()) {
            files.add(Manifest.kernel(directory, kernel.name()));
            files.add(Manifest.initrd(directory, kernel.name()));
        }
        return files;
    }

    static VseException corrupt(String digest, String what) {
        return VseException.of(ErrorCode.IMAGE_CORRUPT, "image '" + digest + "' is damaged: " + what)
                .next("build or import the image again, or: vse image rm " + digest);
    }
}

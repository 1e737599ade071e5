package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The tags of a store: one small file each, which appears, changes and disappears by one rename. */
final class ImageTags {
    private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

    private final Path directory;
    private final StoreFiles files;

    ImageTags(Path root, StoreFiles files) {
        this.directory = root.resolve("tags");
        this.files = files;
    }

    /** All of them as {@code NAME:TAG}, sorted. Files whose names are no tags are no tags. */
    List<String> all() throws IOException {
        List<String> names = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
                for (Path entry : entries) {
                    String name = String.valueOf(entry.getFileName());
                    if (name.indexOf(':') > 0 && ImageStore.TAGGED.matcher(name).matches()) {
                        names.add(name);
                    }
                }
            }
        }
        names.sort(Comparator.naturalOrder());
        return names;
    }

    /** All that point to an image, sorted. */
    List<String> of(String digest) throws IOException {
        List<String> names = new ArrayList<>();
        for (String tagged : all()) {
            if (read(tagged).equals(Optional.of(digest))) {
                names.add(tagged);
            }
        }
        return names;
    }

    /** The digest of the image that a tag points to. */
    Optional<String> read(String tagged) throws IOException {
        Path file = directory.resolve(tagged);
        Optional<String> digest = StoreFiles.readSmall(file, 128).map(String::strip);
        if (digest.isPresent() && !DIGEST.matcher(digest.get()).matches()) {
            throw VseException.of(ErrorCode.IMAGE_CORRUPT, "tag '" + tagged + "' does not name an image")
                    .fact("file", file)
                    .next("vse image rm " + tagged);
        }
        return digest;
    }

    /** @throws VseException IMAGE_EXISTS when the tag points to another image and must not be moved */
    void requireFree(String tagged, String digest, Retag retag) throws IOException {
        Optional<String> now = retag == Retag.MOVE ? Optional.empty() : read(tagged);
        if (now.isPresent() && !now.get().equals(digest)) {
            throw VseException.of(ErrorCode.IMAGE_EXISTS, "tag '" + tagged + "' points to another image")
                    .fact("it is", now.get())
                    .fact("it would be", digest)
                    .next(
                            "choose another tag, or move this one with --force; jobs that were admitted keep their image");
        }
    }

    /** Points the tag to an image; the caller holds the store's lock. */
    void set(String tagged, String digest) throws IOException {
        Path written = files.replace(directory.resolve(tagged), digest + "\n");
        assert Files.exists(written);
    }

    /** Removes the tag; the caller holds the store's lock. */
    boolean remove(String tagged) throws IOException {
        boolean was = Files.deleteIfExists(directory.resolve(tagged));
        StoreFiles.force(directory);
        return was;
    }
}

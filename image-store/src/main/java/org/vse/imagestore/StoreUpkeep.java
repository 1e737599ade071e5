package org.vse.imagestore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Looks after one store: moves tags, removes images, verifies all. What jobs use is told by the caller as digests with the
 * jobs' names, and is never removed.
 */
public final class StoreUpkeep {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final ImageStore store;
    private final ImageDirectories directories;
    private final ImageTags tags;

    StoreUpkeep(ImageStore store, ImageDirectories directories, ImageTags tags) {
        this.store = store;
        this.directories = directories;
        this.tags = tags;
    }

    /**
     * What was found of an image or of a tag that leads nowhere.
     *
     * @param digest of the image; empty for a tag without one
     * @param tags that point to it
     * @param damage what is wrong; empty when every byte is as its digest says
     */
    public record Verdict(String digest, List<String> tags, Optional<VseException> damage) {
        public Verdict {
            tags = List.copyOf(tags);
        }
    }

    /**
     * Something that was removed.
     *
     * @param what an image's digest, or a path in the store
     * @param why in a few words
     * @param bytes that it had
     */
    public record Removed(String what, String why, long bytes) {}

    /**
     * What an image is beside what it takes to boot it.
     *
     * @param source recipe, file or source that it was made of
     * @param bytes of all its files
     * @param tags that point to it
     */
    public record Details(Map<String, String> labels, String source, long bytes, List<String> tags) {
        public Details {
            labels = Collections.unmodifiableMap(new TreeMap<>(labels));
            tags = List.copyOf(tags);
        }
    }

    /** @throws VseException IMAGE_CORRUPT, STORAGE_FAILED */
    public static Details details(Image image) {
        Path directory = image.disk().resolveSibling("");
        Path root = directory.resolve("../..").normalize();
        return new ImageStore(root).upkeep().detailsOf(image.digest());
    }

    private Details detailsOf(String digest) {
        return store.io(() -> {
            Path directory = directories.of(digest);
            String source = StoreFiles.readSmall(directory.resolve("origin.yaml"), 1 << 16)
                    .flatMap(Origin::parse)
                    .map(Origin::source)
                    .orElse("");
            return new Details(directories.manifest(digest).labels(), source, bytes(directory), readable(digest));
        });
    }

    /**
     * Copies an image of this store, or of the one beneath, into another store's directory, which is made when it is not
     * there, and gives it its tag there. Other nodes can fetch it from there.
     *
     * @throws VseException IMAGE_EXISTS, IMAGE_SOURCE_FAILED when a byte is not as the digest says, DISK_FULL,
     *     STORAGE_FAILED
     */
    public Image export(Image image, Path directory, Retag retag) {
        Path from = image.disk().resolveSibling("../..").normalize();
        return pull(
                new DirectorySource(from), image.digest(), image.name(), image.tag(), new ImageStore(directory), retag);
    }

    /**
     * Brings the image of a tag from a source into this store, where the same tag points to it then.
     *
     * @param tagged {@code NAME} or {@code NAME:TAG}
     * @throws VseException IMAGE_UNKNOWN, IMAGE_EXISTS, IMAGE_SOURCE_FAILED, DISK_FULL, STORAGE_FAILED
     */
    public Image pull(ImageSource source, String tagged, Retag retag) {
        Matcher wanted = ImageStore.TAGGED.matcher(tagged);
        if (!wanted.matches()) {
            throw VseException.of(ErrorCode.USAGE, "'" + tagged + "' is no tag").fact("expected", "NAME or NAME:TAG");
        }
        String tag = Optional.ofNullable(wanted.group(2)).orElse(ImageStore.DEFAULT_TAG);
        String digest = source.digest(wanted.group(1) + ":" + tag)
                .orElseThrow(() -> VseException.of(
                                ErrorCode.IMAGE_UNKNOWN,
                                "image source '" + source.name() + "' has no image '" + tagged + "'")
                        .next("vse image ls there"));
        return pull(source, digest, wanted.group(1), tag, store, retag);
    }

    private static Image pull(
            ImageSource source, String digest, String name, String tag, ImageStore into, Retag retag) {
        String tagged = tag.isEmpty() ? digest : name + ":" + tag;
        if (!tag.isEmpty()) {
            into.io(() -> {
                into.tags().requireFree(tagged, digest, retag);
                return tagged;
            });
        }
        Image image = new ImageTransfer(into, List.of(source), PATIENCE).bring(digest, bytes -> {});
        return tag.isEmpty() ? image : into.upkeep().tag(digest, tagged, retag);
    }

    /**
     * Points a tag to an image of this store.
     *
     * @param tagged {@code NAME:TAG}, or {@code NAME} for {@code NAME:latest}
     * @throws VseException IMAGE_UNKNOWN, IMAGE_EXISTS, USAGE when {@code tagged} is no tag, IMAGE_CORRUPT, STORAGE_FAILED
     */
    public Image tag(String reference, String tagged, Retag retag) {
        Matcher wanted = ImageStore.TAGGED.matcher(tagged);
        if (!wanted.matches()) {
            throw VseException.of(ErrorCode.USAGE, "'" + tagged + "' is no tag")
                    .fact("expected", "NAME:TAG of a-z, 0-9, '.', '_' and '-'");
        }
        String name = wanted.group(1);
        String tag = Optional.ofNullable(wanted.group(2)).orElse(ImageStore.DEFAULT_TAG);
        Image image = store.resolve(reference);
        return store.io(() -> {
            requireOwn(reference, image.digest());
            store.prepare();
            return store.locked(() -> {
                tags.requireFree(name + ":" + tag, image.digest(), retag);
                tags.set(name + ":" + tag, image.digest());
                return directories.load(image.digest(), name, tag);
            });
        });
    }

    /**
     * Removes a tag, and the image when that was its last one; or, by its digest, an image with all its tags. A damaged
     * image or tag is removed like any other.
     *
     * @param inUse names of jobs by the digest of their image
     * @return the tags and images that are gone
     * @throws VseException IMAGE_UNKNOWN, IMAGE_IN_USE, STORAGE_FAILED
     */
    public List<Removed> remove(String reference, Map<String, List<String>> inUse) {
        Matcher digested = ImageStore.DIGESTED.matcher(reference);
        Matcher tagged = ImageStore.TAGGED.matcher(reference);
        if (digested.matches()) {
            return store.io(() -> {
                requireOwn(reference, digested.group(2));
                return store.locked(() -> removeImage(digested.group(2), inUse, "asked for"));
            });
        }
        if (!tagged.matches()) {
            throw store.unknown(reference);
        }
        String tag =
                tagged.group(1) + ":" + Optional.ofNullable(tagged.group(2)).orElse(ImageStore.DEFAULT_TAG);
        return store.io(() -> {
            if (!tags.all().contains(tag)) {
                throw store.unknown(reference);
            }
            return store.locked(() -> removeTag(tag, inUse));
        });
    }

    private List<Removed> removeTag(String tag, Map<String, List<String>> inUse) throws IOException {
        Optional<String> digest = Optional.empty();
        try {
            digest = tags.read(tag);
        } catch (VseException e) {
            if (e.code() != ErrorCode.IMAGE_CORRUPT) {
                throw e;
            }
        }
        if (digest.isPresent()
                && directories.has(digest.get())
                && readable(digest.get()).equals(List.of(tag))) {
            return removeImage(digest.get(), inUse, "asked for");
        }
        return tags.remove(tag) ? List.of(new Removed(tag, "asked for", 0)) : List.of();
    }

    private List<Removed> removeImage(String digest, Map<String, List<String>> inUse, String why) throws IOException {
        List<String> jobs = inUse.getOrDefault(digest, List.of());
        if (!jobs.isEmpty()) {
            throw VseException.of(ErrorCode.IMAGE_IN_USE, "image '" + digest + "' is in use")
                    .fact("jobs", String.join(", ", jobs))
                    .next("vse job ls");
        }
        List<Removed> removed = new ArrayList<>();
        for (String tag : readable(digest)) {
            if (tags.remove(tag)) {
                removed.add(new Removed(tag, why, 0));
            }
        }
        removed.add(discard(directories.of(digest), digest, why));
        Files.deleteIfExists(store.stampFile(digest));
        Files.deleteIfExists(store.cachedFile(digest));
        return removed;
    }

    /** Removes an image of the cache; the caller holds the store's lock and knows that no job uses it. */
    Removed evict(String digest) throws IOException {
        List<Removed> removed = removeImage(digest, Map.of(), "evicted");
        return removed.get(removed.size() - 1);
    }

    /**
     * Removes what nobody can name: images without a tag that no job uses, what is left of fetches that nobody goes on
     * with, and what crashed writers left.
     *
     * @param cached whether images that the node's cache fetched go too
     */
    public List<Removed> gc(Map<String, List<String>> inUse, boolean cached) {
        return store.io(() -> {
            List<Removed> removed = new ArrayList<>();
            store.prepare();
            store.locked(() -> {
                for (String digest : directories.digests()) {
                    boolean fetched = Files.exists(store.cachedFile(digest), LinkOption.NOFOLLOW_LINKS);
                    if (!inUse.containsKey(digest) && readable(digest).isEmpty() && (cached || !fetched)) {
                        removed.addAll(removeImage(digest, inUse, fetched ? "cached" : "has no tag"));
                    }
                }
                removed.addAll(partial());
                removed.addAll(orphans("verified"));
                removed.addAll(orphans("cached"));
                for (Path note : DifferenceCache.stale(store)) {
                    removed.add(discard(note, store.root().relativize(note).toString(), "has no image"));
                }
                return removed;
            });
            store.stage().close();
            return List.copyOf(removed);
        });
    }

    private List<Removed> partial() throws IOException {
        List<Removed> removed = new ArrayList<>();
        for (Path entry : entries("partial")) {
            if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                Path lock = entry.resolveSibling(entry.getFileName() + ".lock");
                try (FileChannel channel = FileChannel.open(
                        lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
                    FileLock free = channel.tryLock();
                    if (free != null) {
                        removed.add(
                                discard(entry, store.root().relativize(entry).toString(), "fetched in part"));
                    }
                } catch (OverlappingFileLockException beingFetchedHere) {
                    assert Files.isDirectory(entry);
                }
            }
        }
        return removed;
    }

    private List<Removed> orphans(String directory) throws IOException {
        List<Removed> removed = new ArrayList<>();
        for (Path entry : entries(directory)) {
            if (!directories.has(String.valueOf(entry.getFileName()).replace('-', ':'))) {
                removed.add(discard(entry, store.root().relativize(entry).toString(), "has no image"));
            }
        }
        return removed;
    }

    private List<Path> entries(String directory) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream =
                Files.newDirectoryStream(store.root().resolve(directory))) {
            stream.forEach(entries::add);
        }
        return entries;
    }

    /** By one rename first, so that nobody ever sees half of it. */
    private Removed discard(Path path, String what, String why) throws IOException {
        long bytes = bytes(path);
        Path aside = store.root().resolve("incoming").resolve(UUID.randomUUID().toString());
        Files.move(path, aside, StandardCopyOption.ATOMIC_MOVE);
        if (Files.isDirectory(aside, LinkOption.NOFOLLOW_LINKS)) {
            Staging.removeTree(aside);
        } else {
            Files.delete(aside);
        }
        return new Removed(what, why, bytes);
    }

    static long bytes(Path path) throws IOException {
        long bytes = 0;
        try (Stream<Path> paths = Files.walk(path)) {
            for (Path each : (Iterable<Path>) paths::iterator) {
                bytes += Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS) ? Files.size(each) : 0;
            }
        }
        return bytes;
    }

    /** Hashes every image of this store, and looks where every tag leads. */
    public List<Verdict> verifyAll() {
        return store.io(() -> {
            List<Verdict> verdicts = new ArrayList<>();
            for (String digest : directories.digests()) {
                verdicts.add(new Verdict(digest, readable(digest), damage(digest)));
            }
            for (String tag : tags.all()) {
                try {
                    Optional<String> digest = tags.read(tag);
                    if (digest.isPresent() && !directories.has(digest.get())) {
                        VseException missing = ImageDirectories.corrupt(digest.get(), "its directory is missing");
                        verdicts.add(new Verdict(digest.get(), List.of(tag), Optional.of(missing)));
                    }
                } catch (VseException e) {
                    verdicts.add(new Verdict("", List.of(tag), Optional.of(e)));
                }
            }
            return List.copyOf(verdicts);
        });
    }

    private Optional<VseException> damage(String digest) throws IOException {
        try {
            store.verify(directories.load(digest, directories.manifest(digest).name(), ""));
            return Optional.empty();
        } catch (VseException e) {
            if (e.code() != ErrorCode.IMAGE_CORRUPT) {
                throw e;
            }
            return Optional.of(e);
        }
    }

    /** The tags of an image, those left out that cannot be read. */
    private List<String> readable(String digest) throws IOException {
        List<String> found = new ArrayList<>();
        for (String tag : tags.all()) {
            try {
                if (tags.read(tag).equals(Optional.of(digest))) {
                    found.add(tag);
                }
            } catch (VseException e) {
                if (e.code() != ErrorCode.IMAGE_CORRUPT) {
                    throw e;
                }
            }
        }
        return found;
    }

    private void requireOwn(String reference, String digest) {
        if (!directories.has(digest)) {
            throw store.unknown(reference)
                    .fact("store", store.root())
                    .fact("only in", "this store; images of a store beneath belong to its owner");
        }
    }
}

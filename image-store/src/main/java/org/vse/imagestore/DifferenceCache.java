package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A node's images that were made for jobs: each of an image and a difference. They are made once however many jobs wait, have
 * no tag, and are kept as long as there is {@linkplain CacheRoom room}.
 *
 * <p>{@code differences/HEX} in the store says which image a difference is: its digest, that of the base, the lines.
 */
public final class DifferenceCache {
    static final String DIRECTORY = "differences";

    private static final Pattern ENTRY = Pattern.compile("[0-9a-f]{64}");
    private static final int MOST_BYTES = 1 << 20;
    private static final String ADDITIVE = "additive";
    private static final String WHOLE = "whole";

    private final ImageStore store;
    private final CacheRoom room;
    private final Nearest nearest;
    private final Map<String, ReentrantLock> building = new ConcurrentHashMap<>();

    /**
     * Takes what it works with.
     *
     * @param room the same for all that is kept in the store
     * @param nearest what differences are built on
     */
    public DifferenceCache(ImageStore store, CacheRoom room, Nearest nearest) {
        this.store = store;
        this.room = room;
        this.nearest = nearest;
    }

    /** Makes an image. */
    @FunctionalInterface
    public interface Build {
        /**
         * Makes it and puts it into the store by {@link #keep}.
         *
         * @param start what to begin with, and which lines it has
         */
        Image make(Nearest.Start start);
    }

    /**
     * The image of a difference, made when it is not there. Of several that ask at once one makes it, the others wait; when
     * that one fails, the next one tries.
     *
     * @param taken gets the image and notes who uses it; until it returns the image is not evicted
     * @throws VseException STEP_INTERRUPTED while it waits for another, IMAGE_CORRUPT, STORAGE_FAILED; what the build throws
     */
    public Image obtain(Wanted wanted, Image base, Build build, Consumer<Image> taken) {
        String key = wanted.key();
        ReentrantLock lock = building.computeIfAbsent(key, none -> new ReentrantLock(true));
        try {
            lock.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(
                            ErrorCode.STEP_INTERRUPTED, "interrupted while another job builds the same difference")
                    .because(e);
        }
        String digest = "";
        try {
            Optional<Image> there = kept(key).map(Nearest.Kept::image);
            Image image = there.isPresent() ? there.get() : build.make(nearest.to(wanted, base, keptOf(base.digest())));
            digest = image.digest();
            room.hold(digest);
            note(key, wanted, digest);
            room.used(digest);
            taken.accept(image);
            return image;
        } finally {
            room.release(digest);
            lock.unlock();
        }
    }

    /** Whether the difference is there. */
    public boolean has(Wanted wanted) {
        return kept(wanted.key()).isPresent();
    }

    /**
     * Adds an image without a tag, kept by {@link #obtain} alone.
     *
     * @throws VseException DISK_FULL when it does not fit the node's cache, STORAGE_FAILED
     */
    public Image keep(Staging staging, NewImage image) {
        return store.io(() -> {
            Path tree = staging.directory();
            Manifest manifest = image.manifestOf(tree);
            ImageStore.prepare(tree, manifest, image.origin());
            String digest = manifest.digest();
            room.make(digest, StoreUpkeep.bytes(tree));
            room.hold(digest);
            try {
                return store.locked(() -> {
                    room.mark(digest);
                    store.install(tree, manifest);
                    return store.directories().load(digest, image.name(), "");
                });
            } finally {
                room.arrived(digest);
            }
        });
    }

    private void note(String key, Wanted wanted, String digest) {
        List<String> text = new ArrayList<>(List.of(digest, wanted.base(), wanted.additive() ? ADDITIVE : WHOLE));
        text.addAll(wanted.lines());
        store.io(() -> {
            Path file = store.root().resolve(DIRECTORY).resolve(key);
            new StoreFiles(store.root()).replace(file, String.join("\n", text) + "\n");
            return file;
        });
    }

    private List<Nearest.Kept> keptOf(String base) {
        return store.io(() -> {
            List<Nearest.Kept> all = new ArrayList<>();
            for (String key : keys(store.root())) {
                kept(key).filter(kept -> kept.wanted().base().equals(base)).ifPresent(all::add);
            }
            return all;
        });
    }

    /** Empty unless both the note and its image are there. */
    private Optional<Nearest.Kept> kept(String key) {
        return store.io(() -> {
            List<String> lines = read(store.root(), key);
            if (lines.size() < 4 || !store.directories().has(lines.get(0))) {
                return Optional.<Nearest.Kept>empty();
            }
            Wanted wanted = new Wanted(
                    lines.get(1), lines.subList(3, lines.size()), lines.get(2).equals(ADDITIVE));
            return wanted.key().equals(key)
                    ? store.byDigest(lines.get(0)).map(image -> new Nearest.Kept(wanted, image))
                    : Optional.<Nearest.Kept>empty();
        });
    }

    /** Notes of images that are not there any more. */
    static List<Path> stale(ImageStore store) throws IOException {
        List<Path> stale = new ArrayList<>();
        for (String key : keys(store.root())) {
            List<String> lines = read(store.root(), key);
            if (lines.isEmpty() || !store.directories().has(lines.get(0))) {
                stale.add(store.root().resolve(DIRECTORY).resolve(key));
            }
        }
        return stale;
    }

    private static List<String> read(Path root, String key) throws IOException {
        return StoreFiles.readSmall(root.resolve(DIRECTORY).resolve(key), MOST_BYTES)
                .map(text -> text.lines().toList())
                .orElse(List.of());
    }

    private static List<String> keys(Path root) throws IOException {
        List<String> keys = new ArrayList<>();
        if (!Files.isDirectory(root.resolve(DIRECTORY), LinkOption.NOFOLLOW_LINKS)) {
            return keys;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve(DIRECTORY))) {
            for (Path entry : entries) {
                String name = String.valueOf(entry.getFileName());
                if (ENTRY.matcher(name).matches()) {
                    keys.add(name);
                }
            }
        } catch (NoSuchFileException e) {
            return keys;
        }
        return keys;
    }
}

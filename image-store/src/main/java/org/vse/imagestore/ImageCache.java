package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A node's images from elsewhere: fetched when a job needs them, kept as long as their bytes fit a budget. When they do not,
 * those go first that no job has used for the longest time. What jobs use, and what has a tag here, stays.
 */
public final class ImageCache {
    private final ImageStore store;
    private final ImageTransfer transfer;
    private final long budgetBytes;
    private final Supplier<Set<String>> inUse;
    private final Clock clock;
    private final Map<String, Long> arriving = new ConcurrentHashMap<>();

    /**
     * Takes what it works with.
     *
     * @param budgetBytes that fetched images may take together
     * @param inUse digests of the images of jobs that have not ended; asked whenever room is to be made
     */
    public ImageCache(
            ImageStore store, ImageTransfer transfer, long budgetBytes, Supplier<Set<String>> inUse, Clock clock) {
        this.store = store;
        this.transfer = transfer;
        this.budgetBytes = budgetBytes;
        this.inUse = inUse;
        this.clock = clock;
    }

    /**
     * What a reference means at the sources; nothing is fetched yet.
     *
     * @return empty when they know nothing of it
     * @throws VseException IMAGE_SOURCE_FAILED
     */
    public Optional<Image> announced(String reference) {
        Matcher tagged = ImageStore.TAGGED.matcher(reference);
        if (tagged.matches()) {
            String name = tagged.group(1);
            String tag = Optional.ofNullable(tagged.group(2)).orElse(ImageStore.DEFAULT_TAG);
            return transfer.digest(name + ":" + tag).map(digest -> transfer.announced(digest, name, tag));
        }
        Matcher digested = ImageStore.DIGESTED.matcher(reference);
        if (!digested.matches() || digested.group(1) == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(transfer.announced(digested.group(2), digested.group(1), ""));
        } catch (VseException e) {
            if (e.code() != ErrorCode.IMAGE_UNKNOWN) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /**
     * The image, fetched when it is not here.
     *
     * @throws VseException as {@link ImageTransfer#bring}; DISK_FULL also when it does not fit the budget
     */
    public Image fetch(String digest) {
        Image image = store.byDigest(digest).orElseGet(() -> fetched(digest));
        return store.io(() -> {
            Path mark = store.cachedFile(digest);
            if (Files.isRegularFile(mark, LinkOption.NOFOLLOW_LINKS)) {
                Files.setLastModifiedTime(mark, FileTime.from(clock.instant()));
            }
            return image;
        });
    }

    private Image fetched(String digest) {
        try {
            return transfer.bring(digest, bytes -> makeRoom(digest, bytes), () -> mark(digest));
        } finally {
            arriving.remove(digest);
        }
    }

    /** Before the image is there: a death in between leaves a mark of nothing, never an image that no budget counts. */
    private Path mark(String digest) throws IOException {
        Path mark = store.cachedFile(digest);
        Files.newByteChannel(
                        mark, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS))
                .close();
        return mark;
    }

    private record Held(String digest, long bytes, FileTime used) {}

    private void makeRoom(String wanted, long bytes) {
        store.io(() -> store.locked(() -> {
            Set<String> used = inUse.get();
            List<Held> held = held();
            long coming = arriving.entrySet().stream()
                    .filter(each -> !each.getKey().equals(wanted))
                    .mapToLong(Map.Entry::getValue)
                    .sum();
            long total = coming + held.stream().mapToLong(Held::bytes).sum();
            List<Held> free = held.stream()
                    .filter(each -> !used.contains(each.digest()))
                    .sorted(Comparator.comparing(Held::used))
                    .toList();
            long least = total - free.stream().mapToLong(Held::bytes).sum();
            if (least + bytes > budgetBytes) {
                throw VseException.of(ErrorCode.DISK_FULL, "image '" + wanted + "' does not fit the node's image cache")
                        .fact("its size", mebibytes(bytes))
                        .fact("budget", mebibytes(budgetBytes))
                        .fact("in use by jobs", mebibytes(least))
                        .next("wait for jobs to end, or raise image-cache in vsed.yaml");
            }
            for (Held each : free) {
                if (total + bytes <= budgetBytes) {
                    break;
                }
                store.upkeep().evict(each.digest());
                total -= each.bytes();
            }
            arriving.put(wanted, bytes);
            return total;
        }));
    }

    /** What was fetched and has no tag here. */
    private List<Held> held() throws IOException {
        List<Held> held = new ArrayList<>();
        for (String digest : store.directories().digests()) {
            Path mark = store.cachedFile(digest);
            if (Files.isRegularFile(mark, LinkOption.NOFOLLOW_LINKS)
                    && store.tags().of(digest).isEmpty()) {
                Path directory = store.directories().of(digest);
                held.add(new Held(digest, StoreUpkeep.bytes(directory), Files.getLastModifiedTime(mark)));
            }
        }
        return held;
    }

    private static String mebibytes(long bytes) {
        return -Math.floorDiv(-bytes, 1L << 20) + " MiB";
    }
}

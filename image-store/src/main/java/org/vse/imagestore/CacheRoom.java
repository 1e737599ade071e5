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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The room of a store for images that it can get again: fetched from elsewhere, or made for a job. When they do not fit a
 * budget, those go first that no job has used for the longest time. What jobs use, and what has a tag here, stays.
 */
public final class CacheRoom {
    private final ImageStore store;
    private final long budgetBytes;
    private final Supplier<Set<String>> inUse;
    private final Clock clock;
    private final Map<String, Long> coming = new ConcurrentHashMap<>();
    private final Set<String> held = ConcurrentHashMap.newKeySet();

    /**
     * Takes what it works with.
     *
     * @param budgetBytes that these images may take together
     * @param inUse digests of the images of jobs that have not ended; asked whenever room is to be made
     */
    public CacheRoom(ImageStore store, long budgetBytes, Supplier<Set<String>> inUse, Clock clock) {
        this.store = store;
        this.budgetBytes = budgetBytes;
        this.inUse = inUse;
        this.clock = clock;
    }

    /** Keeps an image until it is let go, whether a job uses it or not. */
    void hold(String digest) {
        held.add(digest);
    }

    void release(String digest) {
        held.remove(digest);
    }

    /** Nothing of that name comes any more, or it is there. */
    void arrived(String what) {
        coming.remove(what);
    }

    /** Notes that a job uses an image now; of one that is not of the cache nothing is noted. */
    void used(String digest) {
        store.io(() -> {
            Path mark = store.cachedFile(digest);
            if (Files.isRegularFile(mark, LinkOption.NOFOLLOW_LINKS)) {
                Files.setLastModifiedTime(mark, FileTime.from(clock.instant()));
            }
            return mark;
        });
    }

    /** Before the image is there: a death in between leaves a mark of nothing, never an image that no budget counts. */
    Path mark(String digest) throws IOException {
        Path mark = store.cachedFile(digest);
        Files.newByteChannel(
                        mark, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS))
                .close();
        return mark;
    }

    private record Held(String digest, long bytes, FileTime used) {}

    /**
     * Makes room.
     *
     * @param wanted what is to come
     * @throws VseException DISK_FULL when it does not fit
     */
    void make(String wanted, long bytes) {
        store.io(() -> store.locked(() -> {
            Set<String> used = inUse.get();
            List<Held> there = there();
            long others = coming.entrySet().stream()
                    .filter(each -> !each.getKey().equals(wanted))
                    .mapToLong(Map.Entry::getValue)
                    .sum();
            long total = others + there.stream().mapToLong(Held::bytes).sum();
            List<Held> free = there.stream()
                    .filter(each -> !used.contains(each.digest()) && !held.contains(each.digest()))
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
            coming.put(wanted, bytes);
            return total;
        }));
    }

    /** What is marked and has no tag here. */
    private List<Held> there() throws IOException {
        List<Held> there = new ArrayList<>();
        for (String digest : store.directories().digests()) {
            Path mark = store.cachedFile(digest);
            if (Files.isRegularFile(mark, LinkOption.NOFOLLOW_LINKS)
                    && store.tags().of(digest).isEmpty()) {
                Path directory = store.directories().of(digest);
                there.add(new Held(digest, StoreUpkeep.bytes(directory), Files.getLastModifiedTime(mark)));
            }
        }
        return there;
    }

    private static String mebibytes(long bytes) {
        return -Math.floorDiv(-bytes, 1L << 20) + " MiB";
    }
}

package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class DifferenceCacheTest {
    @TempDir
    private Path temp;

    private final Set<String> inUse = new HashSet<>();
    private final List<Nearest.Start> starts = new ArrayList<>();
    private ImageStore store;
    private Image base;

    @BeforeEach
    void base() {
        store = new ImageStore(temp.resolve("images"));
        base = ImageFixture.add(store, "debian-12", "latest", new byte[1000]);
    }

    private DifferenceCache cache(long budget, Nearest nearest) {
        return new DifferenceCache(
                store, new CacheRoom(store, budget, () -> Set.copyOf(inUse), Clock.systemUTC()), nearest);
    }

    private Wanted wanted(String... packages) {
        List<String> lines = java.util.Arrays.stream(packages)
                .sorted()
                .map(name -> "package " + name)
                .toList();
        return new Wanted(base.digest(), lines, true);
    }

    private Image obtain(DifferenceCache cache, Wanted wanted, int bytes) {
        return cache.obtain(wanted, base, start -> kept(cache, wanted, start, bytes), image -> {});
    }

    private Image kept(DifferenceCache cache, Wanted wanted, Nearest.Start start, int bytes) {
        synchronized (starts) {
            starts.add(start);
        }
        try (Staging staging = store.stage()) {
            byte[] disk = new byte[bytes];
            disk[0] = (byte) wanted.key().hashCode();
            Files.write(staging.directory().resolve(NewImage.DISK), disk);
            Path kernel = Files.createDirectories(
                    staging.directory().resolve(NewImage.KERNELS).resolve("cloud"));
            Files.writeString(kernel.resolve("kernel"), "k");
            Files.writeString(kernel.resolve("initrd"), "i");
            return cache.keep(
                    staging,
                    new NewImage(
                            "debian-12",
                            "untagged",
                            1L << 30,
                            List.of(new NewImage.NewKernel("cloud", "quiet", Set.of())),
                            Map.of(),
                            new Origin(ImageFixture.CREATED, "difference")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void manyThatWaitGetWhatOneMakes() throws Exception {
        DifferenceCache cache = cache(1 << 20, Nearest.base());
        var threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Image>> jobs = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                jobs.add(() -> obtain(cache, wanted("hello"), 2000));
            }
            Set<String> digests = new HashSet<>();
            for (var done : threads.invokeAll(jobs)) {
                digests.add(done.get().digest());
            }
            assertThat(digests).hasSize(1);
        } finally {
            threads.shutdownNow();
        }
        assertThat(starts).hasSize(1);
        assertThat(cache(1 << 20, Nearest.base()).has(wanted("hello"))).isTrue();
        assertThat(store.list()).extracting(Image::reference).containsExactly("debian-12:latest");
        assertThat(store.upkeep().verifyAll())
                .allMatch(verdict -> verdict.damage().isEmpty());
    }

    @Test
    void whenOneFailsTheNextTries() {
        DifferenceCache cache = cache(1 << 20, Nearest.base());
        AtomicInteger attempts = new AtomicInteger();
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> cache.obtain(
                            wanted("hello"),
                            base,
                            start -> {
                                attempts.incrementAndGet();
                                throw VseException.of(ErrorCode.DIFFERENCE_FAILED, "no");
                            },
                            image -> {}))
                    .isInstanceOf(VseException.class);
        }
        assertThat(attempts).hasValue(2);
        assertThat(cache.has(wanted("hello"))).isFalse();
        assertThat(obtain(cache, wanted("hello"), 2000).tag()).isEmpty();
    }

    @Test
    void theLeastRecentlyUsedGoesFirstAndNoneThatAJobBoots() {
        DifferenceCache cache = cache(100_000, Nearest.base());
        Image used = obtain(cache, wanted("a"), 40_000);
        inUse.add(used.digest());
        Image idle = obtain(cache, wanted("b"), 20_000);
        Image last = obtain(cache, wanted("c"), 40_000);
        assertThat(store.byDigest(used.digest())).isPresent();
        assertThat(store.byDigest(idle.digest())).isEmpty();
        assertThat(cache.has(wanted("b"))).isFalse();
        inUse.add(last.digest());
        assertThatThrownBy(() -> obtain(cache, wanted("d"), 40_000)).hasMessageContaining("does not fit");
        assertThat(store.upkeep().gc(Map.of(), true)).hasSizeGreaterThanOrEqualTo(2);
        assertThat(store.root().resolve("differences").toFile().list()).isEmpty();
    }

    @Test
    void theNearestHasMostOfTheWantedPackagesAndNothingElse() {
        DifferenceCache cache = cache(1 << 20, Nearest.packages());
        obtain(cache, wanted("a"), 1001);
        Image ab = obtain(cache, wanted("a", "b"), 1002);
        obtain(cache, wanted("a", "b", "x"), 1003);
        obtain(cache, new Wanted(base.digest(), List.of("package a", "run true"), false), 1004);
        obtain(cache, wanted("a", "b", "c"), 1005);
        assertThat(starts.get(4).image().digest()).isEqualTo(ab.digest());
        assertThat(starts.get(4).has()).containsExactlyInAnyOrder("package a", "package b");
        assertThat(starts.get(0)).isEqualTo(new Nearest.Start(base, Set.of()));
        obtain(cache, new Wanted(base.digest(), List.of("package -a"), false), 1006);
        assertThat(starts.get(5).image().digest()).isEqualTo(base.digest());
        obtain(cache(1 << 20, Nearest.base()), wanted("a", "b", "d"), 1007);
        assertThat(starts.get(6).image().digest()).isEqualTo(base.digest());
    }
}

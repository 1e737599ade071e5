package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.FaultySource.Fault;

@Timeout(60)
class ImageCacheTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path temp;

    private final Set<String> inUse = new HashSet<>();
    private ImageStore there;
    private ImageStore here;
    private long free = Long.MAX_VALUE;
    private int second;

    @BeforeEach
    void stores() {
        there = new ImageStore(temp.resolve("there"));
        here = new ImageStore(temp.resolve("here"));
    }

    private Image remote(String name, int bytes) {
        byte[] disk = new byte[bytes];
        new Random(name.hashCode()).nextBytes(disk);
        return ImageFixture.add(there, name, "latest", disk);
    }

    private FaultySource good() {
        return new FaultySource(new DirectorySource(there.root()), 0, Fault.NONE);
    }

    private ImageCache cache(long budget, ImageSource... sources) {
        ImageTransfer transfer =
                new ImageTransfer(here, List.of(sources), Duration.ofMillis(500), () -> free, (piece, file) -> {});
        Clock clock = Clock.fixed(Instant.EPOCH.plusSeconds(++second * 10L), ZoneOffset.UTC);
        return new ImageCache(here, transfer, new CacheRoom(here, budget, () -> Set.copyOf(inUse), clock));
    }

    private static VseException fails(Runnable call) {
        VseException e = catchThrowableOfType(VseException.class, call::run);
        assertThat(e).isNotNull();
        return e;
    }

    @Test
    void anImageIsFetchedOnceAndWhole() throws IOException {
        Image image = remote("debian-12", 9 * MIB);
        FaultySource source = good();
        Image fetched = cache(64 * MIB, source).fetch(image.digest());
        assertThat(Files.mismatch(fetched.disk(), image.disk())).isEqualTo(-1);
        assertThat(here.quickVerified(fetched)).isTrue();
        assertThat(fetched.tag()).isEmpty();
        assertThat(source.asked()).hasSize(3 + 4);
        cache(64 * MIB, source).fetch(image.digest());
        assertThat(source.asked()).hasSize(3 + 4);
        assertThat(here.upkeep().verifyAll())
                .hasSize(1)
                .allMatch(v -> v.damage().isEmpty());
    }

    @Test
    void aNameIsLookedUpAtTheSourceAndFetchedByDigest() {
        Image image = remote("debian-12", MIB);
        ImageStore backed = here.backedBy(cache(64 * MIB, good()));
        Image announced = backed.resolve("debian-12");
        assertThat(announced.digest()).isEqualTo(image.digest());
        assertThat(announced.reference()).isEqualTo("debian-12:latest");
        assertThat(announced.disk()).doesNotExist();
        assertThat(backed.resolve("debian-12@" + image.digest()).digest()).isEqualTo(image.digest());
        assertThat(backed.bring(image.digest()).disk())
                .isEqualTo(announced.disk())
                .exists();
        assertThat(fails(() -> backed.resolve("rocky-9")).code()).isEqualTo(ErrorCode.IMAGE_UNKNOWN);
        assertThat(fails(() -> backed.bring("sha256:" + "0".repeat(64))).code()).isEqualTo(ErrorCode.IMAGE_UNKNOWN);
    }

    @Test
    void manyJobsWaitForOneFetch() throws Exception {
        Image image = remote("debian-12", 5 * MIB);
        FaultySource source = good();
        CyclicBarrier together = new CyclicBarrier(6);
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try {
            List<Future<Image>> jobs = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                ImageCache cache = cache(64 * MIB, source);
                jobs.add(threads.submit(() -> {
                    together.await();
                    return cache.fetch(image.digest());
                }));
            }
            for (Future<Image> job : jobs) {
                assertThat(job.get().digest()).isEqualTo(image.digest());
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(source.asked()).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"NONE"},
            mode = EnumSource.Mode.EXCLUDE)
    void aFaultIsNamedAndTheNextFetchGoesOn(Fault fault) {
        Image image = remote("debian-12", 12 * MIB);
        VseException e = fails(() -> cache(64 * MIB, new FaultySource(new DirectorySource(there.root()), 2, fault))
                .fetch(image.digest()));
        assertThat(e.code()).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
        assertThat(here.byDigest(image.digest())).isEmpty();
        assertThat(here.upkeep().verifyAll()).isEmpty();
        FaultySource again = good();
        cache(64 * MIB, again).fetch(image.digest());
        assertThat(again.asked()).extracting(ImageSource.Piece::index).startsWith(2, 0);
        assertThat(here.upkeep().verifyAll())
                .hasSize(1)
                .allMatch(v -> v.damage().isEmpty());
    }

    @Test
    void whatLiesDamagedInPartIsFetchedAgain() throws IOException {
        Image image = remote("debian-12", 12 * MIB);
        fails(() -> cache(64 * MIB, new FaultySource(new DirectorySource(there.root()), 2, Fault.IS_CUT))
                .fetch(image.digest()));
        Path partial = here.root().resolve("partial/" + image.digest().replace(':', '-') + "/disk.qcow2");
        byte[] bytes = Files.readAllBytes(partial);
        bytes[17] ^= 1;
        Files.write(partial, bytes);
        FaultySource again = good();
        Image fetched = cache(64 * MIB, again).fetch(image.digest());
        assertThat(again.asked()).extracting(ImageSource.Piece::index).startsWith(0, 2);
        here.verify(fetched);
    }

    @Test
    void aWrongKernelIsFoundAndASecondSourceAsked() {
        Image image = remote("debian-12", MIB);
        assertThat(fails(() -> cache(
                                        64 * MIB,
                                        new FaultySource(new DirectorySource(there.root()), 1, Fault.FLIPS_A_BIT))
                                .fetch(image.digest()))
                        .what())
                .contains("kernels/cloud/kernel");
        cache(64 * MIB, new FaultySource(new DirectorySource(there.root()), 0, Fault.FLIPS_A_BIT), good())
                .fetch(image.digest());
        assertThat(here.upkeep().verifyAll())
                .hasSize(1)
                .allMatch(v -> v.damage().isEmpty());
    }

    @Test
    void aShortDiskIsRefusedBeforeTheFirstPiece() {
        Image image = remote("debian-12", 9 * MIB);
        free = (64 + 8) * MIB;
        FaultySource source = good();
        VseException e = fails(() -> cache(64 * MIB, source).fetch(image.digest()));
        assertThat(e.code()).isEqualTo(ErrorCode.DISK_FULL);
        assertThat(e.facts()).containsEntry("needed", "73 MiB").containsEntry("free", "72 MiB");
        assertThat(source.asked()).isEmpty();
    }

    @Test
    void theLeastRecentlyUsedGoesAndWhatIsInUseStays() {
        Image a = remote("a", 4 * MIB);
        Image b = remote("b", 4 * MIB);
        Image c = remote("c", 4 * MIB);
        Image d = remote("d", 4 * MIB);
        int budget = 13 * MIB;
        List.of(a, b, c).forEach(image -> cache(budget, good()).fetch(image.digest()));
        cache(budget, good()).fetch(a.digest());
        inUse.add(b.digest());
        cache(budget, good()).fetch(d.digest());
        assertThat(here.byDigest(c.digest()))
                .as("used least recently of those not in use")
                .isEmpty();
        assertThat(here.byDigest(a.digest())).isPresent();
        assertThat(here.byDigest(b.digest())).isPresent();
        inUse.addAll(List.of(a.digest(), d.digest()));
        VseException e = fails(() -> cache(budget, good()).fetch(c.digest()));
        assertThat(e.code()).isEqualTo(ErrorCode.DISK_FULL);
        assertThat(e.facts()).containsEntry("budget", "13 MiB").containsEntry("in use by jobs", "13 MiB");
        assertThat(here.upkeep().verifyAll()).hasSize(3);
    }

    @Test
    void whatHasATagHereIsNotOfTheCache() {
        Image own = ImageFixture.add(here, "own", "latest", new byte[4 * MIB]);
        Image a = remote("a", 4 * MIB);
        cache(5 * MIB, good()).fetch(a.digest());
        here.upkeep().tag(a.digest(), "kept", Retag.REFUSE);
        cache(5 * MIB, good()).fetch(remote("b", 4 * MIB).digest());
        assertThat(here.byDigest(a.digest())).isPresent();
        assertThat(here.byDigest(own.digest())).isPresent();
    }

    @Test
    void noImageAppearsThatTheBudgetDoesNotCount() throws IOException {
        Image image = remote("debian-12", MIB);
        Path inTheWay = Files.createDirectories(here.cachedFile(image.digest()));
        assertThat(fails(() -> cache(64 * MIB, good()).fetch(image.digest())).code())
                .isEqualTo(ErrorCode.STORAGE_FAILED);
        assertThat(here.byDigest(image.digest())).isEmpty();
        Files.delete(inTheWay);
        cache(64 * MIB, good()).fetch(image.digest());
        assertThat(here.cachedFile(image.digest())).isRegularFile();
    }

    @Test
    void whoeverPassesImagesOnHearsOfEveryPiece() {
        Image image = remote("debian-12", 9 * MIB);
        List<String> heard = new ArrayList<>();
        new ImageTransfer(here, List.of(good()), Duration.ofSeconds(5))
                .telling((piece, file) -> {
                    assertThat(file).exists();
                    heard.add(piece.toString());
                })
                .bring(image.digest(), bytes -> assertThat(bytes).isEqualTo(9 * MIB));
        assertThat(heard).startsWith("disk.qcow2 at 0", "disk.qcow2 at 4194304", "disk.qcow2 at 8388608");
    }

    @Test
    void gcLeavesTheCacheAndTakesWhatIsHalfFetched() {
        Image image = remote("debian-12", 9 * MIB);
        Image half = remote("half", 9 * MIB);
        cache(64 * MIB, good()).fetch(image.digest());
        fails(() -> cache(64 * MIB, new FaultySource(new DirectorySource(there.root()), 1, Fault.IS_CUT))
                .fetch(half.digest()));
        assertThat(here.upkeep().gc(Map.of(), false))
                .singleElement()
                .satisfies(removed -> assertThat(removed.why()).isEqualTo("fetched in part"))
                .satisfies(removed -> assertThat(removed.bytes()).isGreaterThanOrEqualTo(4 * MIB));
        assertThat(here.byDigest(image.digest())).isPresent();
        assertThat(here.upkeep().gc(Map.of(image.digest(), List.of("local-1")), true))
                .isEmpty();
        assertThat(here.upkeep().gc(Map.of(), true)).hasSize(1);
        assertThat(here.byDigest(image.digest())).isEmpty();
    }
}

package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.StoreUpkeep.Removed;

class StoreUpkeepTest {
    @TempDir
    Path temp;

    private ImageStore store;

    @BeforeEach
    void open() {
        store = new ImageStore(temp.resolve("images"));
    }

    private Image add(String name, String tag, String disk) {
        return ImageFixture.add(store, name, tag, disk.getBytes(StandardCharsets.UTF_8));
    }

    private static VseException error(ErrorCode code, Runnable call) {
        VseException e = catchThrowableOfType(VseException.class, call::run);
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo(code);
        return e;
    }

    @Test
    void aTagMovesByForceOnly() {
        Image one = add("debian-12", "latest", "one");
        Image two = add("debian-12", "next", "two");
        StoreUpkeep upkeep = store.upkeep();
        assertThat(upkeep.tag("debian-12:next", "debian-12:2026-11", Retag.REFUSE)
                        .digest())
                .isEqualTo(two.digest());
        VseException e = error(ErrorCode.IMAGE_EXISTS, () -> upkeep.tag("debian-12:next", "debian-12", Retag.REFUSE));
        assertThat(e.facts()).containsEntry("it is", one.digest()).containsEntry("it would be", two.digest());
        assertThat(store.resolve("debian-12").digest()).isEqualTo(one.digest());
        upkeep.tag("debian-12", "debian-12:latest", Retag.REFUSE);
        upkeep.tag("debian-12:next", "debian-12", Retag.MOVE);
        assertThat(store.resolve("debian-12").digest()).isEqualTo(two.digest());
        assertThat(store.resolve(one.digest()).digest()).isEqualTo(one.digest());
        error(ErrorCode.IMAGE_UNKNOWN, () -> upkeep.tag("none", "x:y", Retag.MOVE));
        for (String bad : List.of("", "../x", "a/b:c", "A:b", "a:b:c", "a\n")) {
            error(ErrorCode.USAGE, () -> upkeep.tag("debian-12", bad, Retag.MOVE));
        }
    }

    @Test
    void anImageIsAddedUnderAFreeTagOnly() throws IOException {
        Image one = add("debian-12", "latest", "one");
        try (Staging staging = store.stage()) {
            Files.writeString(staging.directory().resolve(NewImage.DISK), "two");
            Path kernel = Files.createDirectories(staging.directory().resolve("kernels/k"));
            Files.writeString(kernel.resolve("kernel"), "k");
            Files.writeString(kernel.resolve("initrd"), "i");
            NewImage.NewKernel boots = new NewImage.NewKernel("k", "quiet", java.util.Set.of());
            NewImage image = new NewImage(
                    "debian-12", "latest", 512, List.of(boots), Map.of(), new Origin(ImageFixture.CREATED, "x"));
            error(ErrorCode.IMAGE_EXISTS, () -> store.publish(staging, image));
        }
        assertThat(store.upkeep().verifyAll()).hasSize(1);
        assertThat(store.resolve("debian-12")).isEqualTo(one);
        assertThat(store.root().resolve("incoming")).isEmptyDirectory();
    }

    @Test
    void theLastTagTakesTheImageWithIt() {
        Image image = add("debian-12", "latest", "one");
        store.upkeep().tag("debian-12", "debian-12:kept", Retag.REFUSE);
        assertThat(store.upkeep().remove("debian-12", Map.of()))
                .extracting(Removed::what)
                .containsExactly("debian-12:latest");
        assertThat(store.byDigest(image.digest())).isPresent();
        assertThat(store.upkeep().remove("debian-12:kept", Map.of()))
                .extracting(Removed::what)
                .containsExactly("debian-12:kept", image.digest());
        assertThat(store.byDigest(image.digest())).isEmpty();
        assertThat(store.root().resolve("verified")).isEmptyDirectory();
        assertThat(store.root().resolve("incoming")).isEmptyDirectory();
        error(ErrorCode.IMAGE_UNKNOWN, () -> store.upkeep().remove("debian-12:kept", Map.of()));
        error(ErrorCode.IMAGE_UNKNOWN, () -> store.upkeep().remove("../../etc", Map.of()));
    }

    @Test
    void whatJobsUseStays() {
        Image image = add("debian-12", "latest", "one");
        Map<String, List<String>> use = Map.of(image.digest(), List.of("local-3", "local-4"));
        assertThat(error(ErrorCode.IMAGE_IN_USE, () -> store.upkeep().remove("debian-12", use))
                        .facts())
                .containsEntry("jobs", "local-3, local-4");
        error(ErrorCode.IMAGE_IN_USE, () -> store.upkeep().remove(image.digest(), use));
        add("debian-12", "latest", "two");
        assertThat(store.upkeep().gc(use, true)).isEmpty();
        assertThat(store.resolve(image.digest()).digest()).isEqualTo(image.digest());
        assertThat(store.upkeep().gc(Map.of(), false))
                .singleElement()
                .satisfies(removed -> assertThat(removed.what()).isEqualTo(image.digest()))
                .satisfies(removed -> assertThat(removed.why()).isEqualTo("has no tag"))
                .satisfies(removed -> assertThat(removed.bytes()).isPositive());
        assertThat(store.list()).hasSize(1);
    }

    @Test
    void whatIsDamagedIsFoundAndCanBeRemoved() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Image good = add("rocky-9", "latest", "good");
        Files.writeString(image.disk(), "dusk");
        Path tags = store.root().resolve("tags");
        Files.writeString(tags.resolve("lost:latest"), "sha256:" + "0".repeat(64) + "\n");
        Files.writeString(tags.resolve("broken:latest"), "../../etc/passwd\n");
        assertThat(store.upkeep().verifyAll())
                .hasSize(4)
                .filteredOn(verdict -> verdict.damage().isEmpty())
                .extracting(StoreUpkeep.Verdict::digest)
                .containsExactly(good.digest());
        for (String tag : List.of("debian-12", "lost", "broken")) {
            store.upkeep().remove(tag, Map.of());
        }
        assertThat(store.upkeep().verifyAll())
                .singleElement()
                .satisfies(v -> assertThat(v.tags()).containsExactly("rocky-9:latest"));
    }

    @Test
    void anExportedImageIsTheSameImage() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Path elsewhere = temp.resolve("elsewhere");
        Image exported = store.upkeep().export(image, elsewhere, Retag.REFUSE);
        assertThat(exported.digest()).isEqualTo(image.digest());
        assertThat(exported.disk()).startsWith(elsewhere);
        ImageStore other = new ImageStore(temp.resolve("other"));
        Image pulled = other.upkeep().pull(new DirectorySource(elsewhere), "debian-12", Retag.REFUSE);
        assertThat(pulled.reference()).isEqualTo("debian-12:latest");
        assertThat(Files.readString(pulled.disk())).isEqualTo("disk");
        ImageFixture.add(new ImageStore(elsewhere), "debian-12", "latest", new byte[9]);
        error(
                ErrorCode.IMAGE_EXISTS,
                () -> other.upkeep().pull(new DirectorySource(elsewhere), "debian-12", Retag.REFUSE));
        Files.writeString(image.disk(), "dusk");
        error(ErrorCode.IMAGE_SOURCE_FAILED, () -> store.upkeep().export(image, temp.resolve("third"), Retag.REFUSE));
        assertThat(new ImageStore(temp.resolve("third")).upkeep().verifyAll()).isEmpty();
    }

    @Test
    void detailsAreThoseOfTheStore() {
        Image image = add("debian-12", "latest", "disk");
        StoreUpkeep.Details details = StoreUpkeep.details(image);
        assertThat(details.source()).isEqualTo("test");
        assertThat(details.labels()).containsKey("title");
        assertThat(details.tags()).containsExactly("debian-12:latest");
        assertThat(details.bytes()).isGreaterThan(4);
    }
}

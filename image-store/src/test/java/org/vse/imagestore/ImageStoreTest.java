package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class ImageStoreTest {
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

    private Path directoryOf(Image image) {
        return store.root().resolve("images").resolve(image.digest().replace(':', '-'));
    }

    private static VseException error(ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        VseException e = catchThrowableOfType(VseException.class, call);
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo(code);
        return e;
    }

    @Test
    void aStoreThatDoesNotExistIsEmpty() {
        assertThat(store.list()).isEmpty();
        assertThat(store.byDigest("sha256:" + "0".repeat(64))).isEmpty();
        assertThat(error(ErrorCode.IMAGE_UNKNOWN, () -> store.resolve("debian-12"))
                        .facts())
                .containsEntry("known", "none");
        assertThat(store.root()).doesNotExist();
    }

    @Test
    void anotherStoreBeneathIsReadAndNeverWritten() throws IOException {
        Image theirs = add("debian-12", "latest", "theirs");
        Image shadowed = add("rocky-9", "latest", "old");
        store.verify(theirs);
        ImageStore own = ImageStore.over(temp.resolve("own"), store.root());
        assertThat(own.resolve("debian-12")).isEqualTo(theirs);
        assertThat(own.resolve(theirs.digest())).isEqualTo(theirs);
        assertThat(own.byDigest(theirs.digest())).contains(theirs);
        assertThat(own.quickVerified(theirs)).isTrue();
        own.verify(theirs);
        assertThat(own.root()).doesNotExist();
        Image mine = ImageFixture.add(own, "rocky-9", "latest", "new".getBytes(StandardCharsets.UTF_8));
        assertThat(own.resolve("rocky-9")).isEqualTo(mine);
        assertThat(own.byDigest(shadowed.digest())).isPresent();
        assertThat(own.list()).containsExactly(theirs, mine);
        assertThat(store.resolve("rocky-9")).isEqualTo(shadowed);
        Files.writeString(theirs.disk(), "THEIRS");
        error(ErrorCode.IMAGE_CORRUPT, () -> own.verify(theirs));
        assertThat(error(ErrorCode.IMAGE_UNKNOWN, () -> own.resolve("none")).facts())
                .containsEntry("known", "debian-12:latest, rocky-9:latest");
        assertThat(ImageStore.over(temp.resolve("own"), temp.resolve("missing")).roots())
                .containsExactly(temp.resolve("own"));
    }

    @Test
    void everyFormOfReferenceFindsTheImage() {
        Image image = add("debian-12", "latest", "disk");
        assertThat(store.resolve("debian-12")).isEqualTo(image);
        assertThat(store.resolve("debian-12:latest")).isEqualTo(image);
        assertThat(store.resolve(image.digest())).isEqualTo(image);
        assertThat(store.resolve("debian-12@" + image.digest())).isEqualTo(image);
        assertThat(store.byDigest(image.digest())).contains(image);
        assertThat(store.list()).containsExactly(image);
        error(ErrorCode.IMAGE_UNKNOWN, () -> store.resolve("rocky-9@" + image.digest()));
    }

    @Test
    void theDigestIsTheHashOfTheManifest() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Path manifest = directoryOf(image).resolve("manifest.yaml");
        assertThat(image.digest()).isEqualTo("sha256:" + ChunkDigests.whole(manifest));
        assertThat(Files.readString(manifest)).contains("name: \"debian-12\"").doesNotContain("2026");
        assertThat(image.created()).isEqualTo(ImageFixture.CREATED);
        assertThat(image.kernels().get(1).commandLine()).isEqualTo("quiet \"x\\y\"");
    }

    @Test
    void equalContentIsOneImage() throws IOException {
        Image first = add("debian-12", "latest", "disk");
        FileTime written = Files.getLastModifiedTime(first.disk());
        Image second = add("debian-12", "12.12", "disk");
        assertThat(second.digest()).isEqualTo(first.digest());
        assertThat(Files.getLastModifiedTime(second.disk())).isEqualTo(written);
        assertThat(store.list()).extracting(Image::reference).containsExactly("debian-12:12.12", "debian-12:latest");
        assertThat(store.root().resolve("incoming")).isEmptyDirectory();
    }

    @Test
    void aTagMovesAndTheOldImageStaysReachable() {
        Image old = add("debian-12", "latest", "old");
        Image fresh = add("debian-12", "latest", "new");
        assertThat(store.resolve("debian-12")).isEqualTo(fresh);
        Image found = store.resolve(old.digest());
        assertThat(found.tag()).isEmpty();
        assertThat(found.reference()).isEqualTo("debian-12@" + old.digest());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "../x",
                "debian-12/..",
                "..",
                ".",
                "a:../../etc/passwd",
                "a:b:c",
                "A",
                "a\n",
                "sha256:00",
                "a@b"
            })
    void whatIsNoReferenceIsUnknown(String reference) {
        add("debian-12", "latest", "disk");
        VseException e = error(ErrorCode.IMAGE_UNKNOWN, () -> store.resolve(reference));
        assertThat(e.facts()).containsEntry("known", "debian-12:latest");
    }

    @Test
    void aMistypedNameGetsTheNearest() {
        add("debian-12", "latest", "disk");
        VseException e = error(ErrorCode.IMAGE_UNKNOWN, () -> store.resolve("debain-12"));
        assertThat(e.what()).isEqualTo("there is no image 'debain-12'");
        assertThat(e.facts()).containsEntry("did you mean", "debian-12").containsEntry("known", "debian-12:latest");
        assertThat(e.next()).isEqualTo("vse image ls");
    }

    @Test
    void filesAreReadableByAllAndWritableByTheOwnerOnly() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        try (var paths = Files.walk(store.root())) {
            for (Path path : (Iterable<Path>) paths.filter(p -> !p.endsWith(".lock"))::iterator) {
                String expected = Files.isDirectory(path) ? "rwxr-xr-x" : "rw-r--r--";
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                        .as(path.toString())
                        .isEqualTo(expected);
            }
        }
        Files.setPosixFilePermissions(store.root(), PosixFilePermissions.fromString("rwxrwxr-x"));
        assertThat(error(ErrorCode.STORAGE_FAILED, () -> add("debian-12", "x", "disk"))
                        .next())
                .isEqualTo("chmod go-w " + store.root());
        assertThat(store.resolve("debian-12")).isEqualTo(image);
    }

    @Test
    void aCorruptChunkIsNamed() throws IOException {
        byte[] disk = new byte[2 * ChunkDigests.CHUNK_BYTES + 17];
        Image image = ImageFixture.add(store, "debian-12", "latest", disk);
        assertThat(store.quickVerified(image)).isTrue();
        disk[ChunkDigests.CHUNK_BYTES + 5] = 1;
        Files.write(image.disk(), disk);
        assertThat(store.quickVerified(image)).isFalse();
        VseException e = error(ErrorCode.IMAGE_CORRUPT, () -> store.verify(image));
        assertThat(e.what()).contains("chunk 1 of its disk");
        assertThat(e.facts()).containsEntry("offset", "4194304");
    }

    @Test
    void aDamagedImageIsReplacedWhenItIsAddedAgain() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Files.writeString(image.disk(), "dusk");
        Image again = add("debian-12", "latest", "disk");
        assertThat(again.digest()).isEqualTo(image.digest());
        assertThat(Files.readString(again.disk())).isEqualTo("disk");
        assertThat(store.quickVerified(again)).isTrue();
    }

    @Test
    void aTouchedFileIsVerifiedOnceMore() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Files.setLastModifiedTime(image.kernels().get(0).initrd(), FileTime.fromMillis(1));
        assertThat(store.quickVerified(image)).isFalse();
        store.verify(image);
        assertThat(store.quickVerified(image)).isTrue();
    }

    @Test
    void aReplacedKernelIsFound() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Files.writeString(image.kernels().get(1).vmlinuz(), "evil");
        assertThat(error(ErrorCode.IMAGE_CORRUPT, () -> store.verify(image)).facts())
                .containsEntry("file", image.kernels().get(1).vmlinuz().toString());
    }

    @Test
    void aTruncatedManifestOrDiskIsFoundAtOnce() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Files.writeString(image.disk(), "dis");
        assertThat(error(ErrorCode.IMAGE_CORRUPT, () -> store.resolve("debian-12"))
                        .what())
                .contains("wrong size");
        Path manifest = directoryOf(image).resolve("manifest.yaml");
        byte[] bytes = Files.readAllBytes(manifest);
        Files.write(manifest, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThat(error(ErrorCode.IMAGE_CORRUPT, () -> store.resolve("debian-12"))
                        .what())
                .contains("manifest differs");
        Files.delete(manifest);
        assertThat(error(ErrorCode.IMAGE_CORRUPT, () -> store.byDigest(image.digest()))
                        .what())
                .contains("no manifest");
    }

    @Test
    void linksInTheStoreAreRefused() throws IOException {
        Image image = add("debian-12", "latest", "disk");
        Path elsewhere = Files.writeString(temp.resolve("elsewhere"), "disk");
        Files.delete(image.disk());
        Files.createSymbolicLink(image.disk(), elsewhere);
        error(ErrorCode.IMAGE_CORRUPT, () -> store.resolve("debian-12"));

        Path tag = store.root().resolve("tags/evil:latest");
        Files.createSymbolicLink(tag, elsewhere);
        error(ErrorCode.IMAGE_CORRUPT, () -> store.resolve("evil"));
        Files.delete(tag);

        Path moved = Files.move(directoryOf(image), temp.resolve("moved"));
        Files.createSymbolicLink(directoryOf(image), moved);
        error(ErrorCode.IMAGE_CORRUPT, () -> store.resolve("debian-12"));
    }

    @Test
    void aTagWithForeignContentIsRefused() throws IOException {
        add("debian-12", "latest", "disk");
        Files.writeString(store.root().resolve("tags/debian-12:latest"), "sha256:../../../etc");
        assertThat(error(ErrorCode.IMAGE_CORRUPT, () -> store.resolve("debian-12"))
                        .what())
                .isEqualTo("tag 'debian-12:latest' does not name an image");
    }

    @Test
    void whatACrashedBuildLeftIsSwept() throws IOException {
        store.stage().close();
        Path incoming = store.root().resolve("incoming");
        Files.createDirectories(incoming.resolve("dead/tree"));
        Files.writeString(incoming.resolve("dead/tree/file"), "x");
        Files.writeString(incoming.resolve("dead.lock"), "");
        try (Staging alive = store.stage();
                Staging other = store.stage()) {
            assertThat(incoming.resolve("dead")).doesNotExist();
            assertThat(incoming.resolve("dead.lock")).doesNotExist();
            assertThat(alive.directory()).isEmptyDirectory();
            assertThat(other.directory()).isEmptyDirectory();
        }
        assertThat(incoming).isEmptyDirectory();
    }

    @Test
    void concurrentAddsAndReadersSeeAllOrNothing() throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try {
            List<Future<?>> work = new ArrayList<>();
            add("debian-12", "latest", "start");
            for (int t = 0; t < 6; t++) {
                int thread = t;
                work.add(threads.submit(() -> {
                    ImageStore mine = new ImageStore(store.root());
                    for (int i = 0; i < 6; i++) {
                        if (thread % 2 == 0) {
                            byte[] disk = ("disk " + i % 4).getBytes(StandardCharsets.UTF_8);
                            ImageFixture.add(mine, "debian-12", "latest", disk);
                        } else {
                            Image image = mine.resolve("debian-12");
                            mine.verify(image);
                            assertThat(mine.list()).hasSize(1);
                        }
                    }
                }));
            }
            for (Future<?> each : work) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(store.root().resolve("images")).isDirectoryContaining(p -> true);
        assertThat(store.root().resolve("incoming")).isEmptyDirectory();
    }

    @Test
    void theFirstKernelThatProvidesWhatIsNeededIsTaken() {
        Image image = add("debian-12", "latest", "disk");
        assertThat(image.bootFor(Set.of()).name()).isEqualTo("cloud");
        assertThat(image.bootFor(Set.of(Provides.NFS)).name()).isEqualTo("cloud");
        assertThat(image.bootFor(Set.of(Provides.NINE_P)).name()).isEqualTo("generic");
        Image small = new Image(
                "x",
                "latest",
                image.digest(),
                image.disk(),
                "qcow2",
                1,
                image.kernels().subList(0, 1),
                image.created());
        assertThatThrownBy(() -> small.bootFor(Set.of(Provides.NINE_P)))
                .hasMessageContaining("image 'x:latest' boots nothing that provides '9p' [SHARE_UNSUPPORTED]")
                .hasMessageContaining("cloud (nfs)");
    }

    @Test
    void whatTheNodeCanDoIsTriedWithAKernelOfAnotherImageWhenADiskBootsItself() {
        Image kernels = add("debian-12", "latest", "disk");
        Image itself = new Image(
                "x",
                "latest",
                kernels.digest(),
                kernels.disk(),
                "qcow2",
                1,
                List.of(new DiskBoot(Set.of(Provides.NFS))),
                kernels.created());
        assertThat(itself.kernels()).isEmpty();
        assertThat(itself.bootFor(Set.of(Provides.NFS)).name()).isEqualTo("disk");
        assertThatThrownBy(() -> itself.bootFor(Set.of(Provides.NINE_P)))
                .hasMessageContaining("boots nothing that provides '9p'")
                .hasMessageContaining("disk (nfs)");
        assertThat(store.withKernel(kernels)).isEqualTo(kernels);
        assertThat(store.withKernel(itself)).isEqualTo(kernels);
        assertThatThrownBy(() -> new ImageStore(store.root().resolve("none")).withKernel(itself))
                .hasMessageContaining("[IMAGE_UNKNOWN]");
    }

    @Test
    void anOverlongTagFileIsRefused() throws IOException {
        add("debian-12", "latest", "disk");
        Files.writeString(store.root().resolve("tags/debian-12:latest"), "x".repeat(4096), StandardOpenOption.APPEND);
        error(ErrorCode.IMAGE_CORRUPT, () -> store.resolve("debian-12"));
    }
}

package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.ImageSource.Piece;

/** What every image source does. */
public abstract class ImageSourceContract {
    @TempDir
    protected Path temp;

    protected ImageStore there = new ImageStore(Path.of("/nonexistent"));
    protected Image image;
    private byte[] disk;

    /** A source of the images of a store. */
    protected abstract ImageSource source(ImageStore store);

    @BeforeEach
    final void fill() {
        there = new ImageStore(temp.resolve("there"));
        disk = new byte[2 * ChunkDigests.CHUNK_BYTES + 17];
        new Random(7).nextBytes(disk);
        image = ImageFixture.add(there, "debian-12", "latest", disk);
    }

    private static ErrorCode code(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        VseException e = catchThrowableOfType(VseException.class, call);
        assertThat(e).isNotNull();
        return e.code();
    }

    @Test
    final void aTagLeadsToADigest() {
        ImageSource source = source(there);
        assertThat(source.digest("debian-12:latest")).contains(image.digest());
        assertThat(source.digest("debian-12:other")).isEmpty();
        assertThat(source.digest("../tags/debian-12:latest")).isEmpty();
        assertThat(source.name()).isNotBlank();
    }

    @Test
    final void theManifestHashesToTheDigest() {
        assertThat("sha256:" + ChunkDigests.whole(source(there).manifest(image.digest())))
                .isEqualTo(image.digest());
        assertThat(code(() -> source(there).manifest("sha256:" + "0".repeat(64))))
                .isEqualTo(ErrorCode.IMAGE_UNKNOWN);
    }

    @Test
    final void piecesAreTheFile() throws Exception {
        ImageSource source = source(there);
        int chunk = ChunkDigests.CHUNK_BYTES;
        for (int i = 0; i < 4; i++) {
            byte[] expected =
                    Arrays.copyOfRange(disk, Math.min(disk.length, i * chunk), Math.min(disk.length, (i + 1) * chunk));
            assertThat(source.piece(new Piece(image.digest(), "disk.qcow2", i))).isEqualTo(expected);
        }
        byte[] kernel = Files.readAllBytes(image.kernels().get(1).vmlinuz());
        assertThat(source.piece(new Piece(image.digest(), "kernels/generic/kernel", 0)))
                .isEqualTo(kernel);
        assertThat(source.piece(new Piece(image.digest(), "kernels/generic/kernel", 1)))
                .isEmpty();
    }

    @Test
    final void whatIsNotThereIsUnknown() {
        String other = "sha256:" + "1".repeat(64);
        assertThat(code(() -> source(there).piece(new Piece(other, "disk.qcow2", 0))))
                .isEqualTo(ErrorCode.IMAGE_UNKNOWN);
        assertThat(code(() -> source(there).piece(new Piece(image.digest(), "kernels/none/kernel", 0))))
                .isEqualTo(ErrorCode.IMAGE_UNKNOWN);
    }

    @Test
    final void noOtherFileCanBeAskedFor() {
        for (String file : new String[] {"../../.lock", "kernels/../../x/kernel", "/etc/passwd", "manifest.yaml", ""}) {
            assertThatThrownBy(() -> new Piece(image.digest(), file, 0)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> new Piece("sha256:../../..", "disk.qcow2", 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    final void aSourceThatIsGoneSaysSo() throws Exception {
        ImageSource source = source(new ImageStore(temp.resolve("gone")));
        assertThat(code(() -> source.digest("debian-12:latest"))).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
        assertThat(code(() -> source.manifest(image.digest()))).isEqualTo(ErrorCode.IMAGE_SOURCE_FAILED);
    }
}

package org.vse.imagestore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class ChunkDigestsTest {
    private static final int MIB = 1 << 20;

    @Property(tries = 12)
    void aFlippedBitIsFoundInItsChunk(@ForAll @IntRange(min = 1, max = 10 * MIB) int length, @ForAll long seed)
            throws IOException {
        byte[] bytes = new byte[length];
        Random random = new Random(seed);
        random.nextBytes(bytes);
        withFile(bytes, file -> {
            List<String> digests = ChunkDigests.of(file);
            assertThat(digests).hasSize((length + ChunkDigests.CHUNK_BYTES - 1) / ChunkDigests.CHUNK_BYTES);
            assertThat(ChunkDigests.firstDifference(file, digests)).isEmpty();
            int at = random.nextInt(length);
            bytes[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, bytes);
            assertThat(ChunkDigests.firstDifference(file, digests)).hasValue(at / ChunkDigests.CHUNK_BYTES);
        });
    }

    @Property(tries = 12)
    void aCutOrGrownFileIsFound(
            @ForAll @IntRange(min = 1, max = 9 * MIB) int length, @ForAll @IntRange(min = 1, max = 64) int change)
            throws IOException {
        withFile(new byte[length], file -> {
            List<String> digests = ChunkDigests.of(file);
            Files.write(file, new byte[length + change]);
            assertThat(ChunkDigests.firstDifference(file, digests)).isPresent();
            Files.write(file, new byte[Math.max(0, length - change)]);
            assertThat(ChunkDigests.firstDifference(file, digests)).isPresent();
        });
    }

    @Property(tries = 50)
    void oneChunkIsTheWholeFile(@ForAll @Size(max = 2000) byte[] bytes) throws IOException {
        withFile(bytes, file -> {
            if (bytes.length == 0) {
                assertThat(ChunkDigests.of(file)).isEmpty();
            } else {
                assertThat(ChunkDigests.of(file)).containsExactly(ChunkDigests.whole(file));
            }
            assertThat(ChunkDigests.whole(file)).isEqualTo(ChunkDigests.whole(bytes));
        });
    }

    private static void withFile(byte[] bytes, FileWork work) throws IOException {
        Path file = Files.createTempFile("chunks", ".bin");
        try {
            Files.write(file, bytes);
            work.on(file);
        } finally {
            Files.delete(file);
        }
    }

    private interface FileWork {
        void on(Path file) throws IOException;
    }
}

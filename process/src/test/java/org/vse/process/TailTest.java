package org.vse.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TailTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8191, 8192, 8193, 65_535, 65_536, 65_537, 150_000, 1 << 20})
    void theLastBytesAreKeptHoweverTheyArrive(int max) throws IOException {
        Random random = new Random(max);
        for (int length : new int[] {0, 1, max - 1, max, max + 1, 3 * max + 17, 200_000}) {
            byte[] all = new byte[Math.max(0, length)];
            random.nextBytes(all);
            byte[] expected = Arrays.copyOfRange(all, Math.max(0, all.length - max), all.length);
            assertThat(Tail.of(inPieces(all, random), max))
                    .as("%s of %s", max, length)
                    .isEqualTo(expected);
        }
    }

    private static InputStream inPieces(byte[] all, Random random) {
        return new ByteArrayInputStream(all) {
            @Override
            public synchronized int read(byte[] to, int at, int length) {
                return super.read(to, at, Math.min(length, 1 + random.nextInt(9000)));
            }
        };
    }
}

package org.vse.process;

import java.io.IOException;
import java.io.InputStream;

/** Reads a stream to its end in bounded memory and keeps its last bytes. */
final class Tail {
    private Tail() {}

    static byte[] of(InputStream from, int max) throws IOException {
        byte[] ring = new byte[Math.min(max, 1 << 16)];
        byte[] chunk = new byte[8192];
        int length = 0;
        for (int n; (n = from.read(chunk)) >= 0; ) {
            if (length + n > ring.length && ring.length < max) {
                ring = java.util.Arrays.copyOf(
                        ring, (int) Math.min((long) max, Math.max(2L * ring.length, length + n)));
            }
            int overflow = length + n - ring.length;
            if (overflow > 0) {
                int keep = Math.max(0, length - overflow);
                System.arraycopy(ring, length - keep, ring, 0, keep);
                length = keep;
            }
            int take = Math.min(n, ring.length - length);
            System.arraycopy(chunk, n - take, ring, length, take);
            length += take;
        }
        return java.util.Arrays.copyOf(ring, length);
    }
}

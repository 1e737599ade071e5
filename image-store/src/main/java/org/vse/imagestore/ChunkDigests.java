package org.vse.imagestore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * SHA-256 of every 4 MiB of a file, the last chunk shorter. An empty file has no chunks. Two files have equal lists exactly
 * when they have equal bytes, as far as SHA-256 (FIPS 180-4) tells.
 */
public final class ChunkDigests {
    /** Bytes of every chunk but the last. */
    public static final int CHUNK_BYTES = 4 << 20;

    private ChunkDigests() {}

    /** Digests of all chunks in order, 64 hexadecimal digits each. Symbolic links are not followed. */
    public static List<String> of(Path file) throws IOException {
        List<String> digests = new ArrayList<>();
        try (SeekableByteChannel in = open(file)) {
            ByteBuffer buffer = ByteBuffer.allocate(CHUNK_BYTES);
            while (fill(in, buffer) > 0) {
                digests.add(whole(bytes(buffer)));
            }
        }
        return digests;
    }

    /** Number of the first chunk that differs from what is expected, a missing or an additional one included. */
    public static OptionalInt firstDifference(Path file, List<String> expected) throws IOException {
        try (SeekableByteChannel in = open(file)) {
            ByteBuffer buffer = ByteBuffer.allocate(CHUNK_BYTES);
            for (int i = 0; ; i++) {
                boolean more = fill(in, buffer) > 0;
                if (!more && i == expected.size()) {
                    return OptionalInt.empty();
                }
                if (!more || i == expected.size() || !expected.get(i).equals(whole(bytes(buffer)))) {
                    return OptionalInt.of(i);
                }
            }
        }
    }

    /** SHA-256 of a whole file, 64 hexadecimal digits. Symbolic links are not followed. */
    public static String whole(Path file) throws IOException {
        MessageDigest digest = sha256();
        try (SeekableByteChannel in = open(file)) {
            ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
            while (fill(in, buffer) > 0) {
                digest.update(buffer.array(), 0, buffer.limit());
            }
        }
        return hex(digest.digest());
    }

    static String whole(byte[] bytes) {
        return hex(sha256().digest(bytes));
    }

    private static SeekableByteChannel open(Path file) throws IOException {
        return Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
    }

    private static int fill(SeekableByteChannel in, ByteBuffer buffer) throws IOException {
        buffer.clear();
        while (buffer.hasRemaining() && in.read(buffer) >= 0) {}
        buffer.flip();
        return buffer.limit();
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.limit()];
        buffer.get(0, bytes);
        return bytes;
    }

    private static String hex(byte[] digest) {
        return HexFormat.of().formatHex(digest);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

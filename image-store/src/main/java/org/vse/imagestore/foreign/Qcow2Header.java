package org.vse.imagestore.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The header of a qcow2 file (QEMU, docs/interop/qcow2.txt), read without opening anything and refused unless the file
 * stands alone: nothing that names another file, no encryption, no snapshots, no feature that this reader does not know, no
 * table outside of the file.
 *
 * @param version 2 or 3
 * @param clusterBytes of a cluster
 * @param virtualBytes size as a guest sees it
 */
public record Qcow2Header(int version, long clusterBytes, long virtualBytes) {
    /** Bytes from the file's begin that are looked at; a header with its extensions that is longer is refused. */
    public static final int HEAD_BYTES = 1 << 16;

    private static final int MAGIC = 0x514649fb;
    private static final int V2_BYTES = 72;
    private static final int V3_BYTES = 104;
    private static final long MAX_L1_BYTES = 32L << 20;
    private static final long MAX_REFCOUNT_TABLE_BYTES = 8L << 20;

    private static final int EXTENSION_END = 0;
    private static final int EXTENSION_FEATURE_NAMES = 0x6803f857;

    /** Bits of the incompatible features, in their order. */
    private static final List<String> INCOMPATIBLE = List.of(
            "it is marked dirty: it was not closed properly",
            "it is marked corrupt by its own writer",
            "it needs an external data file",
            "",
            "it needs extended L2 entries");

    private static final int COMPRESSION_TYPE_BIT = 3;

    /**
     * Reads the beginning of a file.
     *
     * @param head the first {@link #HEAD_BYTES} of the file, or all of a shorter one
     * @param fileBytes size of the file
     * @throws VseException IMAGE_REFUSED naming everything that is wrong
     */
    public static Qcow2Header read(byte[] head, long fileBytes, ImportLimits limits) {
        ByteBuffer in = ByteBuffer.wrap(head).order(ByteOrder.BIG_ENDIAN);
        if (head.length < V2_BYTES) {
            throw refused(List.of("it is shorter than a qcow2 header"));
        }
        if (in.getInt(0) != MAGIC) {
            throw refused(List.of(DiskFormat.QCOW2
                    .contradiction(head)
                    .map(what -> "it is " + what)
                    .orElse("it does not begin like a qcow2 disk")));
        }
        int version = in.getInt(4);
        if (version != 2 && version != 3) {
            throw refused(List.of("its version is " + Integer.toUnsignedString(version)));
        }
        if (version == 3 && head.length < V3_BYTES) {
            throw refused(List.of("it is shorter than a qcow2 header"));
        }
        int clusterBits = in.getInt(20);
        if (clusterBits < 9 || clusterBits > 21) {
            throw refused(List.of("its clusters have 2^" + Integer.toUnsignedString(clusterBits) + " bytes"));
        }
        Checks checks = new Checks(in, fileBytes, 1L << clusterBits, version);
        checks.references();
        checks.sizes(limits);
        checks.tables();
        if (version == 3) {
            checks.features();
        }
        if (checks.wrong.isEmpty()) {
            checks.extensions();
        }
        if (!checks.wrong.isEmpty()) {
            throw refused(checks.wrong);
        }
        return new Qcow2Header(version, 1L << clusterBits, in.getLong(24));
    }

    private static VseException refused(List<String> wrong) {
        return VseException.of(ErrorCode.IMAGE_REFUSED, "the qcow2 disk is refused: " + wrong.get(0))
                .fact("found", String.join("\n", wrong));
    }

    /** What is wrong with one header. */
    private static final class Checks {
        private final ByteBuffer in;
        private final long fileBytes;
        private final long clusterBytes;
        private final int version;
        private final List<String> wrong = new ArrayList<>();

        Checks(ByteBuffer in, long fileBytes, long clusterBytes, int version) {
            this.in = in;
            this.fileBytes = fileBytes;
            this.clusterBytes = clusterBytes;
            this.version = version;
        }

        void references() {
            if (in.getLong(8) != 0 || in.getInt(16) != 0) {
                wrong.add("it has a backing file");
            }
            if (in.getInt(32) != 0) {
                wrong.add("it is encrypted (method " + Integer.toUnsignedString(in.getInt(32)) + ")");
            }
            if (in.getInt(60) != 0 || in.getLong(64) != 0) {
                wrong.add("it has snapshots");
            }
        }

        void sizes(ImportLimits limits) {
            long virtual = in.getLong(24);
            if (virtual <= 0 || virtual % 512 != 0) {
                wrong.add("its virtual size is " + Long.toUnsignedString(virtual) + " bytes");
            } else if (virtual > limits.virtualBytes()) {
                wrong.add("its virtual size is " + virtual + " bytes, more than " + limits.virtualBytes());
            }
        }

        void tables() {
            long l1Entries = Integer.toUnsignedLong(in.getInt(36));
            long perEntry = clusterBytes * (clusterBytes / 8);
            long virtual = Math.max(0, in.getLong(24));
            if (l1Entries * 8 > MAX_L1_BYTES) {
                wrong.add("its L1 table has " + l1Entries + " entries");
            } else if (l1Entries < (virtual + perEntry - 1) / perEntry) {
                wrong.add("its L1 table is too short for its virtual size");
            } else if (l1Entries > 0) {
                table("L1 table", in.getLong(40), l1Entries * 8);
            }
            long refcounts = Integer.toUnsignedLong(in.getInt(56)) * clusterBytes;
            if (refcounts == 0 || refcounts > MAX_REFCOUNT_TABLE_BYTES) {
                wrong.add("its refcount table has " + refcounts + " bytes");
            } else {
                table("refcount table", in.getLong(48), refcounts);
            }
        }

        private void table(String name, long offset, long bytes) {
            if (offset < clusterBytes || offset % clusterBytes != 0 || offset > fileBytes - bytes) {
                wrong.add("its " + name + " is outside of the file, at " + Long.toUnsignedString(offset));
            }
        }

        void features() {
            long incompatible = in.getLong(72);
            for (int bit = 0; bit < 64; bit++) {
                if ((incompatible >>> bit & 1) == 1 && bit != COMPRESSION_TYPE_BIT) {
                    wrong.add(bit < INCOMPATIBLE.size() ? INCOMPATIBLE.get(bit) : "it needs feature " + bit);
                }
            }
            if (Integer.compareUnsigned(in.getInt(96), 6) > 0) {
                wrong.add("its refcount order is " + Integer.toUnsignedString(in.getInt(96)));
            }
            int length = in.getInt(100);
            if (length < V3_BYTES || length % 8 != 0 || length > Math.min(clusterBytes, in.capacity() - 8)) {
                wrong.add("its header has " + Integer.toUnsignedString(length) + " bytes");
            } else if (length > V3_BYTES && Byte.toUnsignedInt(in.get(V3_BYTES)) > 1) {
                wrong.add("its compression type is " + Byte.toUnsignedInt(in.get(V3_BYTES)));
            }
        }

        /** Only the table of feature names, which is text for people, is let pass. */
        void extensions() {
            int at = version == 2 ? V2_BYTES : in.getInt(100);
            long end = Math.min(clusterBytes, in.capacity());
            while (at + 8 <= end) {
                int type = in.getInt(at);
                long length = Integer.toUnsignedLong(in.getInt(at + 4));
                if (type == EXTENSION_END) {
                    return;
                }
                if (type != EXTENSION_FEATURE_NAMES) {
                    wrong.add("it has " + extension(type));
                    return;
                }
                if (length > end - at - 8) {
                    break;
                }
                at += 8 + (int) ((length + 7) / 8 * 8);
            }
            wrong.add("its header extensions do not end");
        }

        private static String extension(int type) {
            return switch (type) {
                case 0xe2792aca -> "a backing file format";
                case 0x23852875 -> "bitmaps";
                case 0x0537be77 -> "an encryption header";
                case 0x44415441 -> "an external data file";
                default -> String.format("the unknown header extension 0x%08x", type);
            };
        }
    }
}

package org.vse.imagestore.foreign;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A qcow2 file made byte by byte: an empty disk, good until a test changes it. */
final class CraftedQcow2 {
    static final int CLUSTER = 1 << 16;

    private final ByteBuffer bytes = ByteBuffer.allocate(4 * CLUSTER);

    /** Version 3, 64 MiB, header, refcount table, refcount block and L1 table in one cluster each. */
    CraftedQcow2() {
        bytes.put(0, "QFI\u00fb".getBytes(StandardCharsets.ISO_8859_1));
        bytes.putInt(4, 3);
        bytes.putInt(20, 16);
        bytes.putLong(24, 64L << 20);
        bytes.putInt(36, 1);
        bytes.putLong(40, 3L * CLUSTER);
        bytes.putLong(48, CLUSTER);
        bytes.putInt(56, 1);
        bytes.putInt(96, 4);
        bytes.putInt(100, 112);
        bytes.putLong(CLUSTER, 2L * CLUSTER);
        for (int i = 0; i < 4; i++) {
            bytes.putShort(2 * CLUSTER + 2 * i, (short) 1);
        }
    }

    CraftedQcow2 number(int offset, int value) {
        bytes.putInt(offset, value);
        return this;
    }

    CraftedQcow2 large(int offset, long value) {
        bytes.putLong(offset, value);
        return this;
    }

    CraftedQcow2 text(int offset, String value) {
        bytes.put(offset, value.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    /** Names another file, as {@code qemu-img create -b} does. */
    CraftedQcow2 backing(String file) {
        return large(8, 512).number(16, file.length()).text(512, file);
    }

    byte[] bytes() {
        return bytes.array().clone();
    }
}

package org.vse.imagestore.build;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;

/**
 * A cpio archive in the "newc" format that the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format).
 * Entries are sorted, owned by root and without time: equal content is equal bytes.
 */
final class Cpio {
    private static final int DIRECTORY = 0040755;
    private static final int LINK = 0120777;
    private static final int REGULAR = 0100000;

    private final TreeMap<String, Entry> entries = new TreeMap<>();

    private static final class Entry {
        private final int mode;
        private final byte[] content;

        Entry(int mode, byte[] content) {
            this.mode = mode;
            this.content = content;
        }
    }

    /** @param path without a leading slash; its directory is added before it */
    Cpio directory(String path) {
        entries.put(path, new Entry(DIRECTORY, new byte[0]));
        return this;
    }

    Cpio file(String path, int permissions, byte[] content) {
        entries.put(path, new Entry(REGULAR | permissions, content));
        return this;
    }

    Cpio link(String path, String target) {
        entries.put(path, new Entry(LINK, target.getBytes(StandardCharsets.UTF_8)));
        return this;
    }

    void writeTo(OutputStream out) throws IOException {
        int inode = 1;
        for (var entry : entries.entrySet()) {
            write(out, inode++, entry.getKey(), entry.getValue());
        }
        write(out, 0, "TRAILER!!!", new Entry(0, new byte[0]));
    }

    private static void write(OutputStream out, int inode, String path, Entry entry) throws IOException {
        byte[] name = (path + "\0").getBytes(StandardCharsets.UTF_8);
        int links = (entry.mode & 0170000) == 0040000 ? 2 : 1;
        StringBuilder header = new StringBuilder("070701");
        int size = entry.content.length;
        for (int field : new int[] {inode, entry.mode, 0, 0, links, 0, size, 0, 0, 0, 0, name.length, 0}) {
            header.append(String.format("%08X", field));
        }
        out.write(header.toString().getBytes(StandardCharsets.US_ASCII));
        out.write(name);
        pad(out, header.length() + name.length);
        out.write(entry.content);
        pad(out, size);
    }

    private static void pad(OutputStream out, int written) throws IOException {
        out.write(new byte[-written & 3]);
    }
}

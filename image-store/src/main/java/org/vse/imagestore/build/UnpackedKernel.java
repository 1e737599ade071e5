package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HexFormat;
import org.vse.process.Command;

/**
 * Takes the ELF kernel out of a bzImage (Documentation/arch/x86/boot, protocol 2.08: {@code payload_offset},
 * {@code payload_length}), so that QEMU enters it directly through its PVH note and nothing is decompressed in the guest.
 */
final class UnpackedKernel {
    private static final int SETUP_SECTORS = 0x1f1;
    private static final int HEADER_MAGIC = 0x202;
    private static final int PROTOCOL = 0x206;
    private static final int PAYLOAD_OFFSET = 0x248;
    private static final int PAYLOAD_LENGTH = 0x24c;

    /** XEN_ELFNOTE_PHYS32_ENTRY: where a PVH kernel is entered. */
    private static final int NOTE_PHYS32_ENTRY = 18;

    private static final int PT_NOTE = 4;

    private UnpackedKernel() {}

    /** A compression that kernels use: the bytes it begins with, and the program that undoes it. */
    private enum Compression {
        XZ("fd377a585a00", "xz"),
        LZ4("02214c18", "lz4"),
        ZSTD("28b52ffd", "zstd"),
        GZIP("1f8b08", "gzip");

        private final String magic;
        private final String program;

        Compression(String magic, String program) {
            this.magic = magic;
            this.program = program;
        }

        Command command(Path packed, Path unpacked) {
            return switch (this) {
                case XZ -> Command.of(program, "-dq", "--single-stream", packed.toString());
                case LZ4 -> Command.of(program, "-dq", packed.toString(), unpacked.toString());
                case ZSTD -> Command.of(program, "-dq", "-o", unpacked.toString(), packed.toString());
                case GZIP -> Command.of(program, "-dq", packed.toString());
            };
        }

        String suffix() {
            return switch (this) {
                case XZ -> ".xz";
                case LZ4 -> ".lz4";
                case ZSTD -> ".zst";
                case GZIP -> ".gz";
            };
        }
    }

    /** @param scratch a directory for files that the caller removes */
    static void extract(Path bzImage, Path to, Path scratch, BuildLog log) throws IOException {
        ByteBuffer payload = payload(Files.readAllBytes(bzImage), bzImage, log);
        for (Compression compression : Compression.values()) {
            byte[] begin = new byte[compression.magic.length() / 2];
            payload.get(payload.position(), begin);
            if (HexFormat.of().formatHex(begin).equals(compression.magic)) {
                Path packed = scratch.resolve("payload" + compression.suffix());
                Path unpacked = scratch.resolve("payload");
                try (FileChannel out =
                        FileChannel.open(packed, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                    while (payload.hasRemaining()) {
                        out.write(payload);
                    }
                }
                log.run(
                        "unpacking a kernel",
                        compression.command(packed, unpacked).withTimeout(Duration.ofMinutes(2)));
                Files.deleteIfExists(packed);
                Files.move(unpacked, to);
                requirePvh(to, log);
                return;
            }
        }
        throw log.failed(
                "kernel '" + bzImage.getFileName() + "' is compressed in an unknown way: set 'unpacked: false'");
    }

    private static ByteBuffer payload(byte[] image, Path file, BuildLog log) {
        ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        String notOne = "'" + file.getFileName() + "' is not a Linux bzImage of boot protocol 2.08 or later";
        if (image.length < 0x250
                || !new String(image, HEADER_MAGIC, 4, StandardCharsets.US_ASCII).equals("HdrS")
                || in.getShort(PROTOCOL) < 0x208) {
            throw log.failed(notOne);
        }
        int sectors = image[SETUP_SECTORS] == 0 ? 4 : Byte.toUnsignedInt(image[SETUP_SECTORS]);
        long begin = (sectors + 1) * 512L + Integer.toUnsignedLong(in.getInt(PAYLOAD_OFFSET));
        // The last four bytes are the uncompressed length, which is not part of the compressed stream.
        long end = begin + Integer.toUnsignedLong(in.getInt(PAYLOAD_LENGTH)) - 4;
        if (begin + 16 > end || end > image.length) {
            throw log.failed(notOne);
        }
        return in.position((int) begin).limit((int) end);
    }

    private static void requirePvh(Path elf, BuildLog log) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(elf)).order(ByteOrder.LITTLE_ENDIAN);
        try {
            boolean elf64 = in.getInt(0) == 0x464c457f && in.get(4) == 2;
            if (elf64 && hasEntryNote(in)) {
                return;
            }
        } catch (IndexOutOfBoundsException e) {
            throw log.failed("an unpacked kernel is cut off").because(e);
        }
        throw log.failed("the kernel has no PVH entry: set 'unpacked: false'");
    }

    private static boolean hasEntryNote(ByteBuffer in) {
        int headers = Math.toIntExact(in.getLong(0x20));
        int headerSize = Short.toUnsignedInt(in.getShort(0x36));
        int count = Short.toUnsignedInt(in.getShort(0x38));
        for (int i = 0; i < count; i++) {
            int header = headers + i * headerSize;
            if (in.getInt(header) == PT_NOTE) {
                int at = Math.toIntExact(in.getLong(header + 0x08));
                int end = at + Math.toIntExact(in.getLong(header + 0x20));
                while (at + 12 <= end) {
                    int nameSize = in.getInt(at);
                    int descriptionSize = in.getInt(at + 4);
                    if (in.getInt(at + 8) == NOTE_PHYS32_ENTRY && nameSize == 4 && in.getInt(at + 12) == 0x6e6558) {
                        return true;
                    }
                    at += 12 + padded(nameSize) + padded(descriptionSize);
                }
            }
        }
        return false;
    }

    private static int padded(int size) {
        return Math.addExact(size, 3) & ~3;
    }
}

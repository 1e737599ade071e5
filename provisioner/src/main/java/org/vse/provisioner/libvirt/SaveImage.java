package org.vse.provisioner.libvirt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A file that libvirt saved a machine to: a header, the machine's description, QEMU's stream. libvirt believes the description
 * when it restores; ours never comes from the file: {@link #blank} takes it out after saving, {@link #describe} puts a new
 * one in before restoring. The stream is never touched, so its bytes are what a digest is made of.
 *
 * <p>Source: libvirt 9.0, {@code src/qemu/qemu_saveimage.h}; numbers in the order of the host that wrote them.
 */
final class SaveImage {
    private static final byte[] MAGIC = "LibvirtQemudSave".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 2;
    private static final int HEADER = 92;
    /** More than any description needs; what claims more is not a description. */
    private static final int MOST_TEXT = 16 << 20;

    private final Path file;
    /** Bytes between header and stream. */
    private final int room;

    private SaveImage(Path file, int room) {
        this.file = file;
        this.room = room;
    }

    /**
     * The file, when its header is one.
     *
     * @throws VseException CHECKPOINT_INVALID when it is none, STORAGE_FAILED when it cannot be read
     */
    static SaveImage of(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer header = buffer(HEADER);
            while (header.hasRemaining() && channel.read(header) >= 0) {
                // until it is whole
            }
            require(!header.hasRemaining(), file, "shorter than a header");
            header.flip();
            byte[] magic = new byte[MAGIC.length];
            header.get(magic);
            require(Arrays.equals(magic, MAGIC), file, "of another kind");
            require(header.getInt() == VERSION, file, "of another version");
            int room = header.getInt();
            header.getInt();
            require(header.getInt() == 0, file, "compressed");
            require(room > 0 && room <= MOST_TEXT && HEADER + (long) room < channel.size(), file, "cut off");
            return new SaveImage(file, room);
        } catch (NoSuchFileException e) {
            throw other(file, "nothing").because(e);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /**
     * As {@link #of(Path)}.
     *
     * @param stream where the stream is known to begin: a header that says otherwise is refused too
     */
    static SaveImage of(Path file, long stream) {
        SaveImage image = of(file);
        require(image.stream() == stream, file, "a stream that begins at " + image.stream());
        return image;
    }

    /** Where QEMU's stream begins, bytes from the beginning of the file. */
    long stream() {
        return HEADER + (long) room;
    }

    /** Takes the description out. */
    void blank() {
        write(new byte[0]);
    }

    /**
     * Puts in what the machine is to be, which is then restored paused.
     *
     * @throws VseException CHECKPOINT_INVALID when the file has no room for it
     */
    void describe(String xml) {
        byte[] text = xml.getBytes(StandardCharsets.UTF_8);
        require(text.length < room, file, "without room for a description of " + text.length + " bytes");
        write(text);
    }

    private void write(byte[] text) {
        ByteBuffer head = buffer(HEADER + room);
        head.put(MAGIC).putInt(VERSION).putInt(room);
        // Not running, not compressed, no cookie, and nothing in what is reserved.
        head.position(HEADER).put(text);
        head.position(0);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            while (head.hasRemaining()) {
                channel.write(head, head.position());
            }
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    private static void require(boolean holds, Path file, String what) {
        if (!holds) {
            throw other(file, what);
        }
    }

    private static VseException other(Path file, String what) {
        return VseException.of(ErrorCode.CHECKPOINT_INVALID, "the file is not the saved memory of a machine")
                .at(file.toString())
                .fact("found", what);
    }

    private static VseException failed(Path file, IOException e) {
        return VseException.of(ErrorCode.STORAGE_FAILED, "the saved memory of a machine cannot be read or written")
                .at(file.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }
}

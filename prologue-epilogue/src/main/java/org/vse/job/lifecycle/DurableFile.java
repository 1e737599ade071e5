package org.vse.job.lifecycle;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** JSON files that are there whole or not at all, whenever the power goes; readable by their owner only. */
final class DurableFile {
    private DurableFile() {}

    /** Sees to it that a file is there, made for its owner only. */
    static void makePrivate(Path file) throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
    }

    /** Replaces the file; durable when this returns. An interrupt of this thread does not cut it short. */
    static void write(Path file, ObjectMapper json, Object value) {
        boolean interrupted = false;
        try {
            while (!written(file, json, value)) {
                interrupted |= Thread.interrupted();
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** False when an interrupt closed a channel on the way. */
    private static boolean written(Path file, ObjectMapper json, Object value) {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            byte[] bytes = json.writeValueAsBytes(value);
            Files.deleteIfExists(part);
            Files.createFile(part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
                channel.force(true);
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Path directory = file.getParent();
            if (directory != null) {
                try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                    channel.force(true);
                }
            }
            return true;
        } catch (ClosedByInterruptException e) {
            return false;
        } catch (IOException e) {
            throw VseException.storage("a file of the job cannot be written", file, e);
        }
    }

    static <T> T read(Path file, ObjectMapper json, Class<T> type) {
        try {
            return json.readValue(file.toFile(), type);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    static VseException unreadable(Path file, IOException e) {
        return VseException.of(ErrorCode.STORAGE_FAILED, "a file of the job cannot be read")
                .at(file.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }
}

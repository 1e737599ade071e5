package org.vse.job.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.BooleanSupplier;
import org.vse.job.lifecycle.GrowthWatch;

/** Sends a file that grows to a caller, from an offset on, in constant memory. */
final class OutputFollower {
    private static final int CHUNK = 256 << 10;
    private static final long LOOK_MILLIS = 1000;

    private final GrowthWatch growth;

    OutputFollower(GrowthWatch growth) {
        this.growth = growth;
    }

    /**
     * Sends what the file has, and with {@code follow} also what it gets until it is complete. A file that is not there yet
     * counts as empty.
     *
     * @param complete true once nothing more will be written
     */
    void send(Path file, long offset, boolean follow, BooleanSupplier complete, Reply.Body body) throws IOException {
        Path directory = java.util.Objects.requireNonNull(file.getParent());
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
        long position = offset;
        while (!body.isGone()) {
            long version = growth.version(directory);
            boolean last = !follow || complete.getAsBoolean();
            position = sendPresent(file, position, buffer, body);
            if (last) {
                body.close();
                return;
            }
            try {
                growth.await(directory, version, LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("the daemon is ending", e);
            }
        }
    }

    private static long sendPresent(Path file, long from, ByteBuffer buffer, Reply.Body body) throws IOException {
        if (!Files.exists(file)) {
            return from;
        }
        long position = from;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            buffer.clear();
            for (int n; (n = channel.read(buffer, position)) > 0; buffer.clear()) {
                position += n;
                buffer.flip();
                body.write(buffer);
            }
        }
        return position;
    }
}

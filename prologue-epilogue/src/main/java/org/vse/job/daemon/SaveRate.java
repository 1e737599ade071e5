package org.vse.job.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How fast machines are saved on this node, bytes of resident memory a second, as measured; kept for the next daemon. */
final class SaveRate {
    private static final Logger LOG = LoggerFactory.getLogger(SaveRate.class);

    /** Before anything was measured: a slow disk. */
    private static final long UNKNOWN = 40L << 20;

    private static final long SLOWEST = 1L << 20;
    private static final double NEW = 0.5;

    private final Path file;
    private long bytesPerSecond;

    SaveRate(Path file) {
        this.file = file;
        this.bytesPerSecond = read(file);
    }

    private static long read(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file).strip() : "";
            return text.matches("[1-9][0-9]{0,14}") ? Math.max(SLOWEST, Long.parseLong(text)) : UNKNOWN;
        } catch (IOException e) {
            LOG.warn("what was measured in '{}' cannot be read and is measured again", file, e);
            return UNKNOWN;
        }
    }

    /** What saving so much takes. */
    synchronized Duration of(long bytes) {
        return Duration.ofMillis(bytes * 1000 / bytesPerSecond);
    }

    /** Takes a measurement in: a slower one counts at once, a faster one by half. */
    synchronized void measured(long bytes, Duration took) {
        long now = Math.max(SLOWEST, bytes * 1000 / Math.max(1, took.toMillis()));
        bytesPerSecond = now < bytesPerSecond ? now : (long) (bytesPerSecond + NEW * (now - bytesPerSecond));
        try {
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.writeString(part, bytesPerSecond + "\n");
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("what was measured cannot be kept in '{}'", file, e);
        }
    }
}

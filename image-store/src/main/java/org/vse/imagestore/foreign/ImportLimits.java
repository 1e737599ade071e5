package org.vse.imagestore.foreign;

import java.time.Duration;

/**
 * What a file may be, and what looking at it may cost.
 *
 * @param fileBytes size of the file
 * @param virtualBytes size as a guest sees it
 * @param kernelBytes size of a kernel, and of an initial file system
 * @param toolMemoryBytes address space of qemu-img
 * @param toolCpu processor time of qemu-img
 * @param toolTime wall time of qemu-img
 */
public record ImportLimits(
        long fileBytes,
        long virtualBytes,
        long kernelBytes,
        long toolMemoryBytes,
        Duration toolCpu,
        Duration toolTime) {
    /** 64 GiB in a file, 1 TiB for the guest, 256 MiB a kernel; 2 GiB of memory, an hour of CPU, two of patience. */
    public static final ImportLimits DEFAULT =
            new ImportLimits(64L << 30, 1L << 40, 256L << 20, 2L << 30, Duration.ofHours(1), Duration.ofHours(2));

    public ImportLimits {
        if (fileBytes < 1 || virtualBytes < 1 || kernelBytes < 1 || toolMemoryBytes < 1) {
            throw new IllegalArgumentException("limits below 1");
        }
    }
}

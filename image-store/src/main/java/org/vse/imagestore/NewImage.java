package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is known of an image before its files are hashed.
 *
 * @param virtualSizeBytes of the disk as the guest sees it
 * @param kernels in order of preference; none when the disk boots itself
 * @param diskBoot how the disk boots itself; empty when there are kernels
 */
public record NewImage(
        String name,
        String tag,
        long virtualSizeBytes,
        List<NewKernel> kernels,
        Optional<DiskBoot> diskBoot,
        Map<String, String> labels,
        Origin origin) {
    /** Name of the disk in an image's directory. */
    public static final String DISK = "disk.qcow2";

    /** Directory of the kernels; each has a directory of its name with the files {@code kernel} and {@code initrd}. */
    public static final String KERNELS = "kernels";

    public NewImage {
        kernels = List.copyOf(kernels);
        labels = Map.copyOf(labels);
        if (!Manifest.NAME.matcher(name).matches()
                || !Manifest.NAME.matcher(tag).matches()) {
            throw new IllegalArgumentException("not a name and a tag: '" + name + ":" + tag + "'");
        }
    }

    /** One that kernels of its own boot. */
    public NewImage(
            String name,
            String tag,
            long virtualSizeBytes,
            List<NewKernel> kernels,
            Map<String, String> labels,
            Origin origin) {
        this(name, tag, virtualSizeBytes, kernels, Optional.empty(), labels, origin);
    }

    /** A kernel's part of it. */
    public record NewKernel(String name, String commandLine, Set<Provides> provides) {}

    Manifest manifestOf(Path tree) throws IOException {
        Path disk = tree.resolve(DISK);
        List<Manifest.KernelFiles> files = new ArrayList<>();
        for (NewKernel kernel : kernels) {
            Path directory = tree.resolve(KERNELS).resolve(kernel.name());
            files.add(new Manifest.KernelFiles(
                    kernel.name(),
                    new TreeSet<>(kernel.provides()),
                    kernel.commandLine(),
                    ChunkDigests.whole(directory.resolve("kernel")),
                    ChunkDigests.whole(directory.resolve("initrd"))));
        }
        return new Manifest(
                name,
                new Manifest.Disk("qcow2", Files.size(disk), virtualSizeBytes, ChunkDigests.of(disk)),
                files,
                diskBoot,
                labels);
    }
}

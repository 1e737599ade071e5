package org.vse.imagestore.foreign;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.vse.imagestore.DiskBoot;
import org.vse.imagestore.Provides;
import org.vse.imagestore.Retag;

/**
 * A disk that is to become an image, and what is stated of it.
 *
 * @param disk a regular file; it need not trust whoever wrote it
 * @param format of the disk, stated, never probed
 * @param name of the image, without tag
 * @param tag of the image
 * @param kernels that boot it, in order of preference; the root file system is found by their command lines
 * @param diskBoot for a disk that boots itself, without kernels
 * @param labels shown to users
 * @param retag what happens when the tag points to another image
 */
public record ImageFile(
        Path disk,
        DiskFormat format,
        String name,
        String tag,
        List<KernelFile> kernels,
        Optional<DiskBoot> diskBoot,
        Map<String, String> labels,
        Retag retag) {
    public ImageFile {
        kernels = List.copyOf(kernels);
        labels = Map.copyOf(labels);
    }

    /** One that kernels boot. */
    public ImageFile(
            Path disk,
            DiskFormat format,
            String name,
            String tag,
            List<KernelFile> kernels,
            Map<String, String> labels,
            Retag retag) {
        this(disk, format, name, tag, kernels, Optional.empty(), labels, retag);
    }

    /**
     * A kernel for direct boot.
     *
     * @param name unique in the image
     * @param kernel bzImage, or ELF with a PVH entry
     * @param commandLine complete
     * @param provides shares that a guest under it can mount
     */
    public record KernelFile(String name, Path kernel, Path initrd, String commandLine, Set<Provides> provides) {
        public KernelFile {
            provides = Set.copyOf(provides);
        }
    }
}

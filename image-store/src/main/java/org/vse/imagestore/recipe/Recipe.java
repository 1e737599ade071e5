package org.vse.imagestore.recipe;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.vse.imagestore.Provides;

/**
 * What an image is made of. Paths of the guest are absolute; paths of the host are absolute and lie beside or below the
 * recipe's file.
 *
 * @param source the recipe's file
 * @param name image name without tag
 * @param tag set when the build succeeds
 * @param sizeBytes size of the root disk as the guest sees it, a multiple of 1 MiB
 * @param suite of the distribution: {@code bookworm}
 * @param variant of mmdebstrap: {@code minbase}
 * @param packages installed in the image beside the variant's
 * @param stages the same packages as they are installed, those of the recipe that is extended by all the others first
 * @param exclude patterns of guest paths that are never unpacked (dpkg's {@code path-exclude})
 * @param remove guest paths removed after installation, last element may contain {@code *}
 * @param files put into the image after that
 * @param init guest program that becomes {@code /sbin/init}
 * @param initramfs the first program of the machine
 * @param kernels in order of preference
 * @param labels shown to users
 */
public record Recipe(
        Path source,
        String name,
        String tag,
        long sizeBytes,
        String suite,
        String variant,
        List<String> packages,
        List<Stage> stages,
        List<String> exclude,
        List<String> remove,
        List<GuestFile> files,
        String init,
        Initramfs initramfs,
        List<KernelRecipe> kernels,
        Map<String, String> labels) {
    public Recipe {
        packages = List.copyOf(packages);
        stages = List.copyOf(stages);
        exclude = List.copyOf(exclude);
        remove = List.copyOf(remove);
        files = List.copyOf(files);
        kernels = List.copyOf(kernels);
        labels = java.util.Collections.unmodifiableMap(new java.util.TreeMap<>(labels));
    }

    /**
     * What one recipe adds to those that it extends.
     *
     * @param exclude in force while they are unpacked
     */
    public record Stage(List<String> packages, List<String> exclude) {
        public Stage {
            packages = List.copyOf(packages);
            exclude = List.copyOf(exclude);
        }
    }

    /** Something put into the image. Owned by root. */
    public sealed interface GuestFile {
        /** Absolute path in the guest. */
        String to();

        /** A copy of a host file. */
        record Copy(String to, Path from, int mode) implements GuestFile {}

        /** A symbolic link. */
        record Link(String to, String target) implements GuestFile {}

        /** An empty directory. */
        record Directory(String to, int mode) implements GuestFile {}
    }

    /**
     * @param busybox guest path of a statically linked busybox
     * @param init host file: a script for it, which loads the modules named in {@code /modules/order} and mounts the disk
     */
    public record Initramfs(String busybox, Path init) {}

    /**
     * @param name unique in the recipe
     * @param packageName installs {@code /boot/vmlinuz-VERSION} and its modules
     * @param provides shares that it can mount; the build checks that the modules are there
     * @param commandLine complete
     * @param unpacked true: booted as an uncompressed ELF kernel through its PVH entry, without decompressing in the guest
     * @param early modules loaded by the initial file system, in order; what they depend on comes before them
     * @param modules further modules in the image, loaded on demand; what they depend on is added
     */
    public record KernelRecipe(
            String name,
            String packageName,
            Set<Provides> provides,
            String commandLine,
            boolean unpacked,
            List<String> early,
            List<String> modules) {
        public KernelRecipe {
            provides = Set.copyOf(provides);
            early = List.copyOf(early);
            modules = List.copyOf(modules);
        }
    }
}

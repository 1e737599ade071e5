package org.vse.imagestore;

import java.nio.file.Path;
import java.util.Set;

/**
 * One kernel of an image, for direct boot.
 *
 * @param name unique within its image
 * @param vmlinuz what the virtual machine monitor loads: a bzImage, or an ELF kernel with a PVH entry
 * @param initrd initial file system
 * @param commandLine kernel command line, complete: the root disk is {@code /dev/vda}
 * @param provides shares that a guest running it can mount
 */
public record Kernel(String name, Path vmlinuz, Path initrd, String commandLine, Set<Provides> provides)
        implements Boot {
    public Kernel {
        provides = Set.copyOf(provides);
    }
}

package org.vse.imagestore;

import java.util.Set;

/**
 * The boot loader in the first sectors of the disk, under a PC BIOS. What the guest's kernel is and is told, the disk says.
 *
 * @param provides as stated by whoever brought the disk
 */
public record DiskBoot(Set<Provides> provides) implements Boot {
    public DiskBoot {
        provides = Set.copyOf(provides);
    }

    @Override
    public String name() {
        return "disk";
    }
}

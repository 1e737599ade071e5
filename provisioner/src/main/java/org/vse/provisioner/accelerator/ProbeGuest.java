package org.vse.provisioner.accelerator;

import java.nio.file.Path;
import java.util.List;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;

/**
 * A guest that shows whether KVM works: a kernel and its initial file system, no disk, no network.
 *
 * @param kernel which bytes these are: the same text, the same kernel and initial file system
 * @param uid user of its QEMU, as machines get it
 * @param gid group of its QEMU, as machines get it
 * @param cores host cores that it may use; empty for all
 */
public record ProbeGuest(
        String kernel, Path vmlinuz, Path initrd, String commandLine, int uid, int gid, List<Integer> cores) {
    public ProbeGuest {
        cores = List.copyOf(cores);
        if (kernel.isBlank()) {
            throw new IllegalArgumentException("a kernel without identity");
        }
        if (uid < 1 || gid < 1) {
            throw new IllegalArgumentException("a probe as " + uid + ":" + gid);
        }
    }

    /** A guest that boots a kernel of an image. */
    public static ProbeGuest of(Image image, Kernel kernel, int uid, int gid, List<Integer> cores) {
        return new ProbeGuest(
                image.digest() + " " + kernel.name(),
                kernel.vmlinuz(),
                kernel.initrd(),
                kernel.commandLine(),
                uid,
                gid,
                cores);
    }
}

package org.vse.imagestore.build;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The initial file system: busybox under {@code /bin} with the commands the script needs, the script as {@code /init}, the early modules
 * under {@code /modules} and their order in {@code /modules/order}. Not compressed: decompressing in the guest costs more
 * than reading a few megabytes from the host's memory.
 */
final class Initramfs {
    private static final List<String> COMMANDS =
            List.of("insmod", "ln", "mkdir", "mount", "poweroff", "sh", "sleep", "switch_root", "umount");

    private Initramfs() {}

    static void write(Path busybox, Path init, List<Path> modules, Path to) throws IOException {
        Cpio cpio = new Cpio();
        for (String directory : List.of("bin", "dev", "modules", "proc", "root", "sys")) {
            cpio.directory(directory);
        }
        cpio.file("bin/busybox", 0755, Files.readAllBytes(busybox));
        COMMANDS.forEach(command -> cpio.link("bin/" + command, "busybox"));
        cpio.file("init", 0755, Files.readAllBytes(init));
        StringBuilder order = new StringBuilder();
        for (Path module : modules) {
            cpio.file("modules/" + module.getFileName(), 0644, Files.readAllBytes(module));
            order.append(module.getFileName()).append('\n');
        }
        cpio.file("modules/order", 0644, order.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(to))) {
            cpio.writeTo(out);
        }
    }
}

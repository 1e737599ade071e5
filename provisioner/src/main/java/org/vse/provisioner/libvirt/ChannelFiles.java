package org.vse.provisioner.libvirt;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.ProcessIdentity;

/** Whether a machine's QEMU itself appends to the files of its channels, or somebody else does who may cut them. */
final class ChannelFiles {
    /** O_APPEND in {@code /proc/PID/fdinfo/FD}, proc(5); octal as printed there. */
    private static final long O_APPEND = 02000;

    private ChannelFiles() {}

    /**
     * @throws VseException LIBVIRT_LOG_HANDLER naming the first file that QEMU does not hold open for append: libvirt gives
     *     them to virtlogd under {@code stdio_handler = "logd"}, which keeps 2 MiB and drops the rest
     */
    static void requireHeld(String machine, ProcessIdentity qemu, List<Path> files) {
        Set<Object> held = appendedBy(qemu.pid());
        for (Path file : files) {
            if (!held.contains(keyOf(file))) {
                throw VseException.of(
                                ErrorCode.LIBVIRT_LOG_HANDLER,
                                "the QEMU of machine '" + machine + "' does not write '" + file + "' itself")
                        .fact("found", "libvirt's stdio_handler is not \"file\"")
                        .next("set stdio_handler = \"file\" in libvirt's qemu.conf and restart libvirtd");
            }
        }
    }

    private static Set<Object> appendedBy(long pid) {
        Path process = Path.of("/proc", Long.toString(pid));
        Set<Object> keys = new HashSet<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : descriptors) {
                Path info = process.resolve("fdinfo")
                        .resolve(descriptor.getFileName().toString());
                try {
                    // Following the link asks the kernel for the open file itself, in whatever mount namespace it was
                    // opened.
                    if (Files.isRegularFile(descriptor) && appends(info)) {
                        keys.add(keyOf(descriptor));
                    }
                } catch (NoSuchFileException e) {
                    // Closed between listing and looking: not held.
                }
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.LIBVIRT_FAILED, "cannot see which files QEMU has open")
                    .fact("process", pid)
                    .fact("reason", e)
                    .because(e);
        }
        return keys;
    }

    private static boolean appends(Path fdinfo) throws IOException {
        return Files.readString(fdinfo)
                .lines()
                .filter(line -> line.startsWith("flags:"))
                .anyMatch(line -> (Long.parseLong(line.substring(6).strip(), 8) & O_APPEND) != 0);
    }

    private static Object keyOf(Path file) {
        try {
            var attributes = Files.readAttributes(file, "unix:dev,ino");
            return attributes.get("dev") + ":" + attributes.get("ino");
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "cannot look at '" + file + "'")
                    .fact("reason", e)
                    .because(e);
        }
    }
}

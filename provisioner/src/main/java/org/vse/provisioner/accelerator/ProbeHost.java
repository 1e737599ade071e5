package org.vse.provisioner.accelerator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What the answer of a probe depends on, beside the guest's kernel: when one of these changes, the answer is void.
 *
 * @param release of the host's kernel
 * @param boot id of the host's boot: firmware settings and nesting change with one
 * @param qemu path, size and time of the QEMU program; {@code absent} when there is none
 * @param kvm mode, owner and group of {@code /dev/kvm}; {@code absent} when there is none
 * @param gid group of the machines' QEMU
 */
public record ProbeHost(String release, String boot, String qemu, String kvm, int gid) {
    /** The program that machines and probes run in. */
    public static final String QEMU = "qemu-system-x86_64";

    static final String ABSENT = "absent";

    public ProbeHost {
        Objects.requireNonNull(release);
        Objects.requireNonNull(boot);
        Objects.requireNonNull(qemu);
        Objects.requireNonNull(kvm);
    }

    /**
     * Reads a host; three small files and two inodes.
     *
     * @param root of the host's file system
     * @param qemu the QEMU program
     * @throws VseException INTERNAL when the kernel does not say who it is
     */
    public static ProbeHost read(Path root, Optional<Path> qemu, int gid) {
        Path kernel = root.resolve("proc/sys/kernel");
        try {
            return new ProbeHost(
                    Files.readString(kernel.resolve("osrelease")).strip(),
                    Files.readString(kernel.resolve("random/boot_id")).strip(),
                    qemu.isPresent() ? program(qemu.get()) : ABSENT,
                    device(root.resolve("dev/kvm")),
                    gid);
        } catch (IOException e) {
            throw VseException.of(ErrorCode.INTERNAL, "the host's kernel does not say which it is")
                    .at(kernel.toString())
                    .because(e);
        }
    }

    /** True when the host has a {@code /dev/kvm}. */
    public boolean hasKvm() {
        return !kvm.equals(ABSENT);
    }

    private static String program(Path program) throws IOException {
        BasicFileAttributes of = Files.readAttributes(program, BasicFileAttributes.class);
        return program + " " + of.size() + " " + of.lastModifiedTime();
    }

    private static String device(Path device) throws IOException {
        try {
            int mode = (Integer) Files.getAttribute(device, "unix:mode") & 07777;
            Object uid = Files.getAttribute(device, "unix:uid");
            return String.format("%04o %s:%s", mode, uid, Files.getAttribute(device, "unix:gid"));
        } catch (NoSuchFileException e) {
            return ABSENT;
        }
    }
}

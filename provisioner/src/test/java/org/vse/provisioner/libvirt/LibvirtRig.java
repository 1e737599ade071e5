package org.vse.provisioner.libvirt;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.OverlayDisk;
import org.vse.imagestore.Provides;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.TestImage;
import org.vse.provisioner.VmDriverContract.Guest;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;

/**
 * A libvirtd of the tests' own and specs that it can boot. Needs root.
 */
final class LibvirtRig implements AutoCloseable {
    static final int UID = 23456;
    private final CommandRunner commands = new CommandRunner();
    private final Path home;
    private final Image image;
    private final PrivateLibvirtd daemon;

    private LibvirtRig(Path home, Image image) {
        this.home = home;
        this.image = image;
        this.daemon = new PrivateLibvirtd(home.resolve("state"), home.resolve("run"), commands);
    }

    static LibvirtRig open() throws IOException {
        Path home = Files.createTempDirectory("vse");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
        return new LibvirtRig(home, TestImage.debian());
    }

    PrivateLibvirtd daemon() {
        return daemon;
    }

    /** As another process would name it. */
    PrivateLibvirtd sameDaemon() {
        return new PrivateLibvirtd(home.resolve("state"), home.resolve("run"), commands);
    }

    Kernel kernel(Provides needed) {
        return (Kernel) image.bootFor(Set.of(needed));
    }

    Path directory(VmName name) {
        return home.resolve(name.value());
    }

    VmSpec spec(VmName name, VmLabel label, Guest guest) throws IOException {
        Path own = Files.createDirectories(directory(name));
        Path disk = own.resolve("disk.qcow2");
        Files.deleteIfExists(disk);
        OverlayDisk.create(commands, image, disk, OptionalLong.empty());
        Path console = own.resolve("console");
        Path stdout = own.resolve("stdout");
        for (Path file : List.of(console, stdout)) {
            Files.deleteIfExists(file);
            Files.createFile(file);
        }
        for (Path file : List.of(own, disk, console, stdout)) {
            Files.setAttribute(file, "unix:uid", UID);
            Files.setAttribute(file, "unix:gid", UID);
        }
        return new VmSpec(
                name,
                UUID.randomUUID(),
                label,
                VmSpec.Accelerator.TCG,
                1,
                List.of(),
                256L << 20,
                disk,
                kernel(Provides.NFS).vmlinuz(),
                kernel(Provides.NFS).initrd(),
                commandLine(guest),
                UID,
                UID,
                List.of(),
                List.of(new VmSpec.Channel("vse.stdout", stdout)),
                List.of(),
                console,
                null);
    }

    private String commandLine(Guest guest) {
        return switch (guest) {
            case ANSWERS -> kernel(Provides.NFS).commandLine();
            case SILENT -> "console=ttyS0 quiet rdinit=/bin/busybox -- sleep 100000";
            case POWERS_OFF -> "console=ttyS0 quiet rdinit=/bin/poweroff -- -f";
        };
    }

    static ProcessIdentity process(VmStatus machine) {
        String[] parts = machine.process().split(":", -1);
        return new ProcessIdentity(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
    }

    /** A QEMU that libvirtd asked for its capabilities may still tidy up in there. */
    @Override
    public void close() {
        daemon.stop();
        await().ignoreExceptionsInstanceOf(IOException.class)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .untilAsserted(this::deleteHome);
    }

    private void deleteHome() throws IOException {
        try (Stream<Path> all = Files.walk(home)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}

package org.vse.provisioner.guest;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.OverlayDisk;
import org.vse.imagestore.Provides;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.TestImage;

/**
 * A machine of plain QEMU, without libvirt.
 */
public final class PlainGuest implements AutoCloseable {
    private static final Duration BOOT = Duration.ofSeconds(90);

    /** Control of the guest. */
    public final AgentGuestControl control;

    final SocketAgentTransport transport;
    private final Path directory;
    private final Process qemu;

    private PlainGuest(Path directory, Process qemu, SocketAgentTransport transport) {
        this.directory = directory;
        this.qemu = qemu;
        this.transport = transport;
        this.control = new AgentGuestControl(transport);
    }

    /** Boots on core 0 and waits for the agent. */
    public static PlainGuest boot(String... moreOptions) throws IOException {
        return bootOn(0, moreOptions);
    }

    /** Boots on a core of the host and waits for the agent. Processor, memory and disk are as a job's machine has them. */
    public static PlainGuest bootOn(int core, String... moreOptions) throws IOException {
        Image image = TestImage.debian();
        Kernel kernel = (Kernel) image.bootFor(Set.of(Provides.NFS));
        Path directory = Files.createTempDirectory("vse-guest");
        CommandRunner runner = new CommandRunner();
        Path overlay = directory.resolve("overlay");
        OverlayDisk.create(runner, image, overlay, OptionalLong.empty());
        List<String> argv = new ArrayList<>(List.of("taskset", "-c", Integer.toString(core)));
        argv.addAll(List.of("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,tb-size=32"));
        argv.addAll(List.of("-cpu", "max", "-m", "512", "-nodefaults", "-no-user-config", "-display", "none"));
        argv.addAll(List.of("-kernel", kernel.vmlinuz().toString()));
        argv.addAll(List.of("-initrd", kernel.initrd().toString()));
        argv.addAll(List.of("-append", kernel.commandLine()));
        argv.addAll(List.of("-drive", "if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file=" + overlay));
        argv.addAll(List.of("-device", "virtio-blk-pci,drive=disk"));
        argv.addAll(List.of("-serial", "file:" + directory.resolve("console"), "-device", "virtio-serial-pci"));
        Path socket = directory.resolve("agent");
        argv.addAll(List.of("-chardev", "socket,server=on,wait=off,id=agent,path=" + socket));
        argv.addAll(List.of("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"));
        for (String port : List.of(GuestJob.STDOUT_PORT, GuestJob.STDERR_PORT, ControlRecords.PORT)) {
            Path file = Files.createFile(directory.resolve(port));
            argv.addAll(List.of("-chardev", "file,append=on,id=" + port + ",path=" + file));
            argv.addAll(List.of("-device", "virtserialport,chardev=" + port + ",name=" + port));
        }
        argv.addAll(List.of(moreOptions));
        Process qemu = runner.start(Command.of(argv), directory.resolve("log"));
        try {
            long end = System.nanoTime() + BOOT.toNanos();
            Optional<SocketAgentTransport> agent = SocketAgentTransport.connect(socket);
            while (agent.isEmpty()) {
                if (!qemu.isAlive() || System.nanoTime() > end) {
                    throw new AssertionError("QEMU: " + Files.readString(directory.resolve("log")));
                }
                LockSupport.parkNanos(5_000_000);
                agent = SocketAgentTransport.connect(socket);
            }
            PlainGuest guest = new PlainGuest(directory, qemu, agent.get());
            guest.control.awaitReady(Instant.now().plus(BOOT));
            return guest;
        } catch (Throwable e) {
            qemu.destroyForcibly();
            throw e;
        }
    }

    /** QEMU's process. */
    public long pid() {
        return qemu.pid();
    }

    /** The host's file behind a port. */
    public Path file(String port) {
        return directory.resolve(port);
    }

    /** A directory for further files, gone with the guest. */
    Path directory() {
        return directory;
    }

    /** Forgets the script that has ended, which no host ever does: one boot serves many tests. */
    void forgetScript() throws IOException {
        sh("for group in /sys/fs/cgroup/vse.*; do [ ! -e $group ] || echo 1 > $group/cgroup.kill; done");
        sh("rm -rf /run/vse/job /run/vse/started");
        for (String port : List.of(GuestJob.STDOUT_PORT, GuestJob.STDERR_PORT, ControlRecords.PORT)) {
            try (FileChannel file = FileChannel.open(file(port), StandardOpenOption.WRITE)) {
                file.truncate(0);
            }
        }
    }

    /** Runs a line of shell as root in the guest and returns its standard output; it has to exit 0. */
    String sh(String line) {
        GuestControl.GuestResult result =
                control.exec(List.of("/bin/sh", "-c", line), new byte[0], Duration.ofSeconds(60), 1 << 20);
        if (result.exitCode() != 0) {
            throw new AssertionError(line + ": " + result);
        }
        return result.stdout();
    }

    @Override
    public void close() throws IOException {
        transport.close();
        qemu.destroyForcibly().onExit().join();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}

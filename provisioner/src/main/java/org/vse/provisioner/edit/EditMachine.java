package org.vse.provisioner.edit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.OverlayDisk;
import org.vse.imagestore.Staging;
import org.vse.process.CommandRunner;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.accelerator.AcceleratorChoice;
import org.vse.provisioner.accelerator.ProbeGuest;
import org.vse.provisioner.guest.AgentGuestControl;
import org.vse.provisioner.guest.GuestControl;

/**
 * One machine over an image. It has no network, no share and no job; what is done in it happens to an overlay, so that the
 * image stays what it is. Closing ends the machine and removes the overlay.
 */
public final class EditMachine implements AutoCloseable {
    /** Owner in the label of such machines. */
    public static final String OWNER = "image-edit";

    /** What the machine of {@code vse image edit} is called. */
    public static final Called EDIT = new Called(new VmName("vse-image-edit"), new VmLabel(OWNER, "edit", 1, 0));

    private static final int MAX_OUTPUT = 4 << 20;

    /** Until the guest's file system is read-only; then nothing of it is in the guest's memory alone. */
    private static final String SETTLE = "PATH=/usr/sbin:/usr/bin:/sbin:/bin; sync; echo u >/proc/sysrq-trigger; "
            + "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
            + "while read -r device at type options; do case \"$at $options\" in '/ ro'|'/ ro,'*|'/ ro '*) exit 0;; esac; "
            + "done </proc/mounts; sleep 1; done; exit 1";

    private static final String POWER_OFF =
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec setsid poweroff </dev/null >/dev/null 2>&1 &";

    private final VmDriver driver;
    private final Called called;
    private final Path directory;
    private final CountDownLatch ended;
    private final GuestControl guest;

    /** Name and label of a machine, by which it is found when this process has died. */
    public record Called(VmName name, VmLabel label) {}

    /** Tells machines of their ends; one for each driver. */
    public static final class Ends {
        private final Map<VmName, CountDownLatch> awaited = new ConcurrentHashMap<>();

        public Ends(VmDriver driver) {
            driver.onEnd((name, why) -> Optional.ofNullable(awaited.get(name)).ifPresent(CountDownLatch::countDown));
        }

        private CountDownLatch await(VmName name) {
            CountDownLatch latch = new CountDownLatch(1);
            awaited.put(name, latch);
            return latch;
        }
    }

    /**
     * What such a machine is on its host.
     *
     * @param directory made, and removed at the end; short, because it holds a socket
     * @param uid of QEMU, no job's
     * @param gid of QEMU
     * @param cores of the host, one for each virtual processor; empty for any
     * @param boot until the guest has to answer
     */
    public record Host(
            Path directory, int uid, int gid, int vcpus, List<Integer> cores, long memoryBytes, Duration boot) {
        public Host {
            cores = List.copyOf(cores);
        }
    }

    private EditMachine(VmDriver driver, Called called, CountDownLatch ended, Path directory) {
        this.driver = driver;
        this.called = called;
        this.ended = ended;
        this.directory = directory;
        this.guest = new AgentGuestControl((json, timeout) -> driver.agent(called.name(), json, timeout));
    }

    /**
     * Boots an image. What an earlier one left that died is removed first; the caller sees to it that there is one at a time.
     *
     * @param started told of the machine as soon as it runs, before its guest answers
     * @param withTerminal whether there is to be a {@link #terminal}
     * @throws VseException BOOT_TIMEOUT, GUEST_DIED, LIBVIRT_FAILED, STORAGE_FAILED; then nothing of the machine is left
     */
    public static EditMachine boot(
            VmDriver driver,
            Ends ends,
            Called called,
            CommandRunner commands,
            AcceleratorChoice accelerators,
            Host host,
            Image image,
            Consumer<VmStatus> started,
            boolean withTerminal,
            AcceleratorChoice.Waiting waiting) {
        EditMachine machine = new EditMachine(driver, called, ends.await(called.name()), host.directory());
        machine.close();
        boolean good = false;
        try {
            Kernel kernel = image.kernels().get(0);
            VmSpec.Accelerator accelerator = accelerators.choose(
                    new ProbeGuest(
                            image.digest() + " " + kernel.name(),
                            kernel.vmlinuz(),
                            kernel.initrd(),
                            kernel.commandLine(),
                            host.uid(),
                            host.gid(),
                            host.cores()),
                    waiting);
            Files.createDirectories(
                    host.directory(),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            own(host.directory(), host);
            OverlayDisk.create(commands, image, machine.disk(), OptionalLong.empty());
            own(machine.disk(), host);
            own(Files.createFile(machine.console()), host);
            started.accept(driver.start(machine.spec(kernel, accelerator, host, withTerminal), new Origin.Cold()));
            machine.guest.awaitReady(Instant.now().plus(host.boot()));
            machine.guest.setClock(Instant.now());
            good = true;
            return machine;
        } catch (IOException e) {
            throw VseException.storage("a file of the machine cannot be made", host.directory(), e);
        } finally {
            if (!good) {
                machine.close();
            }
        }
    }

    private VmSpec spec(Kernel kernel, VmSpec.Accelerator accelerator, Host host, boolean withTerminal) {
        @Nullable Path terminal = withTerminal ? terminal() : null;
        return new VmSpec(
                called.name(),
                UUID.randomUUID(),
                called.label(),
                accelerator,
                host.vcpus(),
                host.cores(),
                host.memoryBytes(),
                disk(),
                kernel.vmlinuz(),
                kernel.initrd(),
                kernel.commandLine(),
                host.uid(),
                host.gid(),
                List.of(),
                List.of(),
                List.of(),
                console(),
                terminal);
    }

    private static void own(Path file, Host host) throws IOException {
        Files.setAttribute(file, "unix:gid", host.gid());
        Files.setAttribute(file, "unix:uid", host.uid());
    }

    /** The overlay; of use after {@link #powerOff}. */
    public Path disk() {
        return directory.resolve("disk.qcow2");
    }

    /** Socket behind the guest's {@code hvc0}. */
    public Path terminal() {
        return directory.resolve("tty");
    }

    private Path console() {
        return directory.resolve("console");
    }

    /**
     * Runs one program in the guest as root.
     *
     * @throws VseException as {@link GuestControl#exec}
     */
    public GuestControl.GuestResult run(List<String> argv, byte[] stdin, Duration timeout) {
        return guest.exec(argv, stdin, timeout, MAX_OUTPUT);
    }

    /**
     * Ends the machine so that its disk is whole.
     *
     * @throws VseException GUEST_UNRESPONSIVE when the guest does not settle its disk or does not power off in time
     */
    public void powerOff(Duration within) {
        if (run(List.of("/bin/sh", "-c", SETTLE), new byte[0], within).exitCode() != 0) {
            throw unwilling("did not make its disk read-only");
        }
        run(List.of("/bin/sh", "-c", POWER_OFF), new byte[0], within);
        try {
            if (!ended.await(within.toMillis(), TimeUnit.MILLISECONDS)) {
                throw unwilling("did not power off");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while a machine powered off")
                    .because(e);
        }
    }

    private VseException unwilling(String what) {
        return VseException.of(ErrorCode.GUEST_UNRESPONSIVE, "the guest " + what)
                .next("see what an image must have: docs/images.md");
    }

    @Override
    public void close() {
        remove(driver, called.name(), directory);
    }

    /**
     * Removes what a machine of that name has left.
     *
     * @throws VseException STORAGE_FAILED
     */
    public static void remove(VmDriver driver, VmName name, Path directory) {
        driver.destroy(name);
        try {
            Staging.removeTree(directory);
        } catch (IOException e) {
            throw VseException.storage("the files of a machine cannot be removed", directory, e);
        }
    }
}

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
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
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

    private static final Logger LOG = LoggerFactory.getLogger(EditMachine.class);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(200);

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
    private final Host host;
    private final CountDownLatch ended;
    private final ScheduledExecutorService watch;
    private volatile boolean isTooLarge;
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
     * @param disks what the machine changes goes there; made, and removed at the end
     * @param bound of what the machine changes
     * @param uid of QEMU, no job's
     * @param gid of QEMU
     * @param cores of the host, one for each virtual processor; empty for any
     * @param boot until the guest has to answer
     */
    public record Host(
            Path directory,
            Path disks,
            Bound bound,
            int uid,
            int gid,
            int vcpus,
            List<Integer> cores,
            long memoryBytes,
            Duration boot) {
        public Host {
            cores = List.copyOf(cores);
        }
    }

    /**
     * How large a machine's overlay may become: QEMU knows no bound but the size of the disk. A machine beyond it is ended.
     *
     * @param bytes looked at a few times a second, so that a fast disk takes some more
     * @param beyond what a call fails with from then on
     */
    public record Bound(long bytes, Supplier<VseException> beyond) {}

    private EditMachine(VmDriver driver, Called called, CountDownLatch ended, Host host) {
        this.driver = driver;
        this.called = called;
        this.ended = ended;
        this.host = host;
        this.watch = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "edit-bound");
            thread.setDaemon(true);
            return thread;
        });
        this.guest = new AgentGuestControl((json, timeout) -> driver.agent(called.name(), json, timeout));
    }

    /**
     * Boots an image. What an earlier one left that died is removed first; the caller sees to it that there is one at a time.
     *
     * @param images the image's store
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
            ImageStore images,
            Image image,
            Consumer<VmStatus> started,
            boolean withTerminal,
            AcceleratorChoice.Waiting waiting) {
        EditMachine machine = new EditMachine(driver, called, ends.await(called.name()), host);
        remove(driver, called.name(), host.directory(), host.disks());
        boolean good = false;
        try {
            VmSpec.Accelerator accelerator = accelerators.choose(() -> probe(images.withKernel(image), host), waiting);
            for (Path directory : List.of(host.directory(), host.disks())) {
                Files.createDirectories(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                own(directory, host);
            }
            OverlayDisk.create(commands, image, machine.disk(), OptionalLong.empty());
            own(machine.disk(), host);
            own(Files.createFile(machine.console()), host);
            machine.bound();
            started.accept(driver.start(machine.spec(boot(image), accelerator, host, withTerminal), new Origin.Cold()));
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

    private static ProbeGuest probe(Image image, Host host) {
        return ProbeGuest.of(image, image.kernels().get(0), host.uid(), host.gid(), host.cores());
    }

    private static VmSpec.Boot boot(Image image) {
        return image.boots().get(0) instanceof Kernel kernel
                ? new VmSpec.Boot.Direct(kernel.vmlinuz(), kernel.initrd(), kernel.commandLine())
                : new VmSpec.Boot.Loader();
    }

    private VmSpec spec(VmSpec.Boot boot, VmSpec.Accelerator accelerator, Host host, boolean withTerminal) {
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
                boot,
                host.uid(),
                host.gid(),
                List.of(),
                List.of(),
                List.of(),
                console(),
                terminal,
                List.of());
    }

    private void bound() {
        var unused = watch.scheduleWithFixedDelay(
                () -> {
                    if (disk().toFile().length() <= host.bound().bytes()) {
                        return;
                    }
                    isTooLarge = true;
                    try {
                        driver.destroy(called.name());
                    } catch (VseException e) {
                        LOG.warn("a machine over its bound cannot be ended yet", e);
                    }
                },
                BETWEEN_LOOKS.toMillis(),
                BETWEEN_LOOKS.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private static void own(Path file, Host host) throws IOException {
        Files.setAttribute(file, "unix:gid", host.gid());
        Files.setAttribute(file, "unix:uid", host.uid());
    }

    /** The overlay; of use after {@link #powerOff}. */
    public Path disk() {
        return host.disks().resolve("disk.qcow2");
    }

    /** Socket behind the guest's {@code hvc0}. */
    public Path terminal() {
        return host.directory().resolve("tty");
    }

    private Path console() {
        return host.directory().resolve("console");
    }

    /**
     * Runs one program in the guest as root.
     *
     * @throws VseException as {@link GuestControl#exec}; what the bound says once the overlay is beyond it
     */
    public GuestControl.GuestResult run(List<String> argv, byte[] stdin, Duration timeout) {
        try {
            return guest.exec(argv, stdin, timeout, MAX_OUTPUT);
        } catch (VseException e) {
            throw isTooLarge ? host.bound().beyond().get().because(e) : e;
        }
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
            if (isTooLarge || disk().toFile().length() > host.bound().bytes()) {
                throw host.bound().beyond().get();
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
        watch.shutdownNow();
        remove(driver, called.name(), host.directory(), host.disks());
    }

    /**
     * Removes what a machine of that name has left.
     *
     * @throws VseException STORAGE_FAILED
     */
    public static void remove(VmDriver driver, VmName name, Path... directories) {
        driver.destroy(name);
        for (Path directory : directories) {
            try {
                Staging.removeTree(directory);
            } catch (IOException e) {
                throw VseException.storage("the files of a machine cannot be removed", directory, e);
            }
        }
    }
}

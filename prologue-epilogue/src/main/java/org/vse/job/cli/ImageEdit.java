package org.vse.job.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Retag;
import org.vse.imagestore.foreign.ImageCommit;
import org.vse.imagestore.foreign.ImportLimits;
import org.vse.job.Standing;
import org.vse.job.daemon.NodeSettings;
import org.vse.policy.ByteSize;
import org.vse.process.CommandRunner;
import org.vse.provisioner.accelerator.AcceleratorChoice;
import org.vse.provisioner.accelerator.KvmProbe;
import org.vse.provisioner.accelerator.ProbeHost;
import org.vse.provisioner.accelerator.ProbeRecord;
import org.vse.provisioner.accelerator.ProbedAccelerator;
import org.vse.provisioner.edit.EditMachine;
import org.vse.provisioner.guest.GuestControl.GuestResult;
import org.vse.provisioner.libvirt.LibvirtDriver;
import org.vse.provisioner.libvirt.PrivateLibvirtd;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Changes an image in a machine of its own and keeps the result under a tag. */
@Command(
        name = "edit",
        description = {
            "Boots an image on this machine, without a network, and keeps what root does in it as a new image; for root.",
            "With a command it is run in the guest: when it fails, nothing changes. Without one there is a shell of the",
            "guest at this terminal, and a question at its end. Needs no vsed; the image itself stays what it is."
        },
        footer = {
            "%nExamples:",
            "  vse image edit debian-12 --tag mine",
            "  vse image edit debian-12 --tag motd -- /bin/sh -c 'echo hello >/etc/motd'",
            "  vse image edit debian-12 --tag tool --put hello.deb:/root/hello.deb -- /usr/bin/dpkg -i /root/hello.deb"
        })
final class ImageEdit implements Callable<Integer> {
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final Duration END = Duration.ofMinutes(2);
    private static final Duration LONGEST = Duration.ofHours(12);
    private static final long MEMORY = 1L << 30;
    private static final int PIECE = 1 << 20;

    /** The guest's shell on its terminal. The answer to its last question is the exit code. */
    private static final String SHELL = "exec setsid -c /bin/sh -c 'cd /root; TERM=$1 HOME=/root PATH=/usr/local/sbin:"
            + "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export TERM HOME PATH; sh=/bin/sh; "
            + "[ ! -x /bin/bash ] || sh=/bin/bash; $sh -i; printf \"keep the changes? [y/N] \"; read -r answer; "
            + "[ \"$answer\" = y ]' sh \"$1\" </dev/hvc0 >/dev/hvc0 2>&1";

    private final Context context;

    @Parameters(index = "0", paramLabel = "IMAGE", description = "NAME, NAME:TAG, NAME@sha256:HEX or sha256:HEX.")
    private String reference = "";

    @Parameters(
            index = "1..*",
            paramLabel = "COMMAND",
            description = "A program of the guest with its absolute path, and its arguments, after '--'.")
    private List<String> command = new ArrayList<>();

    @Option(names = "--tag", paramLabel = "TAG", description = "Tag of the result; else that of the image.")
    private String newTag = "";

    @Option(
            names = "--put",
            paramLabel = "FILE:PATH",
            description = "Copies a file into the guest before; may be given more than once.")
    private List<String> files = new ArrayList<>();

    @Option(
            names = "--build-size",
            paramLabel = "SIZE",
            defaultValue = "4GiB",
            description = "What the changes may take of the disk; default: ${DEFAULT-VALUE}.")
    private String buildSize = "";

    @Mixin
    private ImageCommands.Force force = new ImageCommands.Force();

    ImageEdit(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException {
        if (context.site().standing() != Standing.ROOT) {
            throw VseException.of(
                            ErrorCode.NOT_PERMITTED, "the files of an image belong to root, and only root edits one")
                    .next("sudo " + String.join(" ", context.self().with("image", "edit", reference)));
        }
        if (command.isEmpty() && !context.io().inIsTerminal()) {
            throw VseException.of(ErrorCode.USAGE, "without a terminal a command is to be given")
                    .next("vse image edit " + reference + " --tag TAG -- COMMAND");
        }
        long most = ByteSize.parse(buildSize).orElse(0);
        if (most < ByteSize.MIB) {
            throw VseException.of(ErrorCode.USAGE, "'" + buildSize + "' is no size, or none to change anything in")
                    .fact("expected", "512MiB, 4GiB");
        }
        logNothing();
        ImageStore store = context.site().images();
        Image base = store.resolve(reference);
        String tag = newTag.isEmpty() ? base.tag() : newTag;
        requireTag(store, base.name(), tag);
        store.verify(base);
        Path directory = context.site().state().resolve("edit");
        Files.createDirectories(directory);
        try (FileChannel file = FileChannel.open(
                        directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = file.tryLock()) {
            if (lock == null) {
                throw VseException.of(ErrorCode.DAEMON_BUSY, "another image is being edited on this machine")
                        .next("wait for its end");
            }
            requireSpace(directory, most);
            return edit(store, base, tag, directory, most);
        }
    }

    private void requireTag(ImageStore store, String name, String tag) {
        if (!tag.matches("[a-z0-9][a-z0-9._-]{0,63}")) {
            throw VseException.of(ErrorCode.USAGE, "the result needs a tag")
                    .fact("expected", "a-z, 0-9, '.', '_' and '-', at most 64 of them")
                    .next("vse image edit " + reference + " --tag TAG");
        }
        boolean isTaken =
                store.list().stream().anyMatch(image -> image.reference().equals(name + ":" + tag));
        if (isTaken && force.retag() == Retag.REFUSE) {
            throw VseException.of(ErrorCode.IMAGE_EXISTS, "tag '" + name + ":" + tag + "' points to an image")
                    .next("another --tag, or --force: jobs that were admitted keep theirs");
        }
    }

    /** What the machine's parts log is of use to who looks after a daemon; here an error says it all. */
    private static void logNothing() {
        ((LoggerContext) LoggerFactory.getILoggerFactory())
                .getLogger(Logger.ROOT_LOGGER_NAME)
                .setLevel(Level.OFF);
    }

    private int edit(ImageStore store, Image base, String tag, Path directory, long most) throws IOException {
        NodeSettings settings = NodeSettings.read(context.site().config().resolve("vsed.yaml"));
        int gid = settings.qemuGid().orElse(NodeSettings.NOBODY);
        EditMachine.Host host = new EditMachine.Host(
                context.site().run().resolve("edit/m"),
                directory.resolve("m"),
                new EditMachine.Bound(most, () -> tooLarge(most)),
                settings.firstQemuUid() + settings.qemuUids(),
                gid,
                1,
                List.of(),
                MEMORY,
                BOOT);
        PrivateLibvirtd libvirtd =
                new PrivateLibvirtd(directory, context.site().run().resolve("edit"), context.runner());
        Files.createDirectories(context.site().run().resolve("edit"));
        context.io().say("vse: booting image '" + base.reference() + "', " + base.digest());
        try (LibvirtDriver driver = new LibvirtDriver(EditMachine.OWNER, libvirtd);
                EditMachine machine = EditMachine.boot(
                        driver,
                        new EditMachine.Ends(driver),
                        EditMachine.EDIT,
                        context.runner(),
                        accelerators(settings, libvirtd),
                        host,
                        store,
                        base,
                        started -> {},
                        command.isEmpty(),
                        (what, until) -> context.io().say("vse: waiting for " + what))) {
            for (String file : files) {
                put(machine, file);
            }
            if (command.isEmpty()) {
                interact(machine);
            } else {
                run(machine);
            }
            machine.powerOff(END);
            String source = "edit of " + base.reference() + " (" + base.digest() + ")"
                    + (command.isEmpty() ? "" : ": " + String.join(" ", command));
            Image image = new ImageCommit(context.runner(), store, ImportLimits.DEFAULT)
                    .add(
                            base,
                            machine.disk(),
                            tag,
                            force.retag(),
                            source,
                            (what, expected) -> context.io().say("vse: image: " + what));
            context.io().say("vse: image '" + image.reference() + "' is ready");
            context.io().print(image.digest());
            return 0;
        } finally {
            libvirtd.stop();
        }
    }

    private static VseException tooLarge(long most) {
        return VseException.of(ErrorCode.IMAGE_BUILD_FAILED, "the changes are too large; nothing was kept")
                .fact("allowed", (most >> 20) + " MiB")
                .next("--build-size with more, or less to change");
    }

    /** A guest whose host has no space left stands still without a word. */
    private static void requireSpace(Path directory, long most) {
        long free = directory.toFile().getUsableSpace();
        if (free < most) {
            throw VseException.of(ErrorCode.DISK_FULL, "not enough space for what an edit may change")
                    .fact("path", directory)
                    .fact("needed", (most >> 20) + " MiB")
                    .fact("free", (free >> 20) + " MiB")
                    .next("vse image gc, or --build-size with less");
        }
    }

    private AcceleratorChoice accelerators(NodeSettings settings, PrivateLibvirtd libvirtd) {
        return settings.accelerator()
                .map(AcceleratorChoice::fixed)
                .orElseGet(() -> new ProbedAccelerator(
                        new KvmProbe(
                                context.runner(),
                                context.site().state().resolve("edit/accelerator.log"),
                                libvirtd::mountNamespace),
                        group -> ProbeHost.read(Path.of("/"), CommandRunner.find(ProbeHost.QEMU), group),
                        context.site().state().resolve("edit").resolve(ProbeRecord.FILE),
                        Clock.systemUTC()));
    }

    private void put(EditMachine machine, String file) throws IOException {
        int colon = file.lastIndexOf(":/");
        if (colon < 1) {
            throw VseException.of(ErrorCode.USAGE, "'" + file + "' is no FILE:PATH");
        }
        String to = file.substring(colon + 1);
        require(machine.run(List.of("/bin/sh", "-c", ": >\"$1\"", "sh", to), new byte[0], END), "making " + to);
        try (InputStream in = Files.newInputStream(context.directory().resolve(file.substring(0, colon)))) {
            for (byte[] piece = in.readNBytes(PIECE); piece.length > 0; piece = in.readNBytes(PIECE)) {
                require(machine.run(List.of("/bin/sh", "-c", "cat >>\"$1\"", "sh", to), piece, END), "writing " + to);
            }
        }
    }

    private void run(EditMachine machine) throws IOException {
        context.io().say("vse: running " + command.get(0));
        GuestResult result = machine.run(command, new byte[0], LONGEST);
        context.io().out().write(result.stdout().getBytes(StandardCharsets.UTF_8));
        context.io().err().write(result.stderr().getBytes(StandardCharsets.UTF_8));
        require(result, "the command");
    }

    private void require(GuestResult result, String what) {
        if (result.exitCode() != 0) {
            List<String> said =
                    (result.stdout() + result.stderr()).strip().lines().toList();
            throw VseException.of(
                            ErrorCode.IMAGE_BUILD_FAILED,
                            what + " ended with exit code " + result.exitCode() + " in the guest; nothing was kept")
                    .fact("said", String.join("\n", said.subList(Math.max(0, said.size() - 6), said.size())));
        }
    }

    /** A shell at this terminal. When this process ends early, so does the machine, and nothing is kept. */
    private void interact(EditMachine machine) throws IOException {
        String type = Optional.ofNullable(context.environment().get("TERM")).orElse("dumb");
        int answer;
        RawMode raw = RawMode.enter(context.runner());
        try (SocketChannel terminal = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            terminal.connect(UnixDomainSocketAddress.of(machine.terminal()));
            copy(Channels.newInputStream(terminal), context.io().out());
            copy(context.io().in(), Channels.newOutputStream(terminal));
            answer = machine.run(List.of("/bin/sh", "-c", SHELL, "sh", type), new byte[0], LONGEST)
                    .exitCode();
        } finally {
            raw.close();
        }
        if (answer != 0) {
            throw VseException.of(ErrorCode.IMAGE_BUILD_FAILED, "nothing was kept, as answered");
        }
    }

    private static void copy(InputStream from, OutputStream to) {
        Thread thread = new Thread(
                () -> {
                    try {
                        byte[] buffer = new byte[1 << 14];
                        for (int length; (length = from.read(buffer)) > 0; ) {
                            to.write(buffer, 0, length);
                            to.flush();
                        }
                    } catch (IOException e) {
                        // The machine or the terminal is gone; the shell's end tells which.
                        return;
                    }
                },
                "terminal");
        thread.setDaemon(true);
        thread.start();
    }
}

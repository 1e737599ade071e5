package org.vse.provisioner.libvirt;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;

/**
 * A libvirtd of our own beside the host's: own configuration, sockets, capability cache and logs, so that neither the site's
 * settings nor its domains and ours meet. In {@link LibvirtScope#SYSTEM} by bind mounts in a mount namespace of its own,
 * which needs root; in {@link LibvirtScope#SESSION} by the variables that say where an ordinary user's libvirt keeps things.
 *
 * <p>It runs in a session of its own under {@code tini -s}, which reaps QEMU where PID 1 is slow to do so, and outlives this
 * process; whoever comes next adopts it. Machines outlive it in turn.
 */
public final class PrivateLibvirtd {
    private static final Logger LOG = LoggerFactory.getLogger(PrivateLibvirtd.class);
    private static final Path KVM = Path.of("/dev/kvm");
    private static final Path HOST_QEMU_CONF = Path.of("/etc/libvirt/qemu.conf");
    /** The first start asks QEMU for its capabilities, which has taken 5 s. */
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
    private static final long LOG_MAX_BYTES = 4 << 20;
    private static final int SIGTERM = 15;
    private static final int SIGKILL = 9;

    private final DaemonDirectories at;
    private final CommandRunner commands;

    /** Root's; see the other constructor. */
    public PrivateLibvirtd(Path state, Path run, CommandRunner commands) {
        this(state, run, LibvirtScope.SYSTEM, commands);
    }

    /**
     * @param state directory that survives a reboot
     * @param run directory that does not
     * @param scope SYSTEM as root, SESSION as anybody else
     * @throws VseException CONFIG_INVALID when {@code run} is too long for sockets in it
     */
    public PrivateLibvirtd(Path state, Path run, LibvirtScope scope, CommandRunner commands) {
        this.at = new DaemonDirectories(state, run, scope);
        this.commands = commands;
    }

    /**
     * Returns when the daemon serves, started now if none is alive. Safe to call from several threads and processes.
     *
     * @throws VseException PACKAGE_MISSING, or LIBVIRT_FAILED with what the daemon printed
     */
    public synchronized void ensureRunning() {
        if (identity().isPresent()) {
            return;
        }
        try {
            at.create();
            try (FileChannel lock = FileChannel.open(at.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    var held = lock.lock()) {
                if (held.isValid() && identity().isEmpty()) {
                    start();
                }
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.LIBVIRT_FAILED, "cannot prepare a libvirtd of our own")
                    .fact("reason", e)
                    .because(e);
        }
    }

    /**
     * The daemon, empty when none is alive: the process that holds the lock on libvirtd's own pid file (proc_locks(5)). Its
     * parent, which reaps what it leaves, may have been killed without it.
     */
    public Optional<ProcessIdentity> identity() {
        try {
            Path file = at.daemonPid();
            String inode = ":" + Files.getAttribute(file, "unix:ino");
            for (String line : Files.readAllLines(Path.of("/proc/locks"))) {
                // 1: POSIX  ADVISORY  WRITE 349 fe:00:1234 0 EOF
                String[] words = line.strip().split(" +", -1);
                if (words.length > 5 && words[1].equals("POSIX") && words[5].endsWith(inode)) {
                    Optional<ProcessIdentity> holder = ProcessIdentity.of(Long.parseLong(words[4]));
                    if (holder.isPresent() && isOurs(holder.get(), file)) {
                        return holder;
                    }
                }
            }
            return Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | NumberFormatException e) {
            throw VseException.of(ErrorCode.LIBVIRT_FAILED, "cannot tell whether our libvirtd is alive")
                    .fact("file", at.daemonPid())
                    .fact("reason", e)
                    .because(e);
        }
    }

    /** Inodes are unique on one file system only; the file itself says whom it belongs to. */
    private static boolean isOurs(ProcessIdentity holder, Path file) throws IOException {
        return Files.readString(file).strip().equals(Long.toString(holder.pid())) && holder.alive();
    }

    /** Where the daemon and its machines see their own {@code /dev/kvm}; empty when no daemon is alive. */
    public Optional<Path> mountNamespace() {
        return identity().map(daemon -> Path.of("/proc", Long.toString(daemon.pid()), "ns/mnt"));
    }

    /** Ends the daemon; machines go on. Idempotent. */
    public synchronized void stop() {
        Optional<ProcessIdentity> daemon = identity();
        if (daemon.isEmpty()) {
            return;
        }
        if (!end(daemon.get(), SIGTERM) && !end(daemon.get(), SIGKILL)) {
            throw VseException.of(ErrorCode.LIBVIRT_FAILED, "our libvirtd does not end")
                    .fact("pid", daemon.get().pid());
        }
    }

    /** Address for libvirt's clients. */
    URI uri() {
        try {
            return new URI("qemu+unix", null, at.scope().path(), "socket=" + at.socket(), null);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("no address for '" + at.socket() + "'", e);
        }
    }

    LibvirtScope scope() {
        return at.scope();
    }

    DaemonDirectories directories() {
        return at;
    }

    /** The QEMU of a machine, empty when it has ended. */
    Optional<ProcessIdentity> processOf(String name, UUID uuid) {
        try {
            long pid = Long.parseLong(Files.readString(at.machinePid(name)).strip());
            Optional<ProcessIdentity> process = ProcessIdentity.of(pid);
            // The pid may have passed to another process; the command line of QEMU says whose it is.
            List<String> argv = List.of(Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"))
                    .split("\0"));
            return argv.contains(uuid.toString()) ? process.filter(ProcessIdentity::alive) : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            // ESRCH: the process ended between open and read.
            return Optional.empty();
        }
    }

    private void start() throws IOException {
        Command command = at.scope() == LibvirtScope.SYSTEM ? systemCommand() : sessionCommand();
        configure();
        rotate(at.daemonLog());
        long begin = System.nanoTime();
        try (ReadySocket ready = ReadySocket.bind(at.ready())) {
            Map<String, String> environment = new HashMap<>(command.env());
            environment.put("NOTIFY_SOCKET", at.ready().toString());
            Process process = commands.start(command.withEnv(environment), at.daemonLog());
            var watch = process.onExit().thenRun(ready::abandon);
            boolean serves = ready.await(START_TIMEOUT);
            watch.cancel(false);
            if (!serves && identity().isPresent()) {
                // One that was just being started by somebody who was killed meanwhile.
                LOG.info("libvirtd serves already");
                return;
            }
            if (!serves) {
                boolean alive = process.isAlive();
                process.destroy();
                throw VseException.of(
                                ErrorCode.LIBVIRT_FAILED,
                                alive
                                        ? "libvirtd did not become ready within " + START_TIMEOUT.toSeconds() + " s"
                                        : "libvirtd ended at its start")
                        .fact("said", lastLines(at.daemonLog()))
                        .fact("log", at.daemonLog());
            }
        }
        LOG.info("libvirtd serves on {} after {} ms", at.socket(), (System.nanoTime() - begin) / 1_000_000);
    }

    private Command systemCommand() throws IOException {
        requirePrograms("setsid", "unshare", "mount", "tini", "libvirtd");
        List<String> argv = new ArrayList<>(List.of(
                "setsid",
                "unshare",
                "--mount",
                "--propagation",
                "slave",
                "sh",
                "-e",
                "-c",
                DaemonConfig.ENTER_NAMESPACE));
        argv.add("vse-libvirtd");
        argv.addAll(DaemonConfig.namespaceArguments(at, kvmNeedsOpening()));
        return Command.of(argv);
    }

    private Command sessionCommand() {
        return Command.of(
                        "setsid",
                        "tini",
                        "-s",
                        "--",
                        "libvirtd",
                        "--pid-file",
                        at.daemonPid().toString())
                .withEnv(DaemonConfig.sessionEnvironment(at));
    }

    private void configure() throws IOException {
        Path uuidFile = at.hostUuid();
        if (!Files.exists(uuidFile)) {
            Files.writeString(uuidFile, UUID.randomUUID() + "\n");
        }
        UUID hostUuid = UUID.fromString(Files.readString(uuidFile).strip());
        Files.writeString(at.etc().resolve("libvirtd.conf"), DaemonConfig.libvirtd(hostUuid));
        Path qemuConf = at.etc().resolve("qemu.conf");
        if (at.scope() == LibvirtScope.SESSION) {
            Files.writeString(qemuConf, DaemonConfig.qemuOfSession());
            return;
        }
        String host = Files.isReadable(HOST_QEMU_CONF) ? Files.readString(HOST_QEMU_CONF) : "";
        Files.writeString(qemuConf, DaemonConfig.qemu(host));
        Path lib = Files.createDirectories(at.lib().resolve("qemu"));
        Files.setPosixFilePermissions(lib, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static boolean kvmNeedsOpening() throws IOException {
        if (!Files.exists(KVM)) {
            return false;
        }
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(KVM);
        return !mode.contains(PosixFilePermission.OTHERS_READ) || !mode.contains(PosixFilePermission.OTHERS_WRITE);
    }

    private static void requirePrograms(String... names) {
        for (String name : names) {
            if (CommandRunner.find(name).isEmpty()) {
                throw VseException.of(ErrorCode.PACKAGE_MISSING, "the program '" + name + "' is not installed")
                        .next("apt-get install libvirt-daemon-system qemu-system-x86 tini util-linux");
            }
        }
    }

    private static boolean end(ProcessIdentity process, int signal) {
        var ended = ProcessHandle.of(process.pid()).map(ProcessHandle::onExit);
        if (!process.signal(signal) || ended.isEmpty()) {
            return !process.alive();
        }
        try {
            ended.get().get(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return !process.alive();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while libvirtd ends")
                    .because(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("waiting for a process cannot fail", e);
        }
    }

    private static void rotate(Path log) throws IOException {
        if (Files.exists(log) && Files.size(log) > LOG_MAX_BYTES) {
            Files.move(log, log.resolveSibling(log.getFileName() + ".1"), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static String lastLines(Path log) throws IOException {
        List<String> lines = Files.exists(log) ? Files.readAllLines(log) : List.of();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 8), lines.size()));
    }
}

package org.vse.provisioner.accelerator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * A guest in plain QEMU, with the machine type, processor, user, group and {@code /dev/kvm} that machines get. It has
 * booted when its kernel says on the serial console that it starts its first program (Linux 3.18 and later, init/main.c,
 * {@code Run /init as init process}).
 *
 * <p>QEMU is killed with the thread that started it (prctl(2), PR_SET_PDEATHSIG), so that a daemon that dies leaves none.
 */
public final class KvmProbe implements AcceleratorProbe {
    private static final String STARTED = "Run /init as init process";
    /** The console goes to our serial port, with all that the kernel says there. */
    private static final String SAYING = " console=ttyS0 loglevel=7";

    private static final int TAIL_CHARS = 4096;
    private static final long MAX_BYTES = 1 << 20;
    private static final int EVIDENCE_CHARS = 160;
    private static final Duration KILLED = Duration.ofSeconds(5);

    private final CommandRunner commands;
    private final Path log;
    private final Supplier<Optional<Path>> mountNamespace;
    private final List<String> acceleration;
    private final String under;

    /**
     * @param log what QEMU itself says is in this file afterwards
     * @param mountNamespace the mount namespace whose {@code /dev/kvm} machines get; empty for this process's own
     */
    public KvmProbe(CommandRunner commands, Path log, Supplier<Optional<Path>> mountNamespace) {
        this(commands, log, mountNamespace, List.of("-accel", "kvm", "-cpu", "host,migratable=on"), "KVM");
    }

    KvmProbe(
            CommandRunner commands,
            Path log,
            Supplier<Optional<Path>> mountNamespace,
            List<String> acceleration,
            String under) {
        this.commands = commands;
        this.log = log;
        this.mountNamespace = mountNamespace;
        this.acceleration = List.copyOf(acceleration);
        this.under = under;
    }

    /** @throws VseException COMMAND_MISSING, STORAGE_FAILED, or STEP_INTERRUPTED when this thread was interrupted */
    @Override
    public Answer boot(ProbeGuest guest, Duration deadline) {
        try {
            Files.deleteIfExists(log);
            Process qemu = commands.startReporting(Command.of(argv(guest)), log);
            try {
                return watch(qemu, deadline);
            } finally {
                end(qemu);
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the log of a probe of KVM cannot be used")
                    .at(log.toString())
                    .because(e);
        }
    }

    /** Every program before QEMU becomes the next one: the process that is started is QEMU in the end. */
    List<String> argv(ProbeGuest guest) {
        List<String> argv = new ArrayList<>();
        mountNamespace.get().ifPresent(namespace -> argv.addAll(List.of("nsenter", "--mount=" + namespace, "--")));
        if (!guest.cores().isEmpty()) {
            String cores = guest.cores().stream().map(String::valueOf).collect(Collectors.joining(","));
            argv.addAll(List.of("taskset", "--cpu-list", cores));
        }
        argv.add("setpriv");
        if (isRoot()) {
            argv.addAll(List.of("--reuid=" + guest.uid(), "--regid=" + guest.gid(), "--clear-groups"));
        }
        argv.addAll(List.of("--pdeathsig=KILL", "--", ProbeHost.QEMU));
        argv.addAll(acceleration);
        argv.addAll(List.of(
                "-machine",
                "q35",
                "-smp",
                "1",
                "-m",
                "256",
                "-nodefaults",
                "-no-user-config",
                "-no-reboot",
                "-display",
                "none",
                "-serial",
                "stdio",
                "-kernel",
                guest.vmlinuz().toString(),
                "-initrd",
                guest.initrd().toString(),
                "-append",
                guest.commandLine() + SAYING));
        return List.copyOf(argv);
    }

    private Answer watch(Process qemu, Duration deadline) throws IOException {
        long begin = System.nanoTime();
        Console console = new Console();
        CompletableFuture<Boolean> seen = new CompletableFuture<>();
        Thread reader = new Thread(() -> read(qemu.getInputStream(), console, seen), "kvm-probe");
        reader.setDaemon(true);
        reader.start();
        try {
            if (seen.get(deadline.toNanos(), TimeUnit.NANOSECONDS)) {
                double seconds = (System.nanoTime() - begin) / 1e9;
                return new Answer(
                        true, String.format(Locale.ROOT, "a guest booted under %s in %.1f s", under, seconds));
            }
            boolean ended = qemu.waitFor(KILLED.toMillis(), TimeUnit.MILLISECONDS);
            return new Answer(
                    false,
                    ended
                            ? "QEMU ended under " + under + " with exit code " + qemu.exitValue() + lastLine(log())
                            : "a guest under " + under + " wrote too much" + lastLine(console.end()));
        } catch (TimeoutException e) {
            return new Answer(
                    false,
                    "a guest did not boot under " + under + " within " + deadline.toMillis() / 1e3 + " s"
                            + lastLine(console.end()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "a probe of KVM was interrupted")
                    .because(e);
        } catch (ExecutionException e) {
            throw new IOException("the console of a probe guest", e.getCause());
        }
    }

    /** Completes with true when the guest has booted, with false when its console has ended or it wrote too much. */
    private static void read(InputStream from, Console console, CompletableFuture<Boolean> seen) {
        byte[] bytes = new byte[4096];
        long all = 0;
        try {
            for (int n = from.read(bytes); n > 0 && all < MAX_BYTES; n = from.read(bytes)) {
                all += n;
                if (console.shows(STARTED, new String(bytes, 0, n, StandardCharsets.ISO_8859_1))) {
                    seen.complete(true);
                    return;
                }
            }
            seen.complete(false);
        } catch (IOException e) {
            seen.completeExceptionally(e);
        }
    }

    private String log() throws IOException {
        byte[] said = Files.exists(log) ? Files.readAllBytes(log) : new byte[0];
        return new String(said, StandardCharsets.UTF_8);
    }

    /** The last line with something to read in it, escape sequences of terminals taken out. */
    static String lastLine(String text) {
        return text.replaceAll("\u001b\\[[0-9;?]*[A-Za-z]", "")
                .lines()
                .map(line -> line.replaceAll("[^\\x20-\\x7e]", "").strip())
                .filter(line -> !line.isEmpty())
                .reduce((before, last) -> last)
                .map(line -> ": '" + line.substring(0, Math.min(line.length(), EVIDENCE_CHARS)) + "'")
                .orElse(": it said nothing");
    }

    /** A process in the kernel ends when it comes out of it; it is dead for everybody else by then. */
    private static void end(Process qemu) {
        qemu.destroyForcibly();
        boolean interrupted = Thread.interrupted();
        try {
            qemu.waitFor(KILLED.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The last of what a guest wrote, for the thread that reads and the one that gives up. */
    private static final class Console {
        private String end = "";

        /** Adds what was written; true when the text is in it or runs into it. */
        synchronized boolean shows(String text, String more) {
            String all = end + more;
            end = all.substring(Math.max(0, all.length() - TAIL_CHARS));
            return all.contains(text);
        }

        synchronized String end() {
            return end;
        }
    }

    /** An ordinary user's machines run as that user; nobody else can be become. */
    private static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

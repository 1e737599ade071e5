package org.vse.job.doctor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.vse.process.Command;
import org.vse.process.CommandResult;

/** A host in a directory on which all is well, until a test says otherwise. */
final class CraftedHost implements Host.Programs, Host.Kernel {
    static final Path STATE = Path.of("/var/lib/vse");
    private static final String PACKAGES = """
            # SECTION PACKAGE COMMAND PURPOSE
            client   openjdk-17-jre-headless  java  runs vse
            client   openssh-client           -     vse vm ssh
            runtime  qemu-utils               qemu-img  overlays
            runtime  nfs-ganesha              -     shares
            build    maven                    mvn   builds
            """;

    private final Path root;
    private final Map<String, CommandResult> answers = new TreeMap<>();
    private Path run = Path.of("/run/vse");
    private boolean isRoot = true;
    private long usableBytes = 100L << 30;
    private boolean isSynchronised = true;
    private Instant now = Instant.parse("2026-11-21T12:00:00Z");

    CraftedHost(Path root) {
        this.root = root;
        file("/packages.txt", PACKAGES);
        file("/proc/sys/kernel/osrelease", "6.1.0\n");
        file("/proc/sys/kernel/random/boot_id", "b00t\n");
        file("/proc/self/uid_map", "         0          0 4294967295\n");
        file("/proc/self/mounts", """
                /dev/vda / ext4 rw 0 0
                tmpfs /run tmpfs rw 0 0
                cgroup2 /sys/fs/cgroup cgroup2 rw 0 0
                """);
        file(
                "/proc/cgroups",
                "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t1\t1\nmemory\t4\t1\t1\npids\t8\t1\t1\n");
        file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
        for (String module : List.of("bridge", "veth", "tun", "vxlan")) {
            directory("/sys/module/" + module);
        }
        file("/dev/kvm", "");
        mode("/dev/kvm", "rw-rw-rw-");
        answers("dpkg-query", 1, "installed openssh-client\ninstalled nfs-ganesha\n");
        answers("qemu-img", 0, "");
        answers("qemu-system-x86_64", 0, "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\n");
        answers("libvirtd", 0, "libvirtd (libvirt) 9.0.0\n");
        answers("modprobe", 1, "");
        answers("getent group kvm", 0, "kvm:x:107:\n");
        answers("getent passwd", 0, "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n");
    }

    Host host() {
        return new Host(
                root,
                STATE,
                run,
                Path.of("/etc/vse"),
                root.resolve("packages.txt"),
                isRoot,
                this,
                this,
                Clock.fixed(now, ZoneOffset.UTC));
    }

    Finding look(String check) {
        return Doctor.look(check, host());
    }

    CraftedHost file(String path, String text) {
        try {
            Path file = host(path);
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    CraftedHost directory(String path) {
        try {
            Files.createDirectories(host(path));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    CraftedHost without(String path) {
        try {
            Files.delete(host(path));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    CraftedHost mode(String path, String mode) {
        try {
            Files.setPosixFilePermissions(host(path), PosixFilePermissions.fromString(mode));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The longest matching beginning of a command line answers; a program without any answer is not installed. */
    CraftedHost answers(String beginning, int exitCode, String stdout) {
        answers.put(beginning, new CommandResult(List.of(beginning), exitCode, stdout, "", Duration.ZERO));
        return this;
    }

    CraftedHost withoutProgram(String program) {
        answers.keySet().removeIf(beginning -> beginning.split(" ")[0].equals(program));
        return this;
    }

    CraftedHost run(String path) {
        run = Path.of(path);
        return this;
    }

    CraftedHost asUser() {
        isRoot = false;
        return this;
    }

    CraftedHost usable(long bytes) {
        usableBytes = bytes;
        return this;
    }

    CraftedHost unsynchronised() {
        isSynchronised = false;
        return this;
    }

    CraftedHost now(String instant) {
        now = Instant.parse(instant);
        return this;
    }

    private Path host(String path) {
        return root.resolve(path.substring(1));
    }

    @Override
    public Optional<Path> find(String program) {
        return answers.keySet().stream()
                .filter(beginning -> beginning.split(" ")[0].equals(program))
                .findFirst()
                .map(found -> root.resolve("packages.txt"));
    }

    @Override
    public CommandResult run(Command command) {
        String line = String.join(" ", command.argv());
        return answers.entrySet().stream()
                .filter(answer -> line.equals(answer.getKey()) || line.startsWith(answer.getKey() + " "))
                .reduce((one, other) -> other.getKey().length() > one.getKey().length() ? other : one)
                .map(Map.Entry::getValue)
                .orElseGet(() -> new CommandResult(command.argv(), 2, "", "no answer", Duration.ZERO));
    }

    @Override
    public long usableBytes(Path path) {
        return usableBytes;
    }

    @Override
    public boolean isClockSynchronised() {
        return isSynchronised;
    }
}

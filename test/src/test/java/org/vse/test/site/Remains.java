package org.vse.test.site;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vse.job.lifecycle.JobRecord;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.libvirt.PrivateLibvirtd;
import org.vse.provisioner.network.NetworkPlan;

/** What the jobs and the daemon of a site have left on the host. */
public final class Remains {
    private static final int SIGKILL = 9;

    private Remains() {}

    /** Everything that must not be there once the daemon has ended with its jobs, in words; empty is good. */
    public static List<String> of(Site site) {
        List<String> left = new ArrayList<>(ofJobs(site));
        processes(site).forEach(process -> left.add("process " + process.pid() + ": " + commandLine(process.pid())));
        libvirtd(site).identity().ifPresent(process -> left.add("libvirtd " + process.pid()));
        return left;
    }

    /** What must not be there once all jobs have ended, in words; the daemon and its libvirtd may go on. */
    public static List<String> ofJobs(Site site) {
        List<String> left = new ArrayList<>();
        for (ProcessIdentity process : processes(site)) {
            String line = commandLine(process.pid());
            if (line.contains("qemu-system") || line.contains("ganesha")) {
                left.add("process " + process.pid() + ": " + line);
            }
        }
        for (String tag : tags(site)) {
            NetworkPlan plan = new NetworkPlan(tag);
            Stream.of(plan.switchNamespace(), plan.serviceNamespace())
                    .map(NetworkPlan::file)
                    .filter(Files::exists)
                    .forEach(file -> left.add("namespace " + file));
            IntStream.range(0, 4)
                    .mapToObj(plan::tap)
                    .filter(tap -> Files.exists(Path.of("/sys/class/net", tap)))
                    .forEach(tap -> left.add("tap " + tap));
            Path job = site.state().resolve("jobs").resolve(tag);
            for (Path file : list(job)) {
                String name = file.getFileName().toString();
                if (name.endsWith(".qcow2") || name.equals("share") || name.startsWith("id_")) {
                    left.add("file " + file);
                }
            }
        }
        groups(site).stream().filter(Files::exists).forEach(group -> left.add("control group " + group));
        list(site.run().resolve("j")).forEach(path -> left.add("sockets " + path));
        Finished.text(Path.of("/proc/self/mounts"))
                .lines()
                .filter(line -> line.contains(site.run().toString())
                        || line.contains(site.state().toString()))
                .filter(line -> !line.contains(" " + site.state() + " "))
                .forEach(line -> left.add("mount " + line));
        return left;
    }

    /** Where the daemon of the site makes control groups; there while a job has one. */
    public static List<Path> groups(Site site) {
        return read(site.run().resolve("cgroups"))
                .orElse("")
                .lines()
                .map(line -> Path.of(line.split(":", 3)[2]))
                .toList();
    }

    /** Processes that have a directory of the site on their command line. */
    public static List<ProcessIdentity> processes(Site site) {
        List<ProcessIdentity> found = new ArrayList<>();
        for (Path entry : list(Path.of("/proc"))) {
            String name = entry.getFileName().toString();
            if (name.chars().allMatch(Character::isDigit)) {
                long pid = Long.parseLong(name);
                String line = commandLine(pid);
                if (line.contains(site.top().toString())
                        || line.contains(site.run().toString())) {
                    ProcessIdentity.of(pid).ifPresent(found::add);
                }
            }
        }
        return found;
    }

    /** The QEMU processes of the site. */
    public static List<ProcessIdentity> machines(Site site) {
        return processes(site).stream()
                .filter(process -> commandLine(process.pid()).contains("qemu-system"))
                .toList();
    }

    /** The most memory, in KiB, that the process with these words on its command line has ever had in use. */
    public static Optional<Long> residentKib(Site site, String words) {
        return processes(site).stream()
                .filter(process -> commandLine(process.pid()).contains(words)
                        && !commandLine(process.pid()).startsWith("bash"))
                .findFirst()
                .flatMap(process -> read(Path.of("/proc", Long.toString(process.pid()), "status")))
                .flatMap(status -> status.lines()
                        .filter(line -> line.startsWith("VmHWM:"))
                        .map(line -> Long.valueOf(line.replaceAll("[^0-9]", "")))
                        .findFirst());
    }

    /** Ends whatever is left, so that one failing test does not disturb the next. */
    static void kill(Site site) {
        processes(site).forEach(process -> process.signal(SIGKILL));
        libvirtd(site).stop();
    }

    private static PrivateLibvirtd libvirtd(Site site) {
        return new PrivateLibvirtd(site.state(), site.run(), new CommandRunner());
    }

    /** The tags of all jobs that the site ever had. */
    private static List<String> tags(Site site) {
        Path owner = site.state().resolve("owner");
        if (!Files.exists(owner)) {
            return List.of();
        }
        String id = Finished.text(owner).strip();
        return IntStream.range(0, 1000)
                .mapToObj(number -> JobRecord.tagOf(id, "local", "local-" + number, 1))
                .toList();
    }

    static String commandLine(long pid) {
        return read(Path.of("/proc", Long.toString(pid), "cmdline")).orElse("").replace('\0', ' ');
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        } catch (IOException e) {
            // The process has ended.
            return Optional.empty();
        }
    }

    private static List<Path> list(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

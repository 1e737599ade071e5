package org.vse.process.cgroup;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.vse.process.ProcessIdentity;

/**
 * A directory of ours in one tree of control groups: {@code root/JOB/MEMBER}. Only members have processes.
 *
 * @param version 1 or 2
 * @param controllers those of {@link #MEMORY}, {@link #CPUSET}, {@link #CPUACCT} that bind or count here
 * @param root made when the first job needs it
 */
record Place(int version, Set<String> controllers, Path root) {
    static final String MEMORY = "memory";
    static final String CPUSET = "cpuset";
    static final String CPUACCT = "cpuacct";

    private static final int SIGKILL = 9;
    private static final String PROCS = "cgroup.procs";

    Place {
        controllers = Set.copyOf(controllers);
    }

    /** As {@link #parse} reads it. */
    String text() {
        return version + ":" + String.join(",", new TreeSet<>(controllers)) + ":" + root;
    }

    static Optional<Place> parse(String text) {
        String[] parts = text.split(":", 3);
        return parts.length == 3 && parts[0].matches("[12]") && parts[2].startsWith("/")
                ? Optional.of(new Place(Integer.parseInt(parts[0]), Set.of(parts[1].split(",")), Path.of(parts[2])))
                : Optional.empty();
    }

    /** Makes a member's group, or sets its bounds anew. */
    void make(String job, List<Integer> jobCores, String member, Bounds bounds) throws IOException {
        Path attempt = root.resolve(job);
        Path group = attempt.resolve(member);
        for (Path directory : List.of(root, attempt, group)) {
            if (!Files.isDirectory(directory)) {
                Files.createDirectory(directory);
            }
            if (version == 2 && !directory.equals(group)) {
                delegate(directory);
            }
        }
        if (controllers.contains(CPUSET)) {
            limitCores(root, List.of());
            limitCores(attempt, jobCores);
            limitCores(group, bounds.cores());
        }
        if (controllers.contains(MEMORY)) {
            limitMemory(group, bounds.memoryBytes());
        }
    }

    /** Lets groups below a group of version 2 be bound. */
    void delegate(Path directory) throws IOException {
        String wanted = controllers.stream()
                .filter(controller -> !controller.equals(CPUACCT))
                .sorted()
                .map(controller -> "+" + controller)
                .collect(Collectors.joining(" "));
        if (!wanted.isEmpty()) {
            write(directory.resolve("cgroup.subtree_control"), wanted);
        }
    }

    private void limitMemory(Path group, long bytes) throws IOException {
        String text = Long.toString(bytes);
        if (version == 2) {
            write(group.resolve("memory.max"), text);
            writeWhereThere(group.resolve("memory.swap.max"), "0");
            write(group.resolve("memory.oom.group"), "1");
        } else {
            write(group.resolve("memory.limit_in_bytes"), text);
            writeWhereThere(group.resolve("memory.memsw.limit_in_bytes"), text);
        }
    }

    private void limitCores(Path group, List<Integer> cores) throws IOException {
        String text = cores.stream().map(String::valueOf).collect(Collectors.joining(","));
        if (version == 2) {
            if (!text.isEmpty()) {
                write(group.resolve("cpuset.cpus"), text);
            }
            return;
        }
        // A new group of version 1 has neither cores nor memory nodes and takes nobody in.
        Path above = Path.of(String.valueOf(group.getParent()));
        write(group.resolve("cpuset.mems"), read(above.resolve("cpuset.mems")));
        write(group.resolve("cpuset.cpus"), text.isEmpty() ? read(above.resolve("cpuset.cpus")) : text);
    }

    /** Moves a process with all its threads. */
    void join(String job, String member, ProcessIdentity process) throws IOException {
        write(root.resolve(job).resolve(member).resolve(PROCS), Long.toString(process.pid()));
    }

    boolean has(String job, String member) {
        return Files.isDirectory(root.resolve(job).resolve(member));
    }

    OptionalLong cpuNanos(String job, String member) throws IOException {
        Path group = root.resolve(job).resolve(member);
        if (version == 1) {
            return number(group.resolve("cpuacct.usage"));
        }
        OptionalLong micros = field(group.resolve("cpu.stat"), "usage_usec");
        return micros.isPresent() ? OptionalLong.of(micros.getAsLong() * 1000) : micros;
    }

    /** Empty before Linux 5.19 with version 2. */
    OptionalLong peakBytes(String job, String member) throws IOException {
        Path group = root.resolve(job).resolve(member);
        return number(group.resolve(version == 2 ? "memory.peak" : "memory.max_usage_in_bytes"));
    }

    long oomKills(String job, String member) throws IOException {
        Path group = root.resolve(job).resolve(member);
        return field(group.resolve(version == 2 ? "memory.events" : "memory.oom_control"), "oom_kill")
                .orElse(0);
    }

    /** The jobs that have a group here. */
    Set<String> jobs() throws IOException {
        Set<String> jobs = new TreeSet<>();
        for (Path child : children(root)) {
            jobs.add(String.valueOf(child.getFileName()));
        }
        return jobs;
    }

    /** The processes of a job, of all its members. */
    List<ProcessIdentity> members(String job) throws IOException {
        return membersBelow(root.resolve(job));
    }

    private static List<ProcessIdentity> membersBelow(Path group) throws IOException {
        List<ProcessIdentity> found = new ArrayList<>();
        for (Path child : children(group)) {
            found.addAll(membersBelow(child));
        }
        for (long pid : pids(group)) {
            ProcessIdentity.of(pid).ifPresent(found::add);
        }
        return found;
    }

    static List<Long> pids(Path group) throws IOException {
        try {
            return Files.readAllLines(group.resolve(PROCS)).stream()
                    .filter(line -> !line.isBlank())
                    .map(line -> Long.valueOf(line.strip()))
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /**
     * Sends KILL to what is in a job's groups. Version 2 from Linux 5.14 misses nothing that forks meanwhile; elsewhere a
     * second call is needed then.
     */
    void kill(String job) throws IOException {
        Path kill = root.resolve(job).resolve("cgroup.kill");
        if (Files.exists(kill)) {
            write(kill, "1");
        }
        for (ProcessIdentity member : members(job)) {
            member.signal(SIGKILL);
        }
    }

    /** Removes a job's groups, and the root with the last of them; none of them may have a process. */
    void remove(String job) throws IOException {
        Path attempt = root.resolve(job);
        for (Path member : children(attempt)) {
            Files.deleteIfExists(member);
        }
        Files.deleteIfExists(attempt);
        if (children(root).isEmpty()) {
            Files.deleteIfExists(root);
        }
    }

    private static List<Path> children(Path group) throws IOException {
        List<Path> children = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(group, Files::isDirectory)) {
            entries.forEach(children::add);
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        }
        return children;
    }

    private static OptionalLong number(Path file) throws IOException {
        return Files.exists(file) ? OptionalLong.of(Long.parseLong(read(file))) : OptionalLong.empty();
    }

    private static OptionalLong field(Path file, String name) throws IOException {
        if (!Files.exists(file)) {
            return OptionalLong.empty();
        }
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> Long.parseLong(line.substring(name.length()).strip()))
                .findFirst();
    }

    static String read(Path file) throws IOException {
        return Files.readString(file).strip();
    }

    private static void writeWhereThere(Path file, String text) throws IOException {
        if (Files.exists(file)) {
            write(file, text);
        }
    }

    /** The kernel takes a value in one write and makes files of a group itself. */
    static void write(Path file, String text) throws IOException {
        try {
            Files.writeString(file, text, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException e) {
            throw new IOException("'" + text + "' into " + file + ": " + e.getMessage(), e);
        }
    }
}

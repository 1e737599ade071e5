package org.vse.process.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.ProcessIdentity;

/**
 * The control groups of one installation's jobs, below the group that this process itself is in, so that whatever bounds
 * this process bounds them too. Where the kernel or the site gives none, every call does nothing.
 *
 * <p>Places are kept in a file: a daemon that is started elsewhere finds the groups of the one before it. Safe for several
 * threads.
 */
public final class Cgroups {
    /** A group of version 2 with this name holds the daemon; groups for jobs are made beside it. */
    private static final String DAEMON = "vsed";

    private static final List<String> WANTED = List.of(Place.MEMORY, Place.CPUSET, Place.CPUACCT);
    private static final Duration KILLED_WITHIN = Duration.ofSeconds(10);
    private static final Duration LOOK = Duration.ofMillis(5);

    private final List<Place> current;
    private final List<Place> all;
    private final List<String> missing;

    private Cgroups(List<Place> current, List<Place> all, List<String> missing) {
        this.current = List.copyOf(current);
        this.all = List.copyOf(all);
        this.missing = List.copyOf(missing);
    }

    /**
     * Finds what can be used here, by trying it.
     *
     * @param owner id of the installation
     * @param kept file that remembers the places; it may go with the host's next start, as groups do
     * @throws VseException CGROUP_FAILED when the file cannot be kept
     */
    public static Cgroups open(String owner, List<Hierarchy> hierarchies, Path kept) {
        List<Place> current = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String wanted : WANTED) {
            if (current.stream().anyMatch(place -> place.controllers().contains(wanted))) {
                continue;
            }
            try {
                current.add(place(wanted, owner, hierarchies));
            } catch (IOException e) {
                missing.add(wanted + " (" + e.getMessage() + ")");
            }
        }
        try {
            Set<Place> all = new LinkedHashSet<>(current);
            if (Files.exists(kept)) {
                Files.readAllLines(kept)
                        .forEach(line -> Place.parse(line)
                                .filter(place -> Files.isDirectory(place.root()))
                                .ifPresent(all::add));
            }
            Files.write(kept, all.stream().map(Place::text).toList());
            return new Cgroups(current, List.copyOf(all), missing);
        } catch (IOException e) {
            throw failed("the places of control groups cannot be kept", e);
        }
    }

    /** None at all. */
    public static Cgroups none() {
        return new Cgroups(List.of(), List.of(), WANTED);
    }

    /** The trees that this process sees. */
    public static List<Hierarchy> hierarchies() {
        try {
            return Hierarchy.parse(
                    Files.readString(Path.of("/proc/self/cgroup")), Files.readString(Path.of("/proc/self/mountinfo")));
        } catch (IOException e) {
            throw failed("this process's own control groups cannot be read", e);
        }
    }

    /** What cannot be bound or counted here, with the reason; empty when everything can. */
    public List<String> missing() {
        return missing;
    }

    /**
     * Puts a process into the group of a member of a job, made when missing. A process that has ended is no error.
     *
     * @param jobCores cores of the whole job; empty for no bound
     * @throws VseException CGROUP_FAILED when the kernel refuses what it allowed at {@link #open}
     */
    public synchronized void put(
            String job, List<Integer> jobCores, String member, Bounds bounds, ProcessIdentity process) {
        try {
            for (Place place : current) {
                place.make(job, jobCores, member, bounds);
            }
            Affinity before = Affinity.of(process);
            for (Place place : current) {
                if (!process.alive()) {
                    return;
                }
                place.join(job, member, process);
            }
            before.restore();
        } catch (IOException e) {
            if (process.alive()) {
                throw failed("member '" + member + "' of the job cannot be bound", e);
            }
        }
    }

    /** What a member of a job has used; empty when it has no group. */
    public synchronized Optional<GroupUsage> usage(String job, String member) {
        OptionalLong cpu = OptionalLong.empty();
        OptionalLong peak = OptionalLong.empty();
        long kills = 0;
        boolean found = false;
        try {
            for (Place place : all) {
                if (!place.has(job, member)) {
                    continue;
                }
                found = true;
                if (place.controllers().contains(Place.CPUACCT)) {
                    cpu = place.cpuNanos(job, member);
                }
                if (place.controllers().contains(Place.MEMORY)) {
                    peak = place.peakBytes(job, member);
                    kills = place.oomKills(job, member);
                }
            }
        } catch (IOException e) {
            throw failed("what member '" + member + "' of the job used cannot be read", e);
        }
        return found ? Optional.of(new GroupUsage(cpu, peak, kills)) : Optional.empty();
    }

    /** The jobs that have groups, living or not. */
    public synchronized Set<String> jobs() {
        try {
            Set<String> jobs = new TreeSet<>();
            for (Place place : all) {
                jobs.addAll(place.jobs());
            }
            return jobs;
        } catch (IOException e) {
            throw failed("the control groups of jobs cannot be listed", e);
        }
    }

    /**
     * Ends every process in the groups of a job and removes them. Nothing there is no error.
     *
     * @throws VseException CGROUP_FAILED when a process does not end or the kernel refuses
     */
    public synchronized void remove(String job) {
        long deadline = System.nanoTime() + KILLED_WITHIN.toNanos();
        while (true) {
            try {
                for (Place place : all) {
                    place.kill(job);
                    place.remove(job);
                }
                return;
            } catch (IOException e) {
                // A process that was killed is in its group until the kernel is done with it: nothing tells of that.
                if (System.nanoTime() > deadline) {
                    throw failed("the job's control groups cannot be removed", e);
                }
                LockSupport.parkNanos(LOOK.toNanos());
                if (Thread.currentThread().isInterrupted()) {
                    throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while a job's processes end");
                }
            }
        }
    }

    /** The tree that has the controller, version 2 first, tried out. */
    private static Place place(String wanted, String owner, List<Hierarchy> hierarchies) throws IOException {
        String name = "vse-" + owner;
        for (Hierarchy hierarchy : hierarchies) {
            if (hierarchy.version() == 2) {
                Path base = hierarchy.own().endsWith(DAEMON)
                        ? Path.of(String.valueOf(hierarchy.own().getParent()))
                        : hierarchy.own();
                Set<String> offered = offered(base);
                if (offered.contains(wanted) || (wanted.equals(Place.CPUACCT) && offered.contains(Place.MEMORY))) {
                    offered.add(Place.CPUACCT);
                    offered.retainAll(WANTED);
                    return tried(new Place(2, offered, base.resolve(name)), base);
                }
            }
        }
        for (Hierarchy hierarchy : hierarchies) {
            if (hierarchy.controllers().contains(wanted)) {
                Set<String> here = new TreeSet<>(hierarchy.controllers());
                here.retainAll(WANTED);
                return tried(new Place(1, here, hierarchy.own().resolve(name)), hierarchy.own());
            }
        }
        throw new IOException("no such controller");
    }

    private static Set<String> offered(Path base) throws IOException {
        Path file = base.resolve("cgroup.controllers");
        return Files.exists(file) ? new TreeSet<>(List.of(Place.read(file).split(" "))) : new TreeSet<>();
    }

    private static Place tried(Place place, Path base) throws IOException {
        if (place.version() == 2) {
            delegate(place, base);
        }
        if (!Files.isDirectory(place.root())) {
            Files.createDirectory(place.root());
            Files.delete(place.root());
        }
        return place;
    }

    /**
     * Groups of version 2 are bound only below a group without processes of its own (cgroups(7), "no internal processes"):
     * this process makes room when it is alone there, as in a unit with {@code Delegate=yes}.
     */
    private static void delegate(Place place, Path base) throws IOException {
        try {
            place.delegate(base);
        } catch (IOException e) {
            if (!Place.pids(base).equals(List.of(ProcessHandle.current().pid()))) {
                throw new IOException("other processes are in this daemon's group; start it by a unit of its own", e);
            }
            Path daemon = base.resolve(DAEMON);
            if (!Files.isDirectory(daemon)) {
                Files.createDirectory(daemon);
            }
            Place.write(
                    daemon.resolve("cgroup.procs"),
                    Long.toString(ProcessHandle.current().pid()));
            place.delegate(base);
        }
    }

    private static VseException failed(String what, IOException e) {
        return VseException.of(ErrorCode.CGROUP_FAILED, what)
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }

    @Override
    public String toString() {
        return current.stream().map(Place::text).collect(Collectors.joining(" "));
    }
}

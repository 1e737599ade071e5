package org.vse.job.doctor;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.vse.job.doctor.Mounts.Mount;

/** Which control groups there are, and whether they can bound what machines use (cgroups(7)). */
final class Cgroups implements Check {
    private static final List<String> WANTED = List.of("cpuset", "memory", "pids");

    @Override
    public String name() {
        return "cgroups";
    }

    @Override
    public Finding look(Host host) {
        Mounts mounts = Mounts.of(host);
        Set<String> known = enabled(host.text("/proc/cgroups").orElse(""));
        Set<String> first = new TreeSet<>();
        for (Mount mount : mounts.ofType("cgroup")) {
            mount.options().stream().filter(known::contains).forEach(first::add);
        }
        Set<String> second = new TreeSet<>();
        for (Mount mount : mounts.ofType("cgroup2")) {
            String controllers = host.text(
                            mount.at().resolve("cgroup.controllers").toString())
                    .orElse("");
            second.addAll(List.of(controllers.strip().split(" ")));
        }
        second.remove("");
        if (mounts.ofType("cgroup").isEmpty() && mounts.ofType("cgroup2").isEmpty()) {
            return Finding.warning("none: nothing bounds what machines use", "mount -t cgroup2 none /sys/fs/cgroup");
        }
        String version = first.isEmpty() ? "v2" : second.isEmpty() ? "v1" : "v1 and v2";
        Set<String> usable = new TreeSet<>(first);
        usable.addAll(second);
        List<String> missing = WANTED.stream().filter(c -> !usable.contains(c)).toList();
        String found = version + " with " + (usable.isEmpty() ? "no controllers" : String.join(", ", usable));
        if (missing.isEmpty()) {
            return Finding.ok(found);
        }
        String what = missing.get(0);
        return Finding.warning(
                found + "; missing: " + String.join(", ", missing),
                first.isEmpty()
                        ? "boot with cgroup_enable=" + String.join(",", missing)
                        : "mkdir -p /sys/fs/cgroup/" + what + " && mount -t cgroup -o " + what + " none /sys/fs/cgroup/"
                                + what);
    }

    /** Lines of name, hierarchy, number of groups and whether it is enabled. */
    private static Set<String> enabled(String text) {
        Set<String> names = new TreeSet<>();
        for (String line : text.lines().toList()) {
            String[] fields = line.split("\\s+");
            if (fields.length == 4 && !line.startsWith("#") && fields[3].equals("1")) {
                names.add(fields[0]);
            }
        }
        return names;
    }
}

package org.vse.job.doctor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is mounted where, as /proc/self/mounts says (fstab(5)); of two mounts on one place the later counts. */
record Mounts(List<Mount> all) {
    /** One line of it. */
    record Mount(Path at, String type, List<String> options) {}

    static Mounts of(Host host) {
        List<Mount> all = new ArrayList<>();
        for (String line : host.text("/proc/self/mounts").orElse("").lines().toList()) {
            String[] fields = line.split(" ");
            if (fields.length >= 4 && fields[1].startsWith("/")) {
                Path at = Path.of(fields[1].replace("\\040", " ").replace("\\011", "\t"));
                all.add(new Mount(at, fields[2], List.of(fields[3].split(","))));
            }
        }
        return new Mounts(all);
    }

    List<Mount> ofType(String type) {
        return all.stream().filter(mount -> mount.type().equals(type)).toList();
    }

    /** The mount that a path is in. */
    Optional<Mount> holding(Path path) {
        return all.stream()
                .filter(mount -> path.startsWith(mount.at()))
                .reduce((one, other) -> other.at().getNameCount() >= one.at().getNameCount() ? other : one);
    }
}

package org.vse.process.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** How much memory there is for this process and what it starts. */
public final class NodeMemory {
    private NodeMemory() {}

    /**
     * The memory of the machine, or the least bound of this process's own groups where that is less.
     *
     * @throws VseException CONFIG_INVALID when the kernel does not say
     */
    public static long bytes(List<Hierarchy> hierarchies) {
        try {
            long least = total(Files.readString(Path.of("/proc/meminfo")));
            for (Hierarchy hierarchy : hierarchies) {
                if (hierarchy.version() == 2 || hierarchy.controllers().contains(Place.MEMORY)) {
                    least = Math.min(least, bound(hierarchy));
                }
            }
            return least;
        } catch (IOException e) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "the memory of this node cannot be read")
                    .next("set 'memory' in vsed.yaml")
                    .because(e);
        }
    }

    /** MemTotal of {@code /proc/meminfo} (proc(5)), KiB there. */
    static long total(String memInfo) throws IOException {
        OptionalLong kib = memInfo.lines()
                .filter(line -> line.startsWith("MemTotal:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst();
        return kib.orElseThrow(() -> new IOException("no MemTotal in /proc/meminfo")) * 1024;
    }

    static long bound(Hierarchy hierarchy) throws IOException {
        String name = hierarchy.version() == 2 ? "memory.max" : "memory.limit_in_bytes";
        long least = Long.MAX_VALUE;
        for (Path at = hierarchy.own(); at != null && at.startsWith(hierarchy.mount()); at = at.getParent()) {
            Path file = at.resolve(name);
            if (Files.exists(file)) {
                String text = Place.read(file);
                least = text.equals("max") ? least : Math.min(least, Long.parseLong(text));
            }
        }
        return least;
    }
}

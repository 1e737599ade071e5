package org.vse.process.cgroup;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A mounted tree of control groups, and the group in it that this process belongs to.
 *
 * @param version 1 or 2
 * @param controllers of version 1: what is mounted there; empty for version 2, which says so itself in each group
 * @param mount where the tree is mounted
 * @param own directory of this process's group, {@code mount} or below it
 */
public record Hierarchy(int version, Set<String> controllers, Path mount, Path own) {
    /** Fields of {@code /proc/PID/mountinfo} before the optional ones (proc(5)). */
    private static final int ROOT = 3;

    private static final int MOUNT_POINT = 4;

    public Hierarchy {
        controllers = Set.copyOf(controllers);
        if (version != 1 && version != 2) {
            throw new IllegalArgumentException("version: " + version);
        }
        if (!own.startsWith(mount)) {
            throw new IllegalArgumentException("'" + own + "' is not below '" + mount + "'");
        }
    }

    /**
     * Reads which trees this process sees. A tree whose mount does not show this process's own group, as in some
     * containers, is left out.
     *
     * @param membership the text of {@code /proc/self/cgroup} (cgroups(7)): {@code ID:CONTROLLERS:PATH} a line
     * @param mountInfo the text of {@code /proc/self/mountinfo} (proc(5))
     */
    public static List<Hierarchy> parse(String membership, String mountInfo) {
        Map<Set<String>, String> paths = new HashMap<>();
        for (String line : membership.lines().toList()) {
            String[] fields = line.split(":", 3);
            if (fields.length == 3) {
                paths.put(words(fields[1]), fields[2]);
            }
        }
        Map<Set<String>, Hierarchy> found = new HashMap<>();
        List<Hierarchy> inOrder = new ArrayList<>();
        for (String line : mountInfo.lines().toList()) {
            Optional<Hierarchy> hierarchy = mounted(line, paths);
            if (hierarchy.isPresent() && found.putIfAbsent(hierarchy.get().controllers(), hierarchy.get()) == null) {
                inOrder.add(hierarchy.get());
            }
        }
        return List.copyOf(inOrder);
    }

    private static Optional<Hierarchy> mounted(String line, Map<Set<String>, String> paths) {
        String[] halves = line.split(" - ", 2);
        String[] left = halves[0].split(" ");
        String[] right = halves.length < 2 ? new String[0] : halves[1].split(" ");
        if (left.length <= MOUNT_POINT || right.length < 3 || !right[0].startsWith("cgroup")) {
            return Optional.empty();
        }
        int version = right[0].equals("cgroup2") ? 2 : 1;
        Set<String> options = version == 2 ? Set.of() : words(right[2]);
        return paths.entrySet().stream()
                .filter(path -> version == 2
                        ? path.getKey().isEmpty()
                        : !path.getKey().isEmpty() && options.containsAll(path.getKey()))
                .findFirst()
                .flatMap(path -> own(Path.of(unescaped(left[MOUNT_POINT])), unescaped(left[ROOT]), path.getValue())
                        .map(own -> new Hierarchy(version, path.getKey(), Path.of(unescaped(left[MOUNT_POINT])), own)));
    }

    private static Optional<Path> own(Path mount, String root, String path) {
        Path top = Path.of(root);
        Path wanted = Path.of(path);
        if (!wanted.startsWith(top) || !wanted.equals(wanted.normalize())) {
            return Optional.empty();
        }
        return Optional.of(mount.resolve(top.relativize(wanted).toString()).normalize());
    }

    private static Set<String> words(String list) {
        Set<String> words = new TreeSet<>(Arrays.asList(list.split(",")));
        words.remove("");
        return words;
    }

    /** Space, tab, newline and backslash stand there as three octal digits. */
    private static String unescaped(String text) {
        return text.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}

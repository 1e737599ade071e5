package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What becomes of one file, or of an object that a batch system keeps itself and prints as text.
 *
 * @param path absolute, as the host will know it; of an object, a name for people
 * @param before its text; empty when it is not there
 * @param after its text; empty when it is not to be there
 * @param program whether a new file can be executed
 * @param loader the command that takes an object's new text in, to be followed by the path of a file with it; empty for a file
 */
public record FileChange(
        Path path, Optional<String> before, Optional<String> after, boolean program, List<String> loader) {
    public FileChange {
        loader = List.copyOf(loader);
        if (!path.isAbsolute()) {
            throw new IllegalArgumentException("not an absolute path: " + path);
        }
    }

    public FileChange(Path path, Optional<String> before, Optional<String> after, boolean program) {
        this(path, before, after, program, List.of());
    }

    public boolean isNothing() {
        return before.equals(after);
    }

    /** The change for people, in the manner of diff(1): the lines that go and come between those that stay. */
    public String diff() {
        List<String> old = lines(before);
        List<String> now = lines(after);
        int same = 0;
        while (same < old.size() && same < now.size() && old.get(same).equals(now.get(same))) {
            same++;
        }
        int tail = 0;
        while (tail < old.size() - same
                && tail < now.size() - same
                && old.get(old.size() - 1 - tail).equals(now.get(now.size() - 1 - tail))) {
            tail++;
        }
        List<String> shown = new ArrayList<>();
        shown.add("--- " + (before.isPresent() ? path : "/dev/null"));
        shown.add("+++ " + (after.isPresent() ? path : "/dev/null"));
        old.subList(same, old.size() - tail).forEach(line -> shown.add("-" + line));
        now.subList(same, now.size() - tail).forEach(line -> shown.add("+" + line));
        return String.join("\n", shown);
    }

    private static List<String> lines(Optional<String> text) {
        return text.map(t -> t.lines().toList()).orElse(List.of());
    }
}

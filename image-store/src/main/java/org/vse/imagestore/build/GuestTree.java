package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.vse.imagestore.Staging;
import org.vse.imagestore.recipe.Recipe.GuestFile;

/**
 * A directory that becomes a guest's root. Guest paths are resolved as the guest would: a symbolic link on the way, absolute
 * or not, never leads out of the directory.
 */
final class GuestTree {
    private static final int MAX_LINKS = 40;

    private final Path root;

    GuestTree(Path root) {
        this.root = root;
    }

    Path root() {
        return root;
    }

    /**
     * Host path of a guest path. The last element itself is not followed.
     *
     * @throws IOException when links lead in a circle
     */
    Path place(String guestPath) throws IOException {
        Deque<String> todo = new ArrayDeque<>(elements(guestPath));
        Path at = root;
        int links = 0;
        while (!todo.isEmpty()) {
            String element = todo.pop();
            if (element.equals("..")) {
                at = at.equals(root) ? root : at.resolveSibling("");
                continue;
            }
            Path next = at.resolve(element);
            if (todo.isEmpty() || !Files.isSymbolicLink(next)) {
                at = next;
                continue;
            }
            if (++links > MAX_LINKS) {
                throw new IOException("too many symbolic links on the way to " + guestPath);
            }
            String target = Files.readSymbolicLink(next).toString();
            List<String> elements = elements(target);
            for (int i = elements.size() - 1; i >= 0; i--) {
                todo.push(elements.get(i));
            }
            if (target.startsWith("/")) {
                at = root;
            }
        }
        return at;
    }

    /** The same, the last element followed too: the file that the guest would open. */
    Path file(String guestPath) throws IOException {
        Path at = place(guestPath);
        for (int links = 0; Files.isSymbolicLink(at); links++) {
            if (links > MAX_LINKS) {
                throw new IOException("too many symbolic links on the way to " + guestPath);
            }
            String target = Files.readSymbolicLink(at).toString();
            at = place(target.startsWith("/") ? target : "/" + root.relativize(at.resolveSibling("")) + "/" + target);
        }
        return at;
    }

    /** Removes what a pattern names; {@code *} stands for anything within one path element of the last. */
    void remove(String pattern) throws IOException {
        int slash = pattern.lastIndexOf('/');
        Path directory = file(slash == 0 ? "/" : pattern.substring(0, slash));
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern.substring(slash + 1));
        try (DirectoryStream<Path> entries =
                Files.newDirectoryStream(directory, entry -> matcher.matches(entry.getFileName()))) {
            for (Path entry : entries) {
                Staging.removeTree(entry);
            }
        }
    }

    /**
     * Removes what dpkg would not have unpacked (dpkg(1), {@code --path-exclude}): {@code *} stands for anything, also for
     * several path elements. Directories go when nothing is left in them.
     */
    void exclude(List<String> patterns) throws IOException {
        if (patterns.isEmpty()) {
            return;
        }
        Predicate<String> excluded = patterns.stream()
                .map(pattern -> Pattern.compile(Arrays.stream(pattern.split("\\*", -1))
                        .map(Pattern::quote)
                        .collect(Collectors.joining(".*"))))
                .map(Pattern::asMatchPredicate)
                .reduce(path -> false, Predicate::or);
        List<Path> found;
        try (Stream<Path> all = Files.walk(root)) {
            found = all.filter(path -> excluded.test("/" + root.relativize(path)))
                    .sorted(Comparator.reverseOrder())
                    .toList();
        }
        for (Path path : found) {
            try {
                Files.delete(path);
            } catch (DirectoryNotEmptyException e) {
                // Something in it is not excluded.
                assert Files.isDirectory(path);
            }
        }
    }

    /** Puts a file, link or directory in its place; directories on the way are made with mode 0755. */
    void put(GuestFile file) throws IOException {
        Path to = place(file.to());
        makeDirectories(to.resolveSibling(""));
        if (file instanceof GuestFile.Copy copy) {
            Files.copy(copy.from(), to, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(to, mode(copy.mode()));
        } else if (file instanceof GuestFile.Link link) {
            Files.deleteIfExists(to);
            Files.createSymbolicLink(to, Path.of(link.target()));
        } else if (file instanceof GuestFile.Directory directory) {
            makeDirectories(to);
            Files.setPosixFilePermissions(to, mode(directory.mode()));
        }
    }

    private void makeDirectories(Path directory) throws IOException {
        if (!directory.equals(root) && !Files.exists(directory)) {
            makeDirectories(directory.resolveSibling(""));
            Files.createDirectory(directory);
            Files.setPosixFilePermissions(directory, mode(0755));
        }
    }

    private static List<String> elements(String path) {
        return Arrays.stream(path.split("/"))
                .filter(element -> !element.isEmpty() && !element.equals("."))
                .toList();
    }

    static Set<PosixFilePermission> mode(int bits) {
        StringBuilder text = new StringBuilder();
        for (int bit = 8; bit >= 0; bit--) {
            text.append((bits >> bit & 1) == 1 ? "rwx".charAt((8 - bit) % 3) : '-');
        }
        return PosixFilePermissions.fromString(text.toString());
    }
}

package org.vse.job.install;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** The texts of the hooks, which are resources of this program with {@code @NAMES@} to fill in. */
final class HookText {
    private static final String OURS = "by 'vse install'";

    private HookText() {}

    /** A text by its place below this package's resources. */
    static String resource(String name) {
        try (InputStream in =
                Objects.requireNonNull(HookText.class.getResourceAsStream("/org/vse/job/install/" + name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("a resource of this program cannot be read", e);
        }
    }

    /** True for a file that an installation wrote: its first line says so, or the one after {@code #!}. */
    static boolean isOurs(String text) {
        return text.lines().limit(text.startsWith("#!") ? 2 : 1).anyMatch(line -> line.contains(OURS));
    }

    /** Words of a command line, for sh(1). */
    static String quoted(List<String> words) {
        return words.stream()
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
    }

    /** Words of a command line, as a list of Python's. */
    static String python(List<String> words) {
        return words.stream()
                .map(word -> "\"" + word.replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
                .collect(Collectors.joining(", ", "[", "]"));
    }
}

package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vse.failure.SourcePosition;
import org.vse.policy.layer.Fields.Located;

/**
 * Patterns of names: {@code *} stands for any characters, {@code ?} for one. A later layer replaces the list of an earlier
 * one, or changes it.
 *
 * @param at where the list, or its last change, is written
 * @param replaces whether earlier layers' patterns no longer count
 * @param removed patterns of earlier layers that no longer count
 */
record Globs(SourcePosition at, boolean replaces, List<Glob> globs, List<String> removed) {
    /** The forms in words. */
    static final String RANGE =
            "a name or path of letters, digits and . _ - + @ : = / in which * and ? stand for others";

    static final Pattern FORM = Pattern.compile("[A-Za-z0-9._+@:=/*?-]{1,128}");

    private static final String DEFAULT_TAG = ":latest";

    Globs {
        globs = List.copyOf(globs);
        removed = List.copyOf(removed);
    }

    /** One pattern and where it is written. */
    record Glob(String text, SourcePosition at) {
        boolean matches(String name) {
            String regex = text.chars()
                    .mapToObj(c -> c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(Character.toString(c)))
                    .collect(Collectors.joining());
            return Pattern.matches(regex, name);
        }

        /** A pattern without a tag is for every tag; an image without one has the tag {@code latest}. */
        boolean matchesImage(String reference) {
            int colon = reference.indexOf(':');
            if (text.indexOf(':') < 0) {
                return matches(colon < 0 ? reference : reference.substring(0, colon));
            }
            return matches(colon < 0 ? reference + DEFAULT_TAG : reference);
        }
    }

    static Globs replacing(SourcePosition at, List<Located> texts) {
        return new Globs(at, true, globs(texts), List.of());
    }

    static Globs changing(SourcePosition at, List<Located> added, List<Located> removed) {
        return new Globs(
                at, false, globs(added), removed.stream().map(Located::text).toList());
    }

    /** This list laid over an earlier layer's. */
    static Globs over(Globs later, @Nullable Globs earlier) {
        if (later.replaces() || earlier == null) {
            return later;
        }
        List<Glob> globs = new ArrayList<>(earlier.globs());
        globs.removeIf(g -> later.removed().contains(g.text()));
        later.globs().stream()
                .filter(g -> globs.stream().noneMatch(known -> known.text().equals(g.text())))
                .forEach(globs::add);
        return new Globs(later.at(), earlier.replaces(), globs, List.of());
    }

    Optional<Glob> matching(String name) {
        return globs.stream().filter(g -> g.matches(name)).findFirst();
    }

    String shown() {
        return globs.isEmpty() ? "none" : globs.stream().map(Glob::text).collect(Collectors.joining(", "));
    }

    private static List<Glob> globs(List<Located> texts) {
        return texts.stream().map(t -> new Glob(t.text(), t.at())).toList();
    }
}

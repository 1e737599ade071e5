package org.vse.policy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/** Everything that is wrong with one text, so that its author learns it all at once. */
public final class Problems {
    private static final int LISTED = 10;

    private final List<Problem> found = new ArrayList<>();

    private record Problem(SourcePosition position, VseException failure) {}

    /** Sets the position of the failure and keeps it. */
    public void add(SourcePosition position, VseException failure) {
        found.add(new Problem(position, failure.at(position.toString())));
    }

    /** Whether nothing was added. */
    public boolean isEmpty() {
        return found.isEmpty();
    }

    /** Throws the first by position; the others are its fact {@code more}, one a line. */
    public void throwFirst() {
        List<Problem> ordered =
                found.stream().sorted(Comparator.comparing(Problem::position)).toList();
        Optional<Problem> first = ordered.stream().findFirst();
        if (first.isEmpty()) {
            return;
        }
        List<Problem> others = ordered.subList(1, ordered.size());
        VseException failure = first.get().failure();
        if (!others.isEmpty()) {
            String count = others.size() + (others.size() == 1 ? " more problem:" : " more problems:");
            String list = others.stream()
                    .limit(LISTED)
                    .map(p -> "\n" + p.position() + ": " + p.failure().what())
                    .collect(Collectors.joining());
            failure.fact("more", count + list + (others.size() > LISTED ? "\n…" : ""));
        }
        throw failure;
    }
}

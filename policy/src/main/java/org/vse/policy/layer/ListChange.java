package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.failure.SourcePosition;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Grammar;

/**
 * A change to the list that an earlier layer gives a key.
 *
 * @param at where it is written
 */
record ListChange(DirectiveKey key, List<String> added, List<String> removed, SourcePosition at) {
    ListChange {
        added = List.copyOf(added);
        removed = List.copyOf(removed);
    }

    /** Whether a key's value is a list. */
    static boolean fits(DirectiveKey key) {
        return key.grammar() instanceof Grammar.Words || key.grammar() instanceof Grammar.Commands;
    }

    /** The words of a list's value. */
    static List<String> words(DirectiveKey key, String text) {
        return key.grammar() instanceof Grammar.Commands ? Grammar.Commands.of(text) : Grammar.Words.of(text);
    }

    /** The value of a list; empty for that of no words. */
    static Optional<String> text(DirectiveKey key, List<String> words) {
        String between = key.grammar() instanceof Grammar.Commands ? Grammar.Commands.BETWEEN : ",";
        return words.isEmpty() ? Optional.empty() : Optional.of(String.join(between, words));
    }

    /** What the list becomes: what is added comes last, what is there already stays where it is. */
    Optional<String> over(Optional<String> earlier) {
        List<String> words =
                new ArrayList<>(earlier.map(text -> words(key, text)).orElse(List.of()));
        words.removeAll(removed);
        added.stream().filter(word -> !words.contains(word)).forEach(words::add);
        return text(key, words);
    }
}

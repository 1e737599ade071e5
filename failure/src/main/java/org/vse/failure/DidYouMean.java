package org.vse.failure;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** The word that was probably meant. */
public final class DidYouMean {
    private static final int LONGEST = 40;

    private DidYouMean() {}

    /**
     * The nearest candidate that is at most a third of the word (and at least one character) away, counting inserted,
     * removed, replaced and swapped neighbouring characters as one each; or the only one that begins with the word.
     */
    public static Optional<String> of(String word, Collection<String> candidates) {
        if (word.length() > LONGEST) {
            return Optional.empty();
        }
        String wanted = word.toLowerCase(Locale.ROOT).replace('_', '-');
        int allowed = Math.max(1, wanted.length() / 3);
        Optional<String> nearest = candidates.stream()
                .filter(c -> distance(wanted, c) <= allowed)
                .min(Comparator.comparingInt(c -> distance(wanted, c)));
        if (nearest.isPresent() || wanted.length() < 2) {
            return nearest;
        }
        var beginning = candidates.stream().filter(c -> c.startsWith(wanted)).toList();
        return beginning.size() == 1 ? Optional.of(beginning.get(0)) : Optional.empty();
    }

    /** Optimal string alignment distance. */
    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}

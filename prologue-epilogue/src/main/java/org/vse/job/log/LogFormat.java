package org.vse.job.log;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a line of the daemon's log looks. */
public enum LogFormat {
    /** For people: time, level, node, job, attempt, who says it, what. */
    TEXT,
    /** For programs: the same as a JSON object a line. */
    JSON;

    /** How the configuration says it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The format of that word; empty when there is none. */
    public static Optional<LogFormat> of(String word) {
        return Arrays.stream(values())
                .filter(format -> format.word().equals(word))
                .findFirst();
    }
}

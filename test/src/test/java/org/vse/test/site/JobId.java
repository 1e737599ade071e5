package org.vse.test.site;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the id of a job in what {@code vse run} says. */
public final class JobId {
    private static final Pattern ID = Pattern.compile("\\blocal-\\d+\\b");

    private JobId() {}

    public static Optional<String> in(String said) {
        Matcher matcher = ID.matcher(said);
        return matcher.find() ? Optional.of(matcher.group()) : Optional.empty();
    }
}

package org.vse.imagestore;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where an image came from; not part of its identity.
 *
 * @param created when it was made
 * @param source the recipe's file, or the address it was brought from
 */
public record Origin(Instant created, String source) {
    private static final Pattern CREATED = Pattern.compile("(?m)^created: \"([^\"]{1,40})\"$");
    private static final Pattern SOURCE = Pattern.compile("(?m)^source: \"([^\"]*)\"$");

    public Origin {
        source = source.replaceAll("[\\p{Cntrl}\"\\\\]", "?");
    }

    String render() {
        return "created: \"" + created + "\"\nsource: \"" + source + "\"\n";
    }

    static Optional<Origin> parse(String text) {
        Matcher created = CREATED.matcher(text);
        Matcher source = SOURCE.matcher(text);
        if (!created.find() || !source.find()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Origin(Instant.parse(created.group(1)), source.group(1)));
        } catch (DateTimeException notAnInstant) {
            return Optional.empty();
        }
    }
}

package org.vse.policy;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The name by which a user asks for an image: {@code name} or {@code name:tag}. Never a path and never a digest; which
 * image it is at this moment is the catalogue's business. Both parts are safe as file names.
 */
public record ImageReference(String name, Optional<String> tag) {
    private static final String PART = "[a-z0-9][a-z0-9._-]{0,63}";
    private static final Pattern NAME = Pattern.compile(PART);
    private static final Pattern REFERENCE = Pattern.compile(PART + "(:" + PART + ")?");

    static final String RANGE = "name or name:tag of a-z 0-9 . _ -";

    public ImageReference {
        if (!NAME.matcher(name).matches()
                || tag.filter(t -> !NAME.matcher(t).matches()).isPresent()) {
            throw new IllegalArgumentException("not an image: '" + name + "', " + tag);
        }
    }

    /** @throws VseException DIRECTIVE_BAD_VALUE, without a position, when the text is not {@code name} or {@code name:tag} */
    public static ImageReference parse(String text) {
        if (!REFERENCE.matcher(text).matches()) {
            throw refusal(text);
        }
        int colon = text.indexOf(':');
        return colon < 0
                ? new ImageReference(text, Optional.empty())
                : new ImageReference(text.substring(0, colon), Optional.of(text.substring(colon + 1)));
    }

    private static VseException refusal(String text) {
        if (text.contains("/")) {
            return VseException.of(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + text + "' is a path, not the name of an image")
                    .fact("allowed", RANGE)
                    .next("vse image import " + text + ", then give the name of the imported image");
        }
        VseException bad = VseException.of(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + text + "' is not the name of an image")
                .fact("allowed", RANGE + ", each part at most 64 characters and beginning with a letter or digit");
        String lower = text.toLowerCase(Locale.ROOT);
        return !lower.equals(text) && REFERENCE.matcher(lower).matches()
                ? bad.next("did you mean '" + lower + "'?")
                : bad.next("vse image ls");
    }

    @Override
    public String toString() {
        return name + tag.map(t -> ":" + t).orElse("");
    }
}

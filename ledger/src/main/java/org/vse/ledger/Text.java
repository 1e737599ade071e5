package org.vse.ledger;

import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a text of the ledger may be: anything that UTF-8 and every database can hold, so no NUL and no half surrogate pair. */
final class Text {
    private Text() {}

    static @Nullable String orNull(String name, @Nullable String value) {
        return value == null ? null : of(name, value);
    }

    static String of(String name, String value) {
        Objects.requireNonNull(value, name);
        if (value.isBlank()) {
            throw new IllegalArgumentException(name + " is empty");
        }
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(name + " contains a NUL character");
        }
        try {
            StandardCharsets.UTF_8.newEncoder().encode(java.nio.CharBuffer.wrap(value));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(name + " is not Unicode text", e);
        }
        return value;
    }
}

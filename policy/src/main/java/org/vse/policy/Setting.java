package org.vse.policy;

import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/**
 * One value that somebody set, as written, and where. The text is one that the key allows.
 *
 * @param position of the value's first character
 */
public record Setting(DirectiveKey key, String text, SourcePosition position) {
    public Setting {
        try {
            key.grammar().check(text);
        } catch (VseException refused) {
            throw refused.at(position.toString()).fact("key", key.word());
        }
    }
}

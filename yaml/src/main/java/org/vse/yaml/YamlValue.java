package org.vse.yaml;

import java.util.List;
import java.util.Map;
import org.vse.failure.SourcePosition;

/** A YAML value that knows where it stands. */
public sealed interface YamlValue {
    SourcePosition at();

    /** What a person would call it. */
    String kind();

    /** A word, number or truth value; {@code text} is what was written, quotes removed. Nothing has the empty text. */
    record Scalar(String text, Type type, SourcePosition at) implements YamlValue {
        /** What YAML takes it for. */
        public enum Type {
            TEXT,
            NUMBER,
            TRUTH,
            /** No value, or {@code ~}. */
            NOTHING
        }

        private static final int SHOWN = 40;

        public boolean isNothing() {
            return type == Type.NOTHING;
        }

        @Override
        public String kind() {
            return isNothing()
                    ? "nothing"
                    : "'" + (text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text) + "'";
        }
    }

    record Sequence(List<YamlValue> items, SourcePosition at) implements YamlValue {
        @Override
        public String kind() {
            return "a list";
        }
    }

    /** Keys in the order written; each once. */
    record Mapping(Map<String, Entry> entries, SourcePosition at) implements YamlValue {
        @Override
        public String kind() {
            return "a mapping";
        }
    }

    /**
     * A value and its key.
     *
     * @param at of the key
     */
    record Entry(YamlValue value, SourcePosition at) {}
}

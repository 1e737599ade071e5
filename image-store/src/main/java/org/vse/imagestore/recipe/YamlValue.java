package org.vse.imagestore.recipe;

import java.util.List;
import java.util.Map;

/** A YAML value that knows where it stands. */
sealed interface YamlValue {
    At at();

    /** What a person would call it. */
    String kind();

    /** A word, number or truth value; {@code text} is what was written, quotes removed. */
    record Scalar(String text, Type type, At at) implements YamlValue {
        enum Type {
            TEXT,
            NUMBER,
            TRUTH,
            NOTHING
        }

        @Override
        public String kind() {
            return switch (type) {
                case TEXT -> "text '" + (text.length() > 40 ? text.substring(0, 40) + "…" : text) + "'";
                case NUMBER -> "number " + text;
                case TRUTH -> "truth value " + text;
                case NOTHING -> "nothing";
            };
        }
    }

    record Sequence(List<YamlValue> items, At at) implements YamlValue {
        @Override
        public String kind() {
            return "a list";
        }
    }

    /** Keys in the order written; each once. */
    record Mapping(Map<String, Entry> entries, At at) implements YamlValue {
        @Override
        public String kind() {
            return "a mapping";
        }
    }

    /** A value and where its key stands. */
    record Entry(YamlValue value, At at) {}

    /** A place in a file; lines and columns count from 1. */
    record At(String file, int line, int column) {
        @Override
        public String toString() {
            return file + ":" + line + ":" + column;
        }
    }
}

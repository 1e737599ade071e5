package org.vse.job.install;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The text of a configuration file with a key and a value on each line, such as {@code slurm.conf}, without and with what
 * the hooks need. A line of the site's that is replaced stays as a comment, and what is added stands in a block at the end, so
 * that the site's own text can be had back to the byte.
 *
 * @param file for messages
 * @param form how a line is written
 * @param own the site's own text
 */
record KeyedText(String file, Form form, String own) {
    /** How a line is written. */
    enum Form {
        /** {@code Prolog=/site/prolog}; keys have no case. */
        EQUALS("="),
        /** {@code $prologalarm 300}. */
        BLANK(" ");

        private final String between;

        Form(String between) {
            this.between = between;
        }

        private boolean isOf(String line, String key) {
            String bare = line.strip();
            return this == EQUALS
                    ? bare.toLowerCase(Locale.ROOT).matches(Pattern.quote(key.toLowerCase(Locale.ROOT)) + "\\s*=.*")
                    : bare.matches(Pattern.quote(key) + "\\s.*");
        }

        private String value(String line) {
            String bare = line.strip();
            return (this == EQUALS ? bare.substring(bare.indexOf('=') + 1) : bare.replaceFirst("^\\S+", ""))
                    .replaceFirst("\\s#.*", "")
                    .strip();
        }
    }

    private static final String KEPT = "#vse# ";
    private static final String BEGIN = "# vse begin: written by 'vse install', removed by 'vse install --uninstall'";
    private static final String NO_NEWLINE = "; the line before had no end";
    private static final String END = "# vse end";

    /** Reads a text that may have been changed before. */
    static KeyedText of(String file, Form form, String text) {
        String rest = text;
        int begin = rest.indexOf(BEGIN);
        if (begin >= 0) {
            boolean joined = rest.startsWith(BEGIN + NO_NEWLINE, begin);
            int end = rest.indexOf(END + "\n", begin);
            if (end < 0) {
                throw VseException.of(ErrorCode.CONFIG_INVALID, "the block of 'vse install' has no end")
                        .at(file)
                        .next("remove the lines from '# vse begin' on");
            }
            rest = rest.substring(0, joined ? begin - 1 : begin) + rest.substring(end + END.length() + 1);
        }
        return new KeyedText(file, form, rest.replaceAll("(?m)^" + KEPT, ""));
    }

    /** The value of a key, empty when it is not set; names of keys have no case. */
    String value(String key) {
        String value = "";
        for (String line : own.lines().toList()) {
            if (form.isOf(line, key)) {
                if (line.endsWith("\\")) {
                    throw VseException.of(ErrorCode.CONFIG_INVALID, "'" + key + "' goes on over several lines")
                            .at(file)
                            .next("write it on one line");
                }
                value = form.value(line);
            }
        }
        return value;
    }

    /** The words of a list, and those that have to be in it. */
    String with(String key, List<String> needed) {
        Set<String> words = new LinkedHashSet<>();
        for (String word : value(key).split(",", -1)) {
            if (!word.isBlank()) {
                words.add(word.strip());
            }
        }
        for (String word : needed) {
            if (words.stream().noneMatch(word::equalsIgnoreCase)) {
                words.add(word);
            }
        }
        return String.join(",", words);
    }

    /** The whole text with these values. */
    String set(Map<String, String> values) {
        Map<String, String> wanted = new LinkedHashMap<>(values);
        List<String> lines = new ArrayList<>();
        for (String line : own.split("\n", -1)) {
            boolean replaced = wanted.keySet().stream().anyMatch(key -> form.isOf(line, key));
            lines.add(replaced ? KEPT + line : line);
        }
        String text = String.join("\n", lines);
        boolean joined = !text.isEmpty() && !text.endsWith("\n");
        StringBuilder all = new StringBuilder(text)
                .append(joined ? "\n" : "")
                .append(BEGIN)
                .append(joined ? NO_NEWLINE : "")
                .append('\n');
        wanted.forEach((key, value) ->
                all.append(key).append(form.between).append(value).append('\n'));
        return all.append(END).append('\n').toString();
    }
}

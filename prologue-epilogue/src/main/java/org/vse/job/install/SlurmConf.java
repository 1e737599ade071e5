package org.vse.job.install;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The text of {@code slurm.conf} (slurm.conf(5)) without and with what the hooks need. A line of the site's that is replaced
 * stays as a comment, and what is added stands in a block at the end, so that the site's own text can be had back to the
 * byte.
 *
 * @param own the site's own text
 */
record SlurmConf(String own) {
    private static final String KEPT = "#vse# ";
    private static final String BEGIN = "# vse begin: written by 'vse install', removed by 'vse install --uninstall'";
    private static final String NO_NEWLINE = "; the line before had no end";
    private static final String END = "# vse end";

    /** Reads a text that may have been changed before. */
    static SlurmConf of(String text) {
        String rest = text;
        int begin = rest.indexOf(BEGIN);
        if (begin >= 0) {
            boolean joined = rest.startsWith(BEGIN + NO_NEWLINE, begin);
            int end = rest.indexOf(END + "\n", begin);
            if (end < 0) {
                throw VseException.of(ErrorCode.CONFIG_INVALID, "the block of 'vse install' in slurm.conf has no end")
                        .next("remove the lines from '# vse begin' on");
            }
            rest = rest.substring(0, joined ? begin - 1 : begin) + rest.substring(end + END.length() + 1);
        }
        return new SlurmConf(rest.replaceAll("(?m)^" + KEPT, ""));
    }

    /** The value of a key, empty when it is not set; names of keys have no case. */
    String value(String key) {
        String value = "";
        for (String line : own.lines().toList()) {
            if (isOf(line, key)) {
                if (line.endsWith("\\")) {
                    throw VseException.of(ErrorCode.CONFIG_INVALID, "'" + key + "' goes on over several lines")
                            .at("slurm.conf")
                            .next("write it on one line");
                }
                value = line.substring(line.indexOf('=') + 1)
                        .replaceFirst("\\s#.*", "")
                        .strip();
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
            boolean replaced = wanted.keySet().stream().anyMatch(key -> isOf(line, key));
            lines.add(replaced ? KEPT + line : line);
        }
        String text = String.join("\n", lines);
        boolean joined = !text.isEmpty() && !text.endsWith("\n");
        StringBuilder all = new StringBuilder(text)
                .append(joined ? "\n" : "")
                .append(BEGIN)
                .append(joined ? NO_NEWLINE : "")
                .append('\n');
        wanted.forEach((key, value) -> all.append(key).append('=').append(value).append('\n'));
        return all.append(END).append('\n').toString();
    }

    private static boolean isOf(String line, String key) {
        return line.strip().toLowerCase(Locale.ROOT).matches(key.toLowerCase(Locale.ROOT) + "\\s*=.*");
    }
}

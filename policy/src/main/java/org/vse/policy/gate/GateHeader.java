package org.vse.policy.gate;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the {@code #VSE} lines of a script say, read by the rules of a compiled policy; stops at the first mistake. */
final class GateHeader {
    private static final String TOKEN = "#VSE";
    private static final String FORBIDDEN = "#\"'`\\";

    private final Map<String, GateKey> known;
    private final String file;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private boolean ours;
    private @Nullable Mistake mistake;

    private GateHeader(Map<String, GateKey> known, String file) {
        this.known = known;
        this.file = file;
    }

    /** A value and where it stands, {@code file:line:column}. */
    record Value(String text, String at) {}

    /** A code of docs/directives.md and what stands in the text's marks. */
    record Mistake(String code, String at, String key, String value) {}

    static GateHeader read(Map<String, GateKey> known, String file, String text) {
        GateHeader header = new GateHeader(known, file);
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length && header.mistake == null; i++) {
            String line = lines[i];
            if (!line.isBlank() && !line.startsWith("#")) {
                break;
            }
            boolean isOurs = line.startsWith(TOKEN)
                    && (line.length() == TOKEN.length()
                            || line.charAt(TOKEN.length()) <= ' '
                            || line.charAt(TOKEN.length()) > '~');
            if (isOurs) {
                header.ours = true;
                header.line(line, i + 1);
            }
        }
        return header;
    }

    boolean isOurs() {
        return ours;
    }

    Map<String, Value> values() {
        return values;
    }

    Optional<Mistake> mistake() {
        return Optional.ofNullable(mistake);
    }

    private void line(String line, int number) {
        int from = TOKEN.length();
        boolean any = false;
        while (from < line.length() && mistake == null) {
            char c = line.charAt(from);
            if (c == ' ' || c == '\t') {
                from++;
                continue;
            }
            int to = from;
            while (to < line.length() && line.charAt(to) != ' ' && line.charAt(to) != '\t') {
                to++;
            }
            any = true;
            word(line.substring(from, to), number, from + 1);
            from = to;
        }
        if (!any) {
            refuse("DIRECTIVE_SYNTAX", file + ":" + number, "", "");
        }
    }

    private void word(String word, int number, int column) {
        int equals = word.indexOf('=');
        boolean clean = word.chars().allMatch(c -> c > ' ' && c <= '~' && FORBIDDEN.indexOf(c) < 0);
        if (!clean || equals < 1 || equals == word.length() - 1) {
            refuse("DIRECTIVE_SYNTAX", file + ":" + number, "", "");
            return;
        }
        String key = word.substring(0, equals);
        String value = word.substring(equals + 1);
        String at = file + ":" + number + ":" + (column + equals + 1);
        GateKey grammar = known.get(key);
        if (grammar == null) {
            refuse("DIRECTIVE_UNKNOWN_KEY", file + ":" + number + ":" + column, key, value);
            return;
        }
        grammar.mistake(value).ifPresent(code -> refuse(code, at, key, value));
        if (values.putIfAbsent(key, new Value(value, at)) != null) {
            refuse("DIRECTIVE_DUPLICATE", at, key, value);
        }
    }

    private void refuse(String code, String at, String key, String value) {
        if (mistake == null) {
            mistake = new Mistake(code, at, key, value);
        }
    }
}

package org.vse.policy;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.DidYouMean;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/** Reads {@code #VSE key=value …} lines one by one and keeps what they set. Mistakes go to the problems. */
final class DirectiveReader {
    /** Longest directive line in characters. */
    static final int LONGEST = 4096;

    private static final String TOKEN = "#VSE";
    private static final Pattern WORD = Pattern.compile("[^ \t]+");
    private static final Pattern LISTED = Pattern.compile("([,;])(?=([a-z-]+)=)");
    private static final String FORM = "write '#VSE key=value key=value'";

    private final Problems problems;
    private final Map<DirectiveKey, Setting> settings = new EnumMap<>(DirectiveKey.class);

    DirectiveReader(Problems problems) {
        this.problems = problems;
    }

    /** {@code start} and {@code end} are indexes in the line. */
    private record Word(String text, int start, int end) {}

    /**
     * Whether the line is for us: {@code #VSE} in the first column and then nothing, a blank or what no name can contain.
     * {@code #VSEARCH} is a comment.
     */
    static boolean isDirective(HeaderLine line) {
        String text = line.text();
        if (!text.startsWith(TOKEN)) {
            return false;
        }
        return text.length() == TOKEN.length()
                || text.charAt(TOKEN.length()) <= ' '
                || text.charAt(TOKEN.length()) > '~';
    }

    Settings settings() {
        return Settings.of(List.copyOf(settings.values()));
    }

    void read(HeaderLine line) {
        String text = line.text();
        int end = text.endsWith("\r") ? text.length() - 1 : text.length();
        if (end > LONGEST) {
            syntax(line, LONGEST, LONGEST + 1, "the directive line is too long")
                    .fact("found", end + " characters")
                    .fact("allowed", LONGEST + " characters")
                    .next("write several '#VSE' lines");
            return;
        }
        int clean = requireClean(line, end);
        List<Word> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(text).region(TOKEN.length(), end);
        while (matcher.find() && matcher.end() <= clean) {
            words.add(new Word(matcher.group(), matcher.start(), matcher.end()));
        }
        if (words.isEmpty() && clean >= end) {
            syntax(line, 0, TOKEN.length(), "'#VSE' without a key").next(FORM);
        }
        for (int i = 0; i < words.size(); ) {
            i += read(line, words.subList(i, words.size()));
        }
    }

    /** @return the index of the first character that cannot be in a directive, or {@code end}; words up to there are good */
    private int requireClean(HeaderLine line, int end) {
        String text = line.text();
        for (int i = TOKEN.length(); i < end; i++) {
            int c = text.codePointAt(i);
            int after = i + Character.charCount(c);
            if (c == '#') {
                syntax(line, i, after, "'#' in a directive").next("put comments on lines of their own");
            } else if (c == '"' || c == '\'' || c == '`') {
                syntax(line, i, after, "a quotation mark in a directive").next("write values without quotes");
            } else if (c == '\\') {
                syntax(line, i, after, "'\\' in a directive").next("to go on, write another '#VSE' line");
            } else if (c != '\t' && (c < ' ' || c > '~')) {
                syntax(line, i, after, String.format(Locale.ROOT, "character U+%04X in a directive", c))
                        .next("directives are plain ASCII text");
            } else {
                continue;
            }
            return i;
        }
        return end;
    }

    /** Reads the first of the words, and those that belong to its mistake; returns how many that were. */
    private int read(HeaderLine line, List<Word> words) {
        Word word = words.get(0);
        Optional<Word> next = words.stream().skip(1).findFirst();
        int equals = word.text().indexOf('=');
        if (equals == 0) {
            syntax(line, word.start(), word.end(), "'=' without a key").next(FORM);
            return 1;
        }
        if (equals < 0) {
            if (next.filter(n -> n.text().startsWith("=")).isEmpty()) {
                syntax(line, word.start(), word.end(), "'" + word.text() + "' has no '=' and no value")
                        .next(FORM);
                return 1;
            }
            syntax(line, word.end(), next.get().start(), "a blank before '='").next(FORM);
            return next.get().text().equals("=") && words.size() > 2 ? 3 : 2;
        }
        String key = word.text().substring(0, equals);
        if (equals == word.text().length() - 1) {
            boolean apart = next.filter(n -> n.text().indexOf('=') < 0).isPresent();
            syntax(line, word.end(), word.end() + 1, apart ? "a blank after '='" : "'" + key + "' has no value")
                    .next(FORM);
            return apart ? 2 : 1;
        }
        Matcher listed = LISTED.matcher(word.text());
        while (listed.find()) {
            // An option of the kernel such as mitigations=off is no directive.
            if (DirectiveKey.of(key).filter(k -> k == DirectiveKey.BOOT).isEmpty()
                    || DirectiveKey.of(listed.group(2)).isPresent()) {
                int at = word.start() + listed.start();
                syntax(line, at, at + 1, "'" + listed.group() + "' between directives")
                        .next("separate them by blanks");
                return 1;
            }
        }
        set(line, key, word.text().substring(equals + 1), word);
        return 1;
    }

    private void set(HeaderLine line, String word, String value, Word place) {
        Optional<DirectiveKey> key = DirectiveKey.of(word);
        if (key.isEmpty()) {
            VseException unknown = VseException.of(ErrorCode.DIRECTIVE_UNKNOWN_KEY, "unknown key '" + word + "'")
                    .fact("line", line.marked(place.start(), place.start() + word.length()))
                    .fact("known", String.join(", ", DirectiveKey.words()));
            problems.add(
                    line.position(place.start()),
                    unknown.next(DidYouMean.of(word, DirectiveKey.words())
                            .map(meant -> "did you mean '" + meant + "'?")
                            .orElse("use one of the known keys")));
            return;
        }
        int start = place.end() - value.length();
        SourcePosition position = line.position(start);
        try {
            Setting setting = new Setting(key.get(), value, position);
            Setting first = settings.putIfAbsent(key.get(), setting);
            if (first != null) {
                throw Settings.duplicate(first, setting);
            }
        } catch (VseException refused) {
            problems.add(position, refused.fact("line", line.marked(start, place.end())));
        }
    }

    private VseException syntax(HeaderLine line, int from, int to, String what) {
        VseException failure = VseException.of(ErrorCode.DIRECTIVE_SYNTAX, what).fact("line", line.marked(from, to));
        problems.add(line.position(from), failure);
        return failure;
    }
}

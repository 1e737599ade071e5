package org.vse.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/** Splits a script into header and body and finds the lines that are ours, or were meant to be. */
final class HeaderReader {
    private static final String KEYS = String.join("|", DirectiveKey.words());
    private static final Pattern MEANT = Pattern.compile(
            "(?:^|\r)\ufeff?+[ \t]*+(#[ \t]*+vse)[ \t]*+:?+[ \t]*+(?:" + KEYS + ")[ \t]*+=", Pattern.CASE_INSENSITIVE);
    private static final Pattern LATE = Pattern.compile("#VSE[ \t]++(?:" + KEYS + ")=.*", Pattern.DOTALL);
    private static final char BYTE_ORDER_MARK = '\ufeff';

    private final String file;
    private final List<HeaderLine> header = new ArrayList<>();
    private final List<SourcePosition> late = new ArrayList<>();
    private final Problems problems = new Problems();
    private final DirectiveReader directives = new DirectiveReader(problems);
    private boolean ours;

    private HeaderReader(String file) {
        this.file = file;
    }

    static JobScript read(String file, String text) {
        ScriptText.requireSize(file, text);
        return new HeaderReader(file).read(text);
    }

    private JobScript read(String text) {
        boolean inHeader = true;
        int number = 0;
        for (int start = 0; start < text.length(); ) {
            int newline = text.indexOf('\n', start);
            int end = newline < 0 ? text.length() : newline;
            HeaderLine line = new HeaderLine(file, ++number, text.substring(start, end));
            inHeader = inHeader && isHeader(line);
            if (inHeader) {
                header(line);
            } else if (LATE.matcher(line.text()).matches()) {
                late.add(line.position(0));
            }
            start = end + 1;
        }
        if (ours) {
            requireUnixText();
        }
        Settings settings = directives.settings();
        if (!problems.isEmpty()) {
            Conflicts.find(settings, problems);
        }
        problems.throwFirst();
        return new JobScript(file, header, settings, late);
    }

    private static boolean isHeader(HeaderLine line) {
        String text = line.text();
        String visible = (line.number() == 1 && startsWithMark(text) ? text.substring(1) : text).strip();
        return visible.isEmpty() || visible.startsWith("#");
    }

    private void header(HeaderLine line) {
        int nul = line.text().indexOf('\0');
        if (nul >= 0) {
            throw ScriptText.nul(line.position(nul));
        }
        header.add(line);
        if (DirectiveReader.isDirective(line)) {
            ours = true;
            directives.read(line);
            return;
        }
        Matcher meant = MEANT.matcher(line.text());
        if (meant.find()) {
            boolean oldLineEnd = meant.group().startsWith("\r");
            VseException nearly = VseException.of(
                            ErrorCode.DIRECTIVE_SYNTAX,
                            oldLineEnd ? "lines end with a carriage return alone" : "not a directive, but nearly")
                    .fact("line", line.marked(meant.start(1), meant.end(1)))
                    .next(
                            oldLineEnd
                                    ? "save the script with Unix line ends"
                                    : "begin the line with '#VSE ' to mean it, or with '##VSE ' not to");
            problems.add(line.position(meant.start(1)), nearly);
        }
    }

    /** The shell that runs the script would not get far with these either. */
    private void requireUnixText() {
        if (startsWithMark(header.get(0).text())) {
            problems.add(
                    header.get(0).position(0),
                    VseException.of(ErrorCode.DIRECTIVE_SYNTAX, "the script begins with a byte order mark (U+FEFF)")
                            .next("save the script as UTF-8 without a byte order mark"));
        }
        for (HeaderLine line : header) {
            int cr = line.text().indexOf('\r');
            boolean unread =
                    !DirectiveReader.isDirective(line) || cr == line.text().length() - 1;
            if (cr >= 0 && unread) {
                problems.add(
                        line.position(cr),
                        VseException.of(
                                        ErrorCode.DIRECTIVE_SYNTAX,
                                        "the line ends with a carriage return, as on Windows")
                                .fact("line", line.marked(cr, cr + 1))
                                .next("save the script with Unix line ends, e.g. with dos2unix"));
                return;
            }
        }
    }

    private static boolean startsWithMark(String text) {
        return !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK;
    }
}

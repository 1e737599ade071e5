package org.vse.policy;

import org.vse.failure.SourcePosition;

/**
 * One line of a job script's header as it stands in the file, without its line end.
 *
 * @param number from 1
 */
public record HeaderLine(String file, int number, String text) {
    private static final int SHOWN = 100;

    /** @param index of a {@code char} in {@link #text}, from 0; may be the text's length */
    public SourcePosition position(int index) {
        return new SourcePosition(file, number, text.codePointCount(0, index) + 1);
    }

    /**
     * The line with a second line of carets under what is wrong, for an error's facts. What a terminal might obey is shown
     * as {@code ?}; of a long line only the surroundings of the place are shown.
     *
     * @param from index of the first wrong {@code char}
     * @param to index after the last
     */
    public String marked(int from, int to) {
        int start = from <= SHOWN * 2 / 3 ? 0 : from - SHOWN / 3;
        int end = Math.min(text.length(), start + SHOWN);
        String shown = printable(text.substring(start, end));
        String before = printable(text.substring(start, from));
        int indent = shown.length() - shown.stripLeading().length();
        String head = start > 0 ? "…" : "";
        String padding = (head + before.substring(Math.min(indent, before.length()))).replaceAll("[^\t]", " ");
        int marks = Math.max(1, text.codePointCount(from, Math.max(from, Math.min(to, end))));
        return head + shown.stripLeading() + (end < text.length() ? "…" : "") + "\n" + padding + "^".repeat(marks);
    }

    private static String printable(String part) {
        StringBuilder text = new StringBuilder();
        part.codePoints().map(c -> c != '\t' && !isPrintable(c) ? '?' : c).forEach(text::appendCodePoint);
        return text.toString();
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}

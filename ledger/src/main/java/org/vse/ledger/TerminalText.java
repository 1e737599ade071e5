package org.vse.ledger;

import java.util.Arrays;

/** Foreign text on a terminal: what it must not contain, and how wide it is. */
final class TerminalText {
    /** First and last code point of each wide block, in order. */
    private static final int[] WIDE = {
        0x1100, 0x115f, 0x2e80, 0xa4cf, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6,
        0x1f300, 0x1f64f, 0x1f680, 0x1f6ff, 0x1f900, 0x1faff, 0x20000, 0x3fffd
    };

    private TerminalText() {}

    /** Control, formatting and line-breaking characters as escapes: a name must move no cursor and break no line. */
    static String printable(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> {
            int type = Character.getType(c);
            boolean harmful = type == Character.CONTROL
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR;
            if (c == '\n') {
                shown.append("\\n");
            } else if (harmful) {
                shown.append(String.format(c > 0xffff ? "\\U%08x" : "\\u%04x", c));
            } else {
                shown.appendCodePoint(c);
            }
        });
        return shown.toString();
    }

    /** Columns of a fixed-width terminal: ideographs and emoji take two (Unicode UAX 11), marks none. */
    static int width(String printable) {
        return printable.codePoints().map(TerminalText::columns).sum();
    }

    private static int columns(int c) {
        int type = Character.getType(c);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        int block = Arrays.binarySearch(WIDE, c);
        boolean wide = block >= 0 || (-block - 1) % 2 == 1;
        return wide ? 2 : 1;
    }
}

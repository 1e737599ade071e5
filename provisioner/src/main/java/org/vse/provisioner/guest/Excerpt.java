package org.vse.provisioner.guest;

/** Foreign text made fit to be shown: printable ASCII on one line, cut. */
final class Excerpt {
    private static final int MAX_CHARACTERS = 160;

    private Excerpt() {}

    /** What is not printable ASCII appears as a Java escape; what was cut is counted. */
    static String of(String foreign) {
        StringBuilder shown = new StringBuilder();
        int end = Math.min(foreign.length(), MAX_CHARACTERS);
        for (int i = 0; i < end; i++) {
            char c = foreign.charAt(i);
            if (c >= ' ' && c <= '~') {
                shown.append(c);
            } else if (c == '\n') {
                shown.append("\\n");
            } else {
                shown.append("\\u").append(String.format("%04x", (int) c));
            }
        }
        if (foreign.length() > end) {
            shown.append("… and ").append(foreign.length() - end).append(" more characters");
        }
        return shown.toString();
    }

    /** Foreign text over several lines: line feeds stay, the last lines are kept. */
    static String lines(String foreign, int most) {
        String[] lines = foreign.strip().split("\n", -1);
        StringBuilder shown = new StringBuilder();
        for (int i = Math.max(0, lines.length - most); i < lines.length; i++) {
            shown.append(shown.isEmpty() ? "" : "\n").append(of(lines[i]));
        }
        return shown.toString();
    }
}

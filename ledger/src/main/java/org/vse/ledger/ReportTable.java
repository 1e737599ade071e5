package org.vse.ledger;

import java.util.ArrayList;
import java.util.List;

/**
 * Rows of text under columns, and the two text forms of it.
 *
 * @param columns titles, in order
 * @param numeric for each column, whether it is set to the right
 * @param rows cells of each row, as many as there are columns
 */
public record ReportTable(List<String> columns, List<Boolean> numeric, List<List<String>> rows) {
    public ReportTable {
        columns = List.copyOf(columns);
        numeric = List.copyOf(numeric);
        rows = rows.stream().map(List::copyOf).toList();
        int width = columns.size();
        if (numeric.size() != width || rows.stream().anyMatch(row -> row.size() != width)) {
            throw new IllegalArgumentException("a row or the alignment does not have " + width + " cells");
        }
    }

    /** Aligned for a terminal of a fixed-width font; control characters are shown as escapes. Every line ends in a line feed. */
    public String aligned() {
        List<List<String>> lines = new ArrayList<>();
        lines.add(columns);
        rows.forEach(row -> lines.add(row.stream().map(TerminalText::printable).toList()));
        int[] widths = new int[columns.size()];
        for (List<String> line : lines) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], TerminalText.width(line.get(i)));
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder row = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String cell = line.get(i);
                String space = " ".repeat(widths[i] - TerminalText.width(cell));
                row.append(i == 0 ? "" : "  ").append(numeric.get(i) ? space + cell : cell + space);
            }
            text.append(row.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /** Comma-separated by RFC 4180 with a header line: lines end in CR LF, a cell is quoted where it has to be. */
    public String csv() {
        StringBuilder text = new StringBuilder();
        List<List<String>> lines = new ArrayList<>();
        lines.add(columns);
        lines.addAll(rows);
        for (List<String> line : lines) {
            text.append(String.join(",", line.stream().map(ReportTable::quoted).toList()))
                    .append("\r\n");
        }
        return text.toString();
    }

    private static String quoted(String cell) {
        boolean plain = cell.chars().noneMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
        return plain ? cell : '"' + cell.replace("\"", "\"\"") + '"';
    }
}

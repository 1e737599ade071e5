package org.vse.job.cli;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import org.vse.job.client.JsonObject;

/**
 * Rows under named columns, as text for people or for programs.
 *
 * @param columns names of members, in the order shown
 * @param rows as many cells as there are columns
 */
record Table(List<String> columns, List<List<String>> rows) {
    Table {
        columns = List.copyOf(columns);
        rows = rows.stream().map(List::copyOf).toList();
    }

    /** Shows the named members of every object. */
    static Table of(List<JsonObject> objects, List<String> columns) {
        return new Table(
                columns,
                objects.stream()
                        .map(object -> columns.stream().map(object::shown).toList())
                        .toList());
    }

    /** Shows all members of the objects, in the order in which they first appear. */
    static Table of(List<JsonObject> objects) {
        LinkedHashSet<String> columns = new LinkedHashSet<>();
        objects.forEach(object -> columns.addAll(object.members().keySet()));
        return of(objects, List.copyOf(columns));
    }

    /** Columns side by side, the last one ragged, {@code -} for nothing; control characters become {@code ?}. */
    String text() {
        List<List<String>> lines = new ArrayList<>();
        lines.add(columns.stream().map(c -> c.toUpperCase(Locale.ROOT)).toList());
        rows.forEach(row -> lines.add(row.stream().map(Table::visible).toList()));
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder shown = new StringBuilder();
            for (int c = 0; c < line.size(); c++) {
                int column = c;
                int width = lines.stream()
                        .mapToInt(l -> l.get(column).length())
                        .max()
                        .orElse(0);
                shown.append(line.get(c)).append(" ".repeat(width - line.get(c).length() + 2));
            }
            text.append(shown.toString().stripTrailing()).append('\n');
        }
        return text.toString().stripTrailing();
    }

    /** RFC 4180 with a header line, lines ended by a line feed. */
    String csv() {
        StringBuilder text = new StringBuilder(String.join(",", columns));
        for (List<String> row : rows) {
            text.append('\n')
                    .append(String.join(",", row.stream().map(Table::quoted).toList()));
        }
        return text.toString();
    }

    private static String visible(String cell) {
        return cell.isEmpty() ? "-" : cell.replaceAll("\\p{Cntrl}", "?");
    }

    private static String quoted(String cell) {
        return cell.matches("(?s).*[\",\r\n].*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
    }
}

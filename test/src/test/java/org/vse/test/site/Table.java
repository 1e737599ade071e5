package org.vse.test.site;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A table of results for people, in Markdown, written where {@code vse.tables} says; without that it is only printed. */
public final class Table {
    private final List<String> lines = new ArrayList<>();
    private final int columns;

    public Table(List<String> head) {
        columns = head.size();
        row(head);
        lines.add("|" + "---|".repeat(columns));
    }

    /** Adds a row. */
    public void row(List<String> cells) {
        if (cells.size() != columns) {
            throw new IllegalArgumentException(cells.size() + " cells for " + columns + " columns: " + cells);
        }
        lines.add("| " + String.join(" | ", cells) + " |");
    }

    /** Writes the table below a text. */
    public void write(String name, String above) throws IOException {
        String text = above + "\n" + String.join("\n", lines) + "\n";
        System.out.println(text);
        String directory = System.getProperty("vse.tables", "");
        if (!directory.isEmpty()) {
            Files.createDirectories(Path.of(directory));
            Files.writeString(Path.of(directory, name), text);
        }
    }
}

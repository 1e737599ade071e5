package org.vse.failure;

import java.util.Comparator;

/**
 * Where a value was written.
 *
 * @param file as its reader knows it: a path, or the name of an option such as {@code --image}
 * @param line from 1
 * @param column from 1, in characters (Unicode code points; a tab is one)
 */
public record SourcePosition(String file, int line, int column) implements Comparable<SourcePosition> {
    private static final Comparator<SourcePosition> ORDER = Comparator.comparing(SourcePosition::file)
            .thenComparingInt(SourcePosition::line)
            .thenComparingInt(SourcePosition::column);

    public SourcePosition {
        if (file.isEmpty() || line < 1 || column < 1) {
            throw new IllegalArgumentException("not a position: '" + file + "', " + line + ", " + column);
        }
    }

    /** By file, line and column. */
    @Override
    public int compareTo(SourcePosition other) {
        return ORDER.compare(this, other);
    }

    /** {@code file:line:column}, the form that editors jump to. */
    @Override
    public String toString() {
        return file + ":" + line + ":" + column;
    }
}

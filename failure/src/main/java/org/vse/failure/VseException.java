package org.vse.failure;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An error for the person who reads it: a code, one line with what and where, the facts, the next action.
 *
 * <p>Built where the error arises with {@link #of}, completed with {@link #at}, {@link #fact} and {@link #next}, which
 * return the exception itself. {@link #render} is the only text form that people see.
 */
public final class VseException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String what;
    private final LinkedHashMap<String, String> facts = new LinkedHashMap<>();
    private @Nullable String where;
    private @Nullable String next;

    private VseException(ErrorCode code, String what) {
        super(what);
        this.code = Objects.requireNonNull(code);
        this.what = Objects.requireNonNull(what);
    }

    /** @param what one line, no trailing full stop, values in single quotes */
    public static VseException of(ErrorCode code, String what) {
        return new VseException(code, what);
    }

    /**
     * A file could not be made or written.
     *
     * @return DISK_FULL with what to do when there was no room for it or the owner's quota is used up, else STORAGE_FAILED
     */
    public static VseException storage(String what, Path file, IOException cause) {
        boolean full = saysFull(cause.getMessage());
        VseException failure = of(full ? ErrorCode.DISK_FULL : ErrorCode.STORAGE_FAILED, what)
                .at(file.toString())
                .fact("reason", String.valueOf(cause.getMessage()))
                .because(cause);
        return full
                ? failure.next("make room, 'df " + file.getParent() + "' shows which file system is full")
                : failure;
    }

    /** Whether a message of the system, of Java or of another program, says that a file system is full. */
    public static boolean saysFull(@Nullable String message) {
        return message != null
                && (message.contains("No space left on device") || message.contains("Disk quota exceeded"));
    }

    /** @param where {@code file:line} or {@code file:line:column} or another place that the reader can go to */
    public VseException at(String where) {
        this.where = Objects.requireNonNull(where);
        return this;
    }

    /** Adds one fact: expected, found, allowed, path, log. Facts keep their order. */
    public VseException fact(String name, Object value) {
        facts.put(name, String.valueOf(value));
        return this;
    }

    /** @param action what the reader does next, a command where there is one */
    public VseException next(String action) {
        this.next = Objects.requireNonNull(action);
        return this;
    }

    /** Sets the technical cause; a second one is kept as suppressed. */
    public VseException because(Throwable cause) {
        if (getCause() == null) {
            initCause(cause);
        } else {
            addSuppressed(cause);
        }
        return this;
    }

    public ErrorCode code() {
        return code;
    }

    public Kind kind() {
        return code.kind();
    }

    public String what() {
        return what;
    }

    public @Nullable String where() {
        return where;
    }

    public @Nullable String next() {
        return next;
    }

    /** In the order in which they were added; not a live view. */
    public Map<String, String> facts() {
        return Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /**
     * The whole message as a user sees it: first line, then indented facts, then the next action. No trailing newline. What
     * came from outside moves no cursor: control and formatting characters are shown as escapes, only a fact keeps its line
     * feeds and tabs.
     */
    public String render() {
        StringBuilder text = new StringBuilder("vse: ");
        if (where != null) {
            text.append(oneLine(where)).append(": ");
        }
        text.append(oneLine(what)).append(" [").append(code.name()).append(']');
        LinkedHashMap<String, String> lines = new LinkedHashMap<>();
        facts.forEach((name, value) ->
                lines.put(oneLine(name), value.replace("\r\n", "\n").strip()));
        if (next != null) {
            lines.put("next", next);
        }
        int width = lines.keySet().stream().mapToInt(String::length).max().orElse(0);
        lines.forEach((name, value) -> {
            text.append("\n  ")
                    .append(name)
                    .append(" ".repeat(width - name.length()))
                    .append(": ");
            text.append(escaped(value, true)
                    .replace("\n", "\n" + " ".repeat(width + 4))
                    .replaceAll("(?m)^ +$", ""));
        });
        return text.toString();
    }

    private static String oneLine(String foreign) {
        return escaped(foreign, false);
    }

    private static String escaped(String foreign, boolean keepLines) {
        StringBuilder text = new StringBuilder();
        foreign.codePoints().forEach(c -> {
            int type = Character.getType(c);
            boolean moves = type == Character.CONTROL
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR;
            if (moves && !(keepLines && (c == '\n' || c == '\t'))) {
                text.append(String.format(c > 0xffff ? "\\U%08x" : "\\u%04x", c));
            } else {
                text.appendCodePoint(c);
            }
        });
        return text.toString();
    }

    /** The same as {@link #render}, so that no log ever shows less. */
    @Override
    public String getMessage() {
        return render();
    }
}

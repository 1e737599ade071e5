package org.vse.yaml;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/**
 * Reads one YAML document into values with positions. Anchors, aliases and tags are refused, so that the memory used is
 * proportional to the text; so are duplicate keys, a second document, a text that is too long, and nesting deeper than
 * {@link #MAX_DEPTH}.
 */
public final class YamlReader {
    /** Mappings and lists within each other. */
    public static final int MAX_DEPTH = 16;

    private static final YAMLFactory FACTORY = new YAMLFactory();

    private final String file;
    private final ErrorCode code;
    private final YAMLParser in;

    private YamlReader(String file, ErrorCode code, YAMLParser in) {
        this.file = file;
        this.code = code;
        this.in = in;
    }

    /**
     * An empty text is an empty mapping.
     *
     * @param file as positions name it
     * @param code of every refusal
     * @param mostBytes of the text as UTF-8
     * @throws VseException with file, line and column
     */
    public static YamlValue read(String file, String text, ErrorCode code, int mostBytes) {
        int bytes = text.length() > mostBytes ? text.length() : text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > mostBytes) {
            throw VseException.of(code, "the file is too large")
                    .at(new SourcePosition(file, 1, 1).toString())
                    .fact("found", "at least " + bytes + " bytes")
                    .fact("allowed", mostBytes + " bytes");
        }
        try (YAMLParser in = FACTORY.createParser(text)) {
            YamlReader reader = new YamlReader(file, code, in);
            if (in.nextToken() == null) {
                return new YamlValue.Mapping(new LinkedHashMap<>(), new SourcePosition(file, 1, 1));
            }
            YamlValue value = reader.value(0);
            if (in.nextToken() != null) {
                throw reader.refused(reader.here(), "more than one document");
            }
            return value;
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            SourcePosition position = at == null ? new SourcePosition(file, 1, 1) : position(file, at);
            String said =
                    String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
            throw VseException.of(code, "not YAML: " + said)
                    .at(position.toString())
                    .because(e);
        } catch (IOException e) {
            throw VseException.of(code, "the file cannot be read: " + e.getMessage())
                    .at(file)
                    .because(e);
        }
    }

    private YamlValue value(int depth) throws IOException {
        SourcePosition at = here();
        if (depth > MAX_DEPTH) {
            throw refused(at, "nested deeper than " + MAX_DEPTH);
        }
        if (in.isCurrentAlias() || in.getObjectId() != null) {
            throw refused(at, "anchors and aliases are not allowed");
        }
        if (in.getTypeId() != null) {
            throw refused(at, "tags such as '!name' are not allowed");
        }
        return switch (in.currentToken()) {
            case START_OBJECT -> mapping(depth, at);
            case START_ARRAY -> sequence(depth, at);
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT ->
                new YamlValue.Scalar(in.getText(), YamlValue.Scalar.Type.NUMBER, at);
            case VALUE_TRUE, VALUE_FALSE -> new YamlValue.Scalar(in.getText(), YamlValue.Scalar.Type.TRUTH, at);
            case VALUE_NULL -> new YamlValue.Scalar("", YamlValue.Scalar.Type.NOTHING, at);
            default -> new YamlValue.Scalar(in.getText(), YamlValue.Scalar.Type.TEXT, at);
        };
    }

    private YamlValue sequence(int depth, SourcePosition at) throws IOException {
        List<YamlValue> items = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
            items.add(value(depth + 1));
        }
        return new YamlValue.Sequence(List.copyOf(items), at);
    }

    private YamlValue mapping(int depth, SourcePosition at) throws IOException {
        LinkedHashMap<String, YamlValue.Entry> entries = new LinkedHashMap<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
            SourcePosition place = here();
            String key = in.currentName();
            YamlValue.@Nullable Entry before = entries.get(key);
            if (before != null) {
                throw refused(place, "'" + key + "' is given twice").fact("first", before.at());
            }
            in.nextToken();
            entries.put(key, new YamlValue.Entry(value(depth + 1), place));
        }
        return new YamlValue.Mapping(entries, at);
    }

    private SourcePosition here() {
        return position(file, in.currentTokenLocation());
    }

    private static SourcePosition position(String file, JsonLocation at) {
        return new SourcePosition(file, Math.max(1, at.getLineNr()), Math.max(1, at.getColumnNr()));
    }

    private VseException refused(SourcePosition at, String what) {
        return VseException.of(code, what).at(at.toString());
    }
}

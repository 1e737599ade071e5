package org.vse.imagestore.recipe;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Reads one YAML document into values with positions. Anchors and aliases are refused, so that the memory used is
 * proportional to the text; so are duplicate keys, a second document and nesting deeper than {@link #MAX_DEPTH}.
 */
final class YamlReader {
    static final int MAX_DEPTH = 16;

    private static final YAMLFactory FACTORY = new YAMLFactory();

    private final String file;
    private final YAMLParser in;

    private YamlReader(String file, YAMLParser in) {
        this.file = file;
        this.in = in;
    }

    /** @throws VseException RECIPE_INVALID with file, line and column */
    static YamlValue read(String file, String text) {
        try (YAMLParser in = FACTORY.createParser(text)) {
            YamlReader reader = new YamlReader(file, in);
            if (reader.next() == null) {
                throw invalid(file, 1, 1, "the file is empty");
            }
            YamlValue value = reader.value(0);
            if (reader.next() != null) {
                throw reader.here("more than one document");
            }
            return value;
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String said =
                    String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
            throw invalid(
                            file,
                            at == null ? 1 : Math.max(1, at.getLineNr()),
                            at == null ? 1 : Math.max(1, at.getColumnNr()),
                            "not YAML: " + said)
                    .because(e);
        } catch (IOException e) {
            throw invalid(file, 1, 1, "cannot be read: " + e.getMessage()).because(e);
        }
    }

    static VseException invalid(YamlValue.At at, String what) {
        return invalid(at.file(), at.line(), at.column(), what);
    }

    static VseException invalid(String file, int line, int column, String what) {
        return VseException.of(ErrorCode.RECIPE_INVALID, what).at(file + ":" + line + ":" + column);
    }

    private YamlValue value(int depth) throws IOException {
        JsonLocation at = in.currentTokenLocation();
        YamlValue.At here = new YamlValue.At(file, at.getLineNr(), at.getColumnNr());
        if (depth > MAX_DEPTH) {
            throw here("nested deeper than " + MAX_DEPTH);
        }
        if (in.isCurrentAlias() || in.getObjectId() != null) {
            throw here("anchors and aliases are not allowed in a recipe");
        }
        return switch (in.currentToken()) {
            case START_OBJECT -> mapping(depth, here);
            case START_ARRAY -> sequence(depth, here);
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT ->
                new YamlValue.Scalar(in.getText(), YamlValue.Scalar.Type.NUMBER, here);
            case VALUE_TRUE, VALUE_FALSE -> new YamlValue.Scalar(in.getText(), YamlValue.Scalar.Type.TRUTH, here);
            case VALUE_NULL -> new YamlValue.Scalar("", YamlValue.Scalar.Type.NOTHING, here);
            default -> new YamlValue.Scalar(in.getText(), YamlValue.Scalar.Type.TEXT, here);
        };
    }

    private YamlValue sequence(int depth, YamlValue.At here) throws IOException {
        List<YamlValue> items = new ArrayList<>();
        while (next() != JsonToken.END_ARRAY) {
            items.add(value(depth + 1));
        }
        return new YamlValue.Sequence(List.copyOf(items), here);
    }

    private YamlValue mapping(int depth, YamlValue.At here) throws IOException {
        LinkedHashMap<String, YamlValue.Entry> entries = new LinkedHashMap<>();
        while (next() != JsonToken.END_OBJECT) {
            JsonLocation at = in.currentTokenLocation();
            String key = in.currentName();
            YamlValue.@Nullable Entry before = entries.get(key);
            if (before != null) {
                throw invalid(file, at.getLineNr(), at.getColumnNr(), "key '" + key + "' is given twice")
                        .fact("first", "line " + before.at().line());
            }
            next();
            entries.put(
                    key,
                    new YamlValue.Entry(value(depth + 1), new YamlValue.At(file, at.getLineNr(), at.getColumnNr())));
        }
        return new YamlValue.Mapping(entries, here);
    }

    private @Nullable JsonToken next() throws IOException {
        return in.nextToken();
    }

    private VseException here(String what) {
        JsonLocation at = in.currentTokenLocation();
        return invalid(file, at.getLineNr(), at.getColumnNr(), what);
    }
}

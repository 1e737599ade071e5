package org.vse.imagestore.recipe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.DidYouMean;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.yaml.YamlValue;

/** One mapping of a recipe: knows which keys it may have, and where each value stands. */
final class Fields {
    private final String what;
    private final YamlValue.Mapping mapping;

    private Fields(String what, YamlValue.Mapping mapping) {
        this.what = what;
        this.mapping = mapping;
    }

    /** @throws VseException RECIPE_INVALID unless the value is a mapping with known keys only */
    static Fields of(String what, YamlValue value, Set<String> known) {
        if (!(value instanceof YamlValue.Mapping mapping)) {
            throw expected(value, what + " must be a mapping");
        }
        mapping.entries().forEach((key, entry) -> {
            if (!known.contains(key)) {
                VseException unknown = invalid(entry.at(), "unknown key '" + key + "' in " + what);
                DidYouMean.of(key, known).ifPresent(near -> unknown.fact("did you mean", near));
                throw unknown.fact("known", String.join(", ", known));
            }
        });
        return new Fields(what, mapping);
    }

    /** RECIPE_INVALID at a place. */
    static VseException invalid(SourcePosition at, String what) {
        return VseException.of(ErrorCode.RECIPE_INVALID, what).at(at.toString());
    }

    boolean has(String key) {
        return mapping.entries().containsKey(key);
    }

    String text(String key, Pattern grammar) {
        return text("'" + key + "'", required(key), grammar);
    }

    String text(String key, Pattern grammar, String otherwise) {
        return has(key) ? text(key, grammar) : otherwise;
    }

    boolean truth(String key, boolean otherwise) {
        if (!has(key)) {
            return otherwise;
        }
        YamlValue value = required(key);
        if (value instanceof YamlValue.Scalar scalar && scalar.type() == YamlValue.Scalar.Type.TRUTH) {
            return scalar.text().equalsIgnoreCase("true");
        }
        throw expected(value, "'" + key + "' must be true or false");
    }

    /** Distinct texts; absent means none. */
    List<String> texts(String key, Pattern grammar) {
        Set<String> texts = new LinkedHashSet<>();
        for (YamlValue item : items(key)) {
            if (!texts.add(text("each of '" + key + "'", item, grammar))) {
                throw invalid(item.at(), "'" + ((YamlValue.Scalar) item).text() + "' is given twice in '" + key + "'");
            }
        }
        return List.copyOf(texts);
    }

    Map<String, String> textMap(String key, Pattern keyGrammar, Pattern grammar) {
        if (!has(key)) {
            return Map.of();
        }
        if (!(required(key) instanceof YamlValue.Mapping map)) {
            throw expected(required(key), "'" + key + "' must be a mapping");
        }
        Map<String, String> result = new LinkedHashMap<>();
        map.entries().forEach((name, entry) -> {
            if (!keyGrammar.matcher(name).matches()) {
                throw invalid(entry.at(), "'" + name + "' is not a name for one of '" + key + "'");
            }
            result.put(name, text("'" + name + "'", entry.value(), grammar));
        });
        return result;
    }

    /** Each item of a list read by a function; absent means none. */
    <T> List<T> each(String key, Function<YamlValue, T> read) {
        List<T> result = new ArrayList<>();
        items(key).forEach(item -> result.add(read.apply(item)));
        return result;
    }

    YamlValue required(String key) {
        YamlValue.@Nullable Entry entry = mapping.entries().get(key);
        if (entry == null) {
            throw invalid(mapping.at(), what + " has no '" + key + "'");
        }
        return entry.value();
    }

    VseException invalid(String key, String what) {
        YamlValue value = required(key);
        return invalid(value.at(), what);
    }

    private List<YamlValue> items(String key) {
        if (!has(key)) {
            return List.of();
        }
        YamlValue value = required(key);
        if (value instanceof YamlValue.Sequence sequence) {
            return sequence.items();
        }
        throw expected(value, "'" + key + "' must be a list");
    }

    private static String text(String name, YamlValue value, Pattern grammar) {
        if (!(value instanceof YamlValue.Scalar scalar) || scalar.type() == YamlValue.Scalar.Type.NOTHING) {
            throw expected(value, name + " must be text");
        }
        if (!grammar.matcher(scalar.text()).matches()) {
            throw expected(value, name + " has a wrong form").fact("expected", grammar.pattern());
        }
        return scalar.text();
    }

    private static VseException expected(YamlValue value, String rule) {
        return invalid(value.at(), rule).fact("found", value.kind());
    }
}

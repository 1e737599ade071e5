package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.DidYouMean;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.yaml.YamlValue;

/** One mapping of a file: knows which keys it may have, and where each value stands. What is wrong goes to the mistakes. */
final class Fields {
    private final YamlValue.Mapping mapping;
    private final Mistakes mistakes;

    private Fields(YamlValue.Mapping mapping, Mistakes mistakes) {
        this.mapping = mapping;
        this.mistakes = mistakes;
    }

    /** Empty, with a mistake, unless the value is a mapping. Unknown keys are mistakes. */
    static Optional<Fields> of(String what, YamlValue value, Collection<String> known, Mistakes mistakes) {
        if (!(value instanceof YamlValue.Mapping mapping)) {
            mistakes.add(value.at(), what + " must be a mapping of keys to values")
                    .fact("found", value.kind());
            return Optional.empty();
        }
        mapping.entries().forEach((key, entry) -> {
            if (!known.contains(key)) {
                VseException mistake = mistakes.add(entry.at(), "unknown key '" + key + "' in " + what);
                mistake.fact("known", String.join(", ", known))
                        .next(DidYouMean.of(key, known)
                                .map(m -> "did you mean '" + m + "'?")
                                .orElse("remove the key"));
            }
        });
        return Optional.of(new Fields(mapping, mistakes));
    }

    YamlValue.@Nullable Entry entry(String key) {
        return mapping.entries().get(key);
    }

    Optional<YamlValue> value(String key) {
        return Optional.ofNullable(mapping.entries().get(key)).map(YamlValue.Entry::value);
    }

    /** A text of that form; empty when absent or wrong. */
    Optional<Located> text(String key, Pattern form, String words) {
        return value(key).flatMap(value -> text("'" + key + "'", value, form, words, mistakes));
    }

    /** A list of texts, each once; empty when absent. */
    List<Located> texts(String key, Pattern form, String words) {
        return value(key)
                .map(value -> texts("'" + key + "'", value, form, words, mistakes))
                .orElse(List.of());
    }

    Optional<Fields> mapping(String key, Collection<String> known) {
        return value(key).flatMap(value -> of("'" + key + "'", value, known, mistakes));
    }

    /** All entries, as a mapping whose keys are names of the site's own. */
    Map<String, YamlValue.Entry> entries() {
        return mapping.entries();
    }

    /** A text and where it stands. */
    record Located(String text, SourcePosition at) {}

    static List<Located> texts(String what, YamlValue value, Pattern form, String words, Mistakes mistakes) {
        if (!(value instanceof YamlValue.Sequence sequence)) {
            mistakes.add(value.at(), what + " must be a list").fact("found", value.kind());
            return List.of();
        }
        List<Located> texts = new ArrayList<>();
        for (YamlValue item : sequence.items()) {
            Optional<Located> text = text("each of " + what, item, form, words, mistakes);
            if (text.isPresent()
                    && texts.stream().anyMatch(t -> t.text().equals(text.get().text()))) {
                mistakes.add(item.at(), "'" + text.get().text() + "' is given twice in " + what);
            } else {
                text.ifPresent(texts::add);
            }
        }
        return List.copyOf(texts);
    }

    private static Optional<Located> text(String what, YamlValue value, Pattern form, String words, Mistakes mistakes) {
        if (value instanceof YamlValue.Scalar scalar
                && !scalar.isNothing()
                && form.matcher(scalar.text()).matches()) {
            return Optional.of(new Located(scalar.text(), scalar.at()));
        }
        mistakes.add(value.at(), what + " must be " + words).fact("found", value.kind());
        return Optional.empty();
    }
}

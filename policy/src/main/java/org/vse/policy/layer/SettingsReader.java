package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.DidYouMean;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Grammar;
import org.vse.policy.Setting;
import org.vse.policy.Settings;
import org.vse.yaml.YamlValue;

/** Reads what files say about keys of {@code #VSE} lines: values, reservations, variants. */
final class SettingsReader {
    /** Keys that a file may set, by word: all but the one that names a file. */
    static final List<String> KEYS = Arrays.stream(DirectiveKey.values())
            .filter(key -> key != DirectiveKey.VSE)
            .map(DirectiveKey::word)
            .toList();

    /** Keys that a site may reserve: with {@code vse}, scripts name no descriptions. */
    static final List<String> RESERVED = and(DirectiveKey.VSE.word(), KEYS);

    static final String WHEN = "when";

    private static final Pattern WORD = Pattern.compile("[a-z-]{1,40}");
    /** Values for the head and for the workers, written together. */
    static final String ROLES = "roles";

    /** What every VM has of its node, written together. */
    static final String RESOURCES = "resources";

    /** What a layer's values are written as: the keys, and {@value #ROLES}. */
    static final List<String> WRITTEN = and(RESOURCES, and(ROLES, KEYS));

    private static final List<String> VARIANT = and(WHEN, WRITTEN);

    private final Mistakes mistakes;

    SettingsReader(Mistakes mistakes) {
        this.mistakes = mistakes;
    }

    static List<String> and(String word, List<String> words) {
        List<String> all = new ArrayList<>(List.of(word));
        all.addAll(words);
        return List.copyOf(all);
    }

    /** Values of the keys among the fields; nothing ({@code ~}) takes an earlier layer's value away. */
    Layer.Change change(Fields fields) {
        List<Setting> sets = new ArrayList<>();
        Map<DirectiveKey, SourcePosition> removes = new EnumMap<>(DirectiveKey.class);
        List<ListChange> lists = new ArrayList<>();
        for (String word : KEYS) {
            YamlValue.@Nullable Entry entry = fields.entry(word);
            if (entry != null) {
                DirectiveKey key = DirectiveKey.of(word).orElseThrow();
                if (entry.value() instanceof YamlValue.Mapping && ListChange.fits(key)) {
                    list(key, entry.value()).ifPresent(lists::add);
                } else if (entry.value() instanceof YamlValue.Scalar scalar && scalar.isNothing()) {
                    removes.put(key, entry.at());
                } else {
                    setting(key, entry.value()).ifPresent(sets::add);
                }
            }
        }
        fields.mapping(ROLES, Roles.NAMES)
                .ifPresent(roles -> Roles.read(roles, sets, removes, this::setting, mistakes));
        fields.mapping(RESOURCES, Roles.RESOURCES)
                .ifPresent(resources -> Roles.resources(resources, sets, removes, this::setting, mistakes));
        return new Layer.Change(Settings.of(sets), removes, lists);
    }

    private Optional<ListChange> list(DirectiveKey key, YamlValue value) {
        return Fields.of("'" + key + "'", value, List.of("add", "remove"), mistakes)
                .map(change ->
                        new ListChange(key, words(key, change, "add"), words(key, change, "remove"), value.at()));
    }

    private List<String> words(DirectiveKey key, Fields change, String verb) {
        return change.value(verb)
                .flatMap(value -> setting(key, value))
                .map(setting -> ListChange.words(key, setting.text()))
                .orElse(List.of());
    }

    private Optional<Setting> setting(DirectiveKey key, YamlValue value) {
        Optional<String> text = text(key, value);
        if (text.isEmpty()) {
            mistakes.add(value.at(), "'" + key + "' takes a single value").fact("found", value.kind());
            return Optional.empty();
        }
        try {
            return Optional.of(new Setting(key, text.get(), value.at()));
        } catch (VseException refused) {
            mistakes.add(value.at(), refused);
            return Optional.empty();
        }
    }

    /** A list of words may be written as YAML's lists are, yes and no as its truth values are. */
    private static Optional<String> text(DirectiveKey key, YamlValue value) {
        if (value instanceof YamlValue.Scalar scalar) {
            boolean isTruth = scalar.type() == YamlValue.Scalar.Type.TRUTH
                    && key.grammar() instanceof Grammar.Choice choice
                    && choice.words().contains("yes");
            return Optional.of(!isTruth ? scalar.text() : scalar.text().matches("(?i)true|yes|on") ? "yes" : "no");
        }
        return ListChange.fits(key)
                        && value instanceof YamlValue.Sequence sequence
                        && sequence.items().stream().allMatch(YamlValue.Scalar.class::isInstance)
                ? ListChange.text(
                        key,
                        sequence.items().stream()
                                .map(item -> ((YamlValue.Scalar) item).text())
                                .toList())
                : Optional.empty();
    }

    /**
     * The keys that a layer reserves.
     *
     * @param keys those that it may
     */
    Map<DirectiveKey, SourcePosition> reserved(Fields fields, List<String> keys) {
        Map<DirectiveKey, SourcePosition> reserved = new EnumMap<>(DirectiveKey.class);
        for (Fields.Located word : fields.texts("reserved", WORD, "a key")) {
            if (keys.contains(word.text())) {
                reserved.put(DirectiveKey.of(word.text()).orElseThrow(), word.at());
            } else {
                mistakes.add(word.at(), "'" + word.text() + "' is not a key that can be reserved")
                        .fact("known", String.join(", ", keys))
                        .next(DidYouMean.of(word.text(), keys)
                                .map(m -> "did you mean '" + m + "'?")
                                .orElse("remove it"));
            }
        }
        return reserved;
    }

    List<Layer.Variant> variants(Fields fields) {
        Optional<YamlValue> value = fields.value("variants");
        if (value.isEmpty()) {
            return List.of();
        }
        if (!(value.get() instanceof YamlValue.Sequence sequence)) {
            mistakes.add(value.get().at(), "'variants' must be a list")
                    .fact("found", value.get().kind());
            return List.of();
        }
        List<Layer.Variant> variants = new ArrayList<>();
        for (YamlValue item : sequence.items()) {
            Fields.of("a variant", item, VARIANT, mistakes)
                    .flatMap(f -> condition(f, item).map(when -> new Layer.Variant(when, change(f))))
                    .ifPresent(variants::add);
        }
        return variants;
    }

    private Optional<Condition> condition(Fields fields, YamlValue variant) {
        Optional<YamlValue> when = fields.value(WHEN);
        Optional<Condition> condition = when.flatMap(
                value -> value instanceof YamlValue.Scalar scalar ? Condition.parse(scalar.text()) : Optional.empty());
        if (condition.isEmpty()) {
            mistakes.add(
                            when.orElse(variant).at(),
                            when.isEmpty() ? "a variant has no 'when'" : "'when' is not a condition")
                    .fact("allowed", Condition.RANGE)
                    .next("write such a condition");
        }
        return condition;
    }
}

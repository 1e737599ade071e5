package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Setting;
import org.vse.policy.Settings;

/**
 * Layers laid over each other, the later over the earlier. A reserved key keeps the value that it has after the layer that
 * reserves it; what a later layer says otherwise is a refusal and changes nothing.
 *
 * @param values what every key came to, absent where no layer says anything
 * @param refusals of changes to reserved keys, in the order of layers and keys
 */
record Merged(Map<DirectiveKey, Value> values, List<VseException> refusals) {
    /**
     * One value of one layer.
     *
     * @param text empty for a removal
     * @param variant the condition, when a variant said it
     */
    public record Origin(
            String layer, Optional<String> text, SourcePosition at, Optional<Condition> variant, boolean isUsers) {}

    /**
     * What a key came to.
     *
     * @param history what layers said, the effective one last; empty when no layer says anything
     * @param reserved who made it final
     */
    public record Value(DirectiveKey key, List<Origin> history, Optional<Reservation> reserved) {
        /** What is in force; empty for the key's default. */
        public Optional<Origin> effective() {
            return history.isEmpty()
                    ? Optional.empty()
                    : Optional.of(history.get(history.size() - 1))
                            .filter(o -> o.text().isPresent());
        }

        /** What is in force, the key's default where that is fixed. */
        public Optional<String> text() {
            return effective().flatMap(Origin::text).or(key::fallback);
        }

        Optional<Setting> setting() {
            return effective().map(o -> new Setting(key, o.text().orElseThrow(), o.at()));
        }
    }

    /**
     * Who made a key final.
     *
     * @param held what was in force then; later layers may only repeat it
     */
    public record Reservation(String layer, SourcePosition at, Optional<Origin> held) {}

    Merged {
        values = values.isEmpty() ? Map.of() : new EnumMap<>(values);
        refusals = List.copyOf(refusals);
    }

    /** @param active which variants count */
    static Merged of(List<Layer> layers, Predicate<Condition> active, Refusals say) {
        Map<DirectiveKey, Value> values = new EnumMap<>(DirectiveKey.class);
        List<VseException> refusals = new ArrayList<>();
        for (Layer layer : layers) {
            Map<DirectiveKey, List<Said>> all = said(layer, active);
            all.forEach((key, said) -> {
                Value before = values.getOrDefault(key, new Value(key, List.of(), Optional.empty()));
                List<Origin> origins = origins(said, before.text());
                Origin last = origins.get(origins.size() - 1);
                boolean same = last.text().or(key::fallback).equals(before.text());
                if (before.reserved().isEmpty() || (same && last.text().isPresent())) {
                    List<Origin> history = new ArrayList<>(before.history());
                    history.addAll(before.reserved().isEmpty() ? origins : List.of(last));
                    values.put(key, new Value(key, List.copyOf(history), before.reserved()));
                } else if (!same) {
                    refusals.add(say.reserved(
                            key, last.text().orElse("nothing"), last.at().toString(), before));
                }
            });
            layer.reserved().forEach((key, at) -> {
                Value value = values.getOrDefault(key, new Value(key, List.of(), Optional.empty()));
                if (value.reserved().isEmpty()) {
                    Reservation reserved = new Reservation(layer.name(), at, value.effective());
                    values.put(key, new Value(key, value.history(), Optional.of(reserved)));
                }
            });
        }
        return new Merged(values, refusals);
    }

    Value value(DirectiveKey key) {
        return values.getOrDefault(key, new Value(key, List.of(), Optional.empty()));
    }

    Settings settings() {
        return Settings.of(
                values.values().stream().flatMap(v -> v.setting().stream()).toList());
    }

    /** What a layer says of a key: a value or, with a change, what becomes of the value before it. */
    private record Said(Origin origin, Optional<ListChange> change) {}

    private static List<Origin> origins(List<Said> said, Optional<String> before) {
        List<Origin> origins = new ArrayList<>();
        Optional<String> text = before;
        for (Said each : said) {
            Optional<String> now = text;
            Origin origin = each.origin();
            text = each.change().map(change -> change.over(now)).orElse(origin.text());
            origins.add(new Origin(origin.layer(), text, origin.at(), origin.variant(), origin.isUsers()));
        }
        return origins;
    }

    private static Map<DirectiveKey, List<Said>> said(Layer layer, Predicate<Condition> active) {
        Map<DirectiveKey, List<Said>> said = new EnumMap<>(DirectiveKey.class);
        collect(said, layer, layer.change(), Optional.empty());
        layer.variants().stream()
                .filter(v -> active.test(v.when()))
                .forEach(v -> collect(said, layer, v.change(), Optional.of(v.when())));
        return said;
    }

    private static void collect(
            Map<DirectiveKey, List<Said>> said, Layer layer, Layer.Change change, Optional<Condition> variant) {
        for (Setting setting : change.sets().all()) {
            said.computeIfAbsent(setting.key(), k -> new ArrayList<>())
                    .add(new Said(
                            new Origin(
                                    layer.name(),
                                    Optional.of(setting.text()),
                                    setting.position(),
                                    variant,
                                    layer.isUsers()),
                            Optional.empty()));
        }
        change.removes()
                .forEach((key, at) -> said.computeIfAbsent(key, k -> new ArrayList<>())
                        .add(new Said(
                                new Origin(layer.name(), Optional.empty(), at, variant, layer.isUsers()),
                                Optional.empty())));
        change.lists()
                .forEach(list -> said.computeIfAbsent(list.key(), k -> new ArrayList<>())
                        .add(new Said(
                                new Origin(layer.name(), Optional.empty(), list.at(), variant, layer.isUsers()),
                                Optional.of(list))));
    }
}

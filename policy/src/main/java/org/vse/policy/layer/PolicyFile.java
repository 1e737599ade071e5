package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.vse.failure.DidYouMean;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Grammar;
import org.vse.policy.Setting;
import org.vse.policy.Settings;
import org.vse.policy.layer.Fields.Located;
import org.vse.policy.layer.Rules.GlobList;
import org.vse.yaml.YamlReader;
import org.vse.yaml.YamlValue;

/**
 * One file of queue policy as it is written: docs/policy.md.
 *
 * @param cluster name of the site's cluster
 * @param all what holds for every queue
 * @param queues by name, in the order written
 */
record PolicyFile(String file, Optional<String> cluster, Part all, Map<String, Part> queues) {
    /** Largest file, bytes of UTF-8. */
    static final int MAX_BYTES = 1 << 20;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");
    private static final String A_NAME = "a name of letters, digits and . _ - @, at most 64 characters";
    private static final List<String> TOP = List.of("cluster", "all", "queues");
    private static final List<String> PART = List.of(
            "defaults",
            "enforce",
            "reserved",
            "variants",
            "images",
            "users",
            "groups",
            "mounts",
            "boot",
            "services",
            "plug-ins",
            "hostdev",
            "packages",
            "files",
            "run",
            "limits",
            "require");
    private static final List<String> CHANGES = List.of("add", "remove");

    /**
     * What is said for one queue, or for all.
     *
     * @param parent the queue whose layers come before this one's
     */
    record Part(Layer layer, Rules rules, Optional<Located> parent) {}

    /**
     * @param layer name of the layer for all queues
     * @throws VseException POLICY_INVALID with the first mistake, the others as its fact {@code more}
     */
    static PolicyFile read(String layer, String file, String text) {
        Mistakes mistakes = new Mistakes(ErrorCode.POLICY_INVALID);
        YamlValue value = YamlReader.read(file, text, ErrorCode.POLICY_INVALID, MAX_BYTES);
        PolicyFile policy = Fields.of("the policy", value, TOP, mistakes)
                .map(fields -> new Reader(mistakes).policy(layer, file, fields))
                .orElseGet(() -> new PolicyFile(file, Optional.empty(), empty(layer), Map.of()));
        mistakes.throwFirst();
        return policy;
    }

    private static Part empty(String name) {
        return new Part(
                new Layer(name, Layer.Change.NOTHING, Map.of(), List.of(), false), Rules.NONE, Optional.empty());
    }

    private static final class Reader {
        private final Mistakes mistakes;
        private final SettingsReader settings;

        private Reader(Mistakes mistakes) {
            this.mistakes = mistakes;
            this.settings = new SettingsReader(mistakes);
        }

        private PolicyFile policy(String layer, String file, Fields fields) {
            Map<String, Part> queues = new LinkedHashMap<>();
            fields.value("queues").ifPresent(value -> {
                if (!(value instanceof YamlValue.Mapping mapping)) {
                    mistakes.add(value.at(), "'queues' must be a mapping of names to policies")
                            .fact("found", value.kind());
                    return;
                }
                mapping.entries().forEach((name, entry) -> {
                    if (!NAME.matcher(name).matches()) {
                        mistakes.add(entry.at(), "a queue's name must be " + A_NAME);
                    }
                    List<String> known = SettingsReader.and("extends", PART);
                    queues.put(name, part("queue " + name, "queue '" + name + "'", entry.value(), known));
                });
            });
            return new PolicyFile(
                    file,
                    fields.text("cluster", NAME, A_NAME).map(Located::text),
                    fields.value("all")
                            .map(value -> part(layer, "'all'", value, PART))
                            .orElseGet(() -> empty(layer)),
                    queues);
        }

        private Part part(String name, String what, YamlValue value, List<String> known) {
            if (value instanceof YamlValue.Scalar scalar && scalar.isNothing()) {
                return empty(name);
            }
            return Fields.of(what, value, known, mistakes)
                    .map(fields -> part(name, fields))
                    .orElseGet(() -> empty(name));
        }

        private Part part(String name, Fields fields) {
            Layer.Change defaults = change(fields, "defaults");
            Layer.Change enforced = change(fields, "enforce");
            List<Setting> sets = new ArrayList<>(defaults.sets().all());
            Map<DirectiveKey, SourcePosition> reserved = new EnumMap<>(DirectiveKey.class);
            reserved.putAll(settings.reserved(fields, SettingsReader.RESERVED));
            enforced.removes().forEach((key, at) -> mistakes.add(at, "'" + key + "' is enforced without a value"));
            for (Setting setting : enforced.sets().all()) {
                defaults.sets()
                        .get(setting.key())
                        .ifPresent(first -> mistakes.add(
                                        setting.position(), "'" + setting.key() + "' is in 'defaults' and in 'enforce'")
                                .fact("first", first.position()));
                sets.removeIf(first -> first.key() == setting.key());
                sets.add(setting);
                reserved.put(setting.key(), setting.position());
            }
            List<ListChange> lists = new ArrayList<>(defaults.lists());
            for (ListChange list : enforced.lists()) {
                if (lists.stream().anyMatch(first -> first.key() == list.key())
                        || defaults.sets().get(list.key()).isPresent()) {
                    mistakes.add(list.at(), "'" + list.key() + "' is in 'defaults' and in 'enforce'");
                }
                lists.add(list);
                reserved.put(list.key(), list.at());
            }
            Layer layer = new Layer(
                    name,
                    new Layer.Change(Settings.of(sets), defaults.removes(), lists),
                    reserved,
                    settings.variants(fields),
                    false);
            return new Part(layer, rules(fields), fields.text("extends", NAME, A_NAME));
        }

        private Layer.Change change(Fields fields, String key) {
            return fields.mapping(key, SettingsReader.WRITTEN)
                    .map(settings::change)
                    .orElse(Layer.Change.NOTHING);
        }

        private Rules rules(Fields fields) {
            Map<GlobList, Globs> globs = new EnumMap<>(GlobList.class);
            for (GlobList list : GlobList.values()) {
                fields.mapping(list.key(), GlobList.verbs(list.key()))
                        .ifPresent(f -> globs(f, list).ifPresent(g -> globs.put(list, g)));
            }
            Map<Quantity, Rules.Bound> most = new EnumMap<>(Quantity.class);
            Map<DirectiveKey, Rules.Words> words = new EnumMap<>(DirectiveKey.class);
            List<String> known = new ArrayList<>(Quantity.words());
            for (DirectiveKey key : DirectiveKey.values()) {
                if (key.grammar() instanceof Grammar.Choice) {
                    known.add(key.word());
                }
            }
            fields.mapping("limits", known).ifPresent(limits -> {
                for (Quantity quantity : Quantity.values()) {
                    limits.value(quantity.word())
                            .flatMap(value -> bound(quantity, value))
                            .ifPresent(bound -> most.put(quantity, bound));
                }
                for (DirectiveKey key : DirectiveKey.values()) {
                    if (key.grammar() instanceof Grammar.Choice choice) {
                        limits.value(key.word())
                                .ifPresent(value ->
                                        words.put(key, new Rules.Words(words(key, choice, limits), value.at())));
                    }
                }
            });
            return new Rules(globs, most, words, required(fields));
        }

        private Optional<Globs> globs(Fields fields, GlobList list) {
            Optional<YamlValue> value = fields.value(list.verb());
            if (value.isEmpty()) {
                return Optional.empty();
            }
            if (value.get() instanceof YamlValue.Mapping) {
                return fields.mapping(list.verb(), CHANGES)
                        .map(change -> Globs.changing(
                                value.get().at(),
                                change.texts("add", Globs.FORM, Globs.RANGE),
                                change.texts("remove", Globs.FORM, Globs.RANGE)));
            }
            return Optional.of(Globs.replacing(value.get().at(), fields.texts(list.verb(), Globs.FORM, Globs.RANGE)));
        }

        private Optional<Rules.Bound> bound(Quantity quantity, YamlValue value) {
            if (value instanceof YamlValue.Scalar scalar
                    && quantity.bound(scalar.text()).isPresent()) {
                return Optional.of(new Rules.Bound(scalar.text(), scalar.at()));
            }
            mistakes.add(
                            value.at(),
                            "'" + quantity.word() + "' must be "
                                    + (quantity.isSize() ? "a size such as 32GiB" : "a whole number"))
                    .fact("found", value.kind())
                    .next("write the most that a job may have");
            return Optional.empty();
        }

        private List<String> words(DirectiveKey key, Grammar.Choice choice, Fields limits) {
            List<String> words = new ArrayList<>();
            for (Located word :
                    limits.texts(key.word(), Pattern.compile("[a-z0-9]{1,20}"), "a value of '" + key + "'")) {
                try {
                    choice.check(word.text());
                    words.add(word.text());
                } catch (VseException refused) {
                    mistakes.add(word.at(), refused);
                }
            }
            return List.copyOf(words);
        }

        private Optional<Rules.Requirement> required(Fields fields) {
            return fields.text("require", Pattern.compile("true|false"), "true or false")
                    .map(t -> new Rules.Requirement(t.text().equals("true"), t.at()));
        }
    }

    /** The parts of a queue and of those that it extends, the farthest ancestor first. */
    List<Part> chain(String queue) {
        List<Part> chain = new ArrayList<>();
        List<String> names = new ArrayList<>();
        String name = queue;
        Optional<Located> asked = Optional.empty();
        while (true) {
            Part part = queues.get(name);
            if (part == null || names.contains(name)) {
                Located at = asked.orElseThrow(() -> new IllegalArgumentException("no queue '" + queue + "'"));
                names.add(name);
                throw part == null ? missing(at) : cycle(at, names);
            }
            names.add(name);
            chain.add(0, part);
            if (part.parent().isEmpty()) {
                return chain;
            }
            asked = part.parent();
            name = part.parent().get().text();
        }
    }

    private VseException missing(Located at) {
        return VseException.of(ErrorCode.POLICY_INVALID, "there is no queue '" + at.text() + "' to extend")
                .at(at.at().toString())
                .fact("queues", String.join(", ", queues.keySet()))
                .next(DidYouMean.of(at.text(), queues.keySet())
                        .map(m -> "did you mean '" + m + "'?")
                        .orElse("extend a queue of this file"));
    }

    private static VseException cycle(Located at, List<String> names) {
        return VseException.of(ErrorCode.POLICY_INVALID, "queues extend each other in a circle")
                .at(at.at().toString())
                .fact("circle", String.join(" → ", names))
                .next("remove one 'extends'");
    }
}

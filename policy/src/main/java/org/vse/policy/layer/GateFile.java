package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Grammar;
import org.vse.policy.layer.Globs.Glob;
import org.vse.policy.layer.Rules.GlobList;

/**
 * Writes a policy in the form that the gates inside scheduler daemons read: docs/gate-format.md. Refusals are those of
 * {@link Refusals} with marks where a job's own words will stand.
 */
public final class GateFile {
    /** First line of the format that this class writes. */
    public static final String VERSION = "vse-gate\t1";

    private static final String MARK = "\ue000";
    private static final String END = "\ue001";
    private static final String EXPLAIN = "vse policy explain " + mark("file") + " --queue " + mark("queue");

    private final StringBuilder out = new StringBuilder();

    private GateFile() {}

    /** The whole file; its last line is {@code end}. */
    public static String of(Policy policy) {
        return new GateFile().write(policy);
    }

    private String write(Policy policy) {
        out.append(VERSION).append('\n');
        out.append("# compiled from ").append(escaped(policy.name())).append('\n');
        for (DirectiveKey key : DirectiveKey.values()) {
            key(key);
        }
        mistake(ErrorCode.DIRECTIVE_SYNTAX, "a #VSE line that cannot be read");
        mistake(ErrorCode.DIRECTIVE_UNKNOWN_KEY, "unknown key '" + mark("key") + "'");
        mistake(ErrorCode.DIRECTIVE_DUPLICATE, "'" + mark("key") + "' is given twice");
        mistake(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + mark("value") + "' is not a value of '" + mark("key") + "'");
        mistake(ErrorCode.DIRECTIVE_OUT_OF_RANGE, "'" + mark("value") + "' is out of range");
        mistake(ErrorCode.DIRECTIVE_IMAGE_MISSING, "VM options are given but no image");
        line("no-queue", text(Refusals.queue(mark("queue"), policy.name(), policy.queues())));
        policy.layers().forEach(this::queue);
        return out.append("end\n").toString();
    }

    private void key(DirectiveKey key) {
        List<String> fields =
                new ArrayList<>(List.of("key", key.word(), key.fallback().orElse("")));
        Grammar grammar = key.grammar();
        if (grammar instanceof Grammar.Count count) {
            fields.addAll(List.of("count", Integer.toString(count.least()), Integer.toString(count.most())));
        } else if (grammar instanceof Grammar.Size size) {
            fields.addAll(List.of(
                    "size", Long.toString(size.least()), Long.toString(size.most()), Long.toString(size.step())));
        } else if (grammar instanceof Grammar.Choice choice) {
            fields.addAll(List.of("choice", String.join(",", choice.words())));
        } else if (grammar instanceof Grammar.Image) {
            fields.add("image");
        } else if (grammar instanceof Grammar.Words
                || grammar instanceof Grammar.Word
                || grammar instanceof Grammar.Commands) {
            fields.add("words");
        } else {
            fields.add("file");
        }
        line(fields.toArray(String[]::new));
    }

    private void mistake(ErrorCode code, String what) {
        VseException mistake = VseException.of(code, what).at(mark("at")).next(EXPLAIN);
        line("mistake", code.name(), text(mistake));
    }

    private void queue(Policy.QueueLayers queue) {
        Refusals say = new Refusals(queue.queue());
        Rules rules = queue.rules();
        Merged merged = Merged.of(queue.layers(), when -> false, say);
        Set<DirectiveKey> open = open(queue.layers());
        line("queue", queue.queue());
        if (rules.isRequired()) {
            line("require");
        }
        for (DirectiveKey key : DirectiveKey.values()) {
            if (open.contains(key)) {
                boolean closed = merged.value(key).reserved().isPresent();
                line(closed ? "closed" : "open", key.word());
            } else {
                merged.value(key)
                        .effective()
                        .ifPresent(o -> line("value", key.word(), o.text().orElseThrow(), o.at().toString()));
            }
        }
        users(rules, say);
        for (Merged.Value value : merged.values().values()) {
            if (value.reserved().isPresent() && !open.contains(value.key())) {
                line(
                        "reserved",
                        value.key().word(),
                        value.text().orElse(""),
                        text(say.reserved(value.key(), mark(value.key().word()), mark("at"), value)));
            }
        }
        images(rules, say);
        rules.words()
                .forEach((key, words) -> line(
                        "choice",
                        key.word(),
                        String.join(",", words.words()),
                        text(say.word(key, mark(key.word()), mark("at"), words))));
        rules.most().forEach((quantity, bound) -> {
            most(quantity, quantity.factors(), bound, say);
            if (!quantity.headFactors().equals(quantity.factors())) {
                most(quantity, quantity.headFactors(), bound, say);
            }
        });
    }

    private void most(Quantity quantity, List<String> factors, Rules.Bound bound, Refusals say) {
        line(
                "most",
                String.join(",", factors),
                Long.toString(quantity.bound(bound.text()).orElseThrow()),
                text(say.most(quantity, factors, bound, GateFile::mark, mark("at"))));
    }

    private void users(Rules rules, Refusals say) {
        for (GlobList list : List.of(GlobList.USERS_DENY, GlobList.GROUPS_DENY)) {
            rules.patterns(list).forEach(g -> line(word(list), g.text(), text(say.denied(mark("user"), list, g))));
        }
        boolean anybody = true;
        for (GlobList list : List.of(GlobList.USERS_ALLOW, GlobList.GROUPS_ALLOW)) {
            rules.patterns(list).forEach(g -> line(word(list), g.text()));
            anybody = anybody && !rules.globs().containsKey(list);
        }
        if (!anybody) {
            line("users-else", text(say.notAllowed(mark("user"), rules)));
        }
    }

    private void images(Rules rules, Refusals say) {
        String image = mark(DirectiveKey.IMAGE.word());
        for (Glob glob : rules.patterns(GlobList.IMAGES_DENY)) {
            line(word(GlobList.IMAGES_DENY), glob.text(), text(say.image(image, mark("at"), rules, Optional.of(glob))));
        }
        rules.patterns(GlobList.IMAGES_ALLOW).forEach(g -> line(word(GlobList.IMAGES_ALLOW), g.text()));
        line("images-else", text(say.image(image, mark("at"), rules, Optional.empty())));
    }

    /** Keys that a variant sets: their values depend on the job's size. */
    private static Set<DirectiveKey> open(List<Layer> layers) {
        Set<DirectiveKey> open = EnumSet.noneOf(DirectiveKey.class);
        for (Layer layer : layers) {
            for (Layer.Variant variant : layer.variants()) {
                variant.change().sets().all().forEach(s -> open.add(s.key()));
                open.addAll(variant.change().removes().keySet());
                variant.change().lists().forEach(list -> open.add(list.key()));
            }
        }
        return open;
    }

    private static String word(GlobList list) {
        return list.key() + "-" + list.verb();
    }

    private static String mark(String name) {
        return MARK + name + END;
    }

    private static String text(VseException refusal) {
        String at = mark("at");
        return refusal.render()
                .replace(at + ": ", at)
                .replace("{", "{lb}")
                .replace(MARK, "{")
                .replace(END, "}");
    }

    private void line(String... fields) {
        for (int i = 0; i < fields.length; i++) {
            out.append(i == 0 ? "" : "\t").append(escaped(fields[i]));
        }
        out.append('\n');
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n");
    }
}

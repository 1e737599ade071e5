package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;

/**
 * A judgement in words.
 *
 * @param values one for each key, in the order of {@link DirectiveKey}
 * @param rules what the queue allows
 * @param refusals why the job may not run so, the one that is told at submit first
 */
public record Explanation(List<Line> values, List<Rule> rules, List<VseException> refusals) {
    /** The layer of a value that nobody gives. */
    public static final String DEFAULT = "default";

    /**
     * One effective value.
     *
     * @param layer who set it, {@link #DEFAULT} for nobody
     * @param at where, {@code file:line:column}; empty for nobody
     * @param variant the condition, when a variant set it
     * @param reserved where it was made final; empty when it was not
     * @param overrode what earlier layers said, the latest first
     */
    public record Line(
            String key,
            String value,
            String layer,
            String at,
            String variant,
            String reserved,
            List<Overridden> overrode) {}

    /** A value that a later layer replaced; {@code value} is {@code ~} for a removal. */
    public record Overridden(String value, String layer, String at) {}

    /** A rule of the queue, e.g. {@code limits.memory}, and where it is written. */
    public record Rule(String rule, String value, String at) {}

    /** Explains a judgement; a description that contradicts itself is a refusal, too. */
    public static Explanation of(Judgement judgement) {
        List<Line> lines = new ArrayList<>();
        for (DirectiveKey key : DirectiveKey.values()) {
            lines.add(line(judgement.merged().value(key)));
        }
        List<VseException> refusals = new ArrayList<>(judgement.refusals());
        if (!judgement.isAsked()) {
            refusals.clear();
        } else if (refusals.isEmpty()) {
            try {
                requireDescribed(judgement);
            } catch (VseException refused) {
                refusals.add(refused);
            }
        }
        return new Explanation(lines, rules(judgement.rules()), List.copyOf(refusals));
    }

    private static void requireDescribed(Judgement judgement) {
        if (judgement.description().vmsPerNode() < 1) {
            throw new IllegalStateException("a description without VMs");
        }
    }

    private static Line line(Merged.Value value) {
        List<Merged.Origin> history = value.history();
        List<Overridden> overrode = new ArrayList<>();
        boolean isSet = value.effective().isPresent();
        for (int i = history.size() - (isSet ? 2 : 1); i >= 0; i--) {
            Merged.Origin origin = history.get(i);
            overrode.add(new Overridden(
                    origin.text().orElse("~"), origin.layer(), origin.at().toString()));
        }
        Optional<Merged.Origin> origin = value.effective();
        return new Line(
                value.key().word(),
                origin.flatMap(Merged.Origin::text).orElse(value.key().standard()),
                origin.map(Merged.Origin::layer).orElse(DEFAULT),
                origin.map(o -> o.at().toString()).orElse(""),
                origin.flatMap(Merged.Origin::variant).map(Condition::toString).orElse(""),
                value.reserved().map(r -> r.at().toString()).orElse(""),
                overrode);
    }

    private static List<Rule> rules(Rules rules) {
        List<Rule> said = new ArrayList<>();
        rules.globs()
                .forEach((list, globs) -> said.add(
                        new Rule(list.toString(), globs.shown(), globs.at().toString())));
        rules.words()
                .forEach((key, words) -> said.add(new Rule(
                        "limits." + key,
                        String.join(", ", words.words()),
                        words.at().toString())));
        rules.most()
                .forEach((quantity, bound) -> said.add(new Rule(
                        "limits." + quantity.word(), bound.text(), bound.at().toString())));
        rules.require()
                .ifPresent(r -> said.add(new Rule("require", Boolean.toString(r.required()), r.at().toString())));
        return said;
    }
}

package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Share;
import org.vse.policy.layer.Globs.Glob;
import org.vse.policy.layer.Rules.GlobList;

/** Holds what a job came to against the rules of its queue. The order of refusals is that of docs/gate-format.md. */
final class Judge {
    private final Refusals say;
    private final Rules rules;
    private final Merged merged;
    private final Applicant job;
    private final List<VseException> refusals = new ArrayList<>();

    Judge(Refusals say, Rules rules, Merged merged, Applicant job) {
        this.say = say;
        this.rules = rules;
        this.merged = merged;
        this.job = job;
    }

    List<VseException> refusals() {
        user();
        refusals.addAll(merged.refusals());
        image();
        rules.words().forEach(this::word);
        rules.most().forEach((quantity, bound) -> {
            most(quantity, quantity.factors(), bound);
            if (!quantity.headFactors().equals(quantity.factors())) {
                most(quantity, quantity.headFactors(), bound);
            }
        });
        refusals.addAll(new ListJudge(say, rules, merged).refusals());
        return List.copyOf(refusals);
    }

    private void user() {
        for (Glob glob : rules.patterns(GlobList.USERS_DENY)) {
            if (glob.matches(job.user())) {
                refusals.add(say.denied(job.user(), GlobList.USERS_DENY, glob));
                return;
            }
        }
        for (Glob glob : rules.patterns(GlobList.GROUPS_DENY)) {
            if (job.groups().stream().anyMatch(glob::matches)) {
                refusals.add(say.denied(job.user(), GlobList.GROUPS_DENY, glob));
                return;
            }
        }
        Map<GlobList, Globs> globs = rules.globs();
        boolean anybody = !globs.containsKey(GlobList.USERS_ALLOW) && !globs.containsKey(GlobList.GROUPS_ALLOW);
        boolean named = rules.patterns(GlobList.USERS_ALLOW).stream().anyMatch(g -> g.matches(job.user()));
        boolean grouped = rules.patterns(GlobList.GROUPS_ALLOW).stream()
                .anyMatch(g -> job.groups().stream().anyMatch(g::matches));
        if (!anybody && !named && !grouped) {
            refusals.add(say.notAllowed(job.user(), rules));
        }
    }

    private void image() {
        Optional<String> image = merged.value(DirectiveKey.IMAGE).text();
        if (image.isEmpty()) {
            return;
        }
        String at = at(List.of(DirectiveKey.IMAGE.word()));
        Optional<Glob> denied = rules.patterns(GlobList.IMAGES_DENY).stream()
                .filter(g -> g.matchesImage(image.get()))
                .findFirst();
        boolean allowed = rules.patterns(GlobList.IMAGES_ALLOW).stream().anyMatch(g -> g.matchesImage(image.get()));
        if (denied.isPresent() || !allowed) {
            refusals.add(say.image(image.get(), at, rules, denied));
        }
    }

    private void word(DirectiveKey key, Rules.Words words) {
        Optional<String> text = merged.value(key).text();
        List<String> from = new ArrayList<>(List.of(key.word()));
        if (text.isEmpty() && key == DirectiveKey.SHARE) {
            text = merged.value(DirectiveKey.NETWORK)
                    .text()
                    .map(n -> Share.standard(n).word());
            from.add(DirectiveKey.NETWORK.word());
        }
        text.filter(t -> !words.words().contains(t)).ifPresent(t -> refusals.add(say.word(key, t, at(from), words)));
    }

    private void most(Quantity quantity, List<String> factors, Rules.Bound bound) {
        long left = quantity.bound(bound.text()).orElseThrow();
        for (String factor : factors) {
            Optional<String> text = factor(factor);
            if (text.isEmpty()) {
                return;
            }
            left = left / Math.max(1, Quantity.factor(text.get()));
        }
        if (left == 0) {
            refusals.add(say.most(quantity, factors, bound, f -> factor(f).orElse(""), at(factors)));
        }
    }

    /** Empty where the value is not known before the job has its cores. */
    private Optional<String> factor(String word) {
        if (word.equals(Quantity.NODES)) {
            return Optional.of(Integer.toString(job.nodes()));
        }
        DirectiveKey key = DirectiveKey.of(word).orElseThrow();
        Optional<String> text = merged.value(key).text();
        if (text.isEmpty() && key == DirectiveKey.VCPUS && job.coresPerNode().isPresent()) {
            long vms = Quantity.factor(factor(DirectiveKey.VMS_PER_NODE.word()).orElse("1"));
            return Optional.of(Long.toString(Math.max(1, job.coresPerNode().getAsInt() / Math.max(1, vms))));
        }
        return text;
    }

    /** Where the user last set one of these, else where anybody did, else empty. */
    private String at(List<String> words) {
        String users = "";
        String others = "";
        for (String word : words) {
            Optional<Merged.Origin> origin =
                    DirectiveKey.of(word).flatMap(k -> merged.value(k).effective());
            if (origin.isPresent() && origin.get().isUsers()) {
                users = origin.get().at().toString();
            } else if (origin.isPresent()) {
                others = origin.get().at().toString();
            }
        }
        return users.isEmpty() ? others : users;
    }
}

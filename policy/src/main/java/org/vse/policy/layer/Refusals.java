package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.layer.Globs.Glob;
import org.vse.policy.layer.Rules.GlobList;

/**
 * The refusals of one queue. What stands in a job's place (a value, a position) is a parameter of each, so that whoever
 * compiles a policy for others gets the same words with marks in those places.
 */
record Refusals(String queue) {
    private static final String FORBIDDEN = "forbidden by";

    static VseException queue(String queue, String policy, List<String> known) {
        return VseException.of(ErrorCode.POLICY_QUEUE_DENIED, "queue '" + queue + "' runs no VMs")
                .fact("policy", policy)
                .fact("queues with VMs", known.isEmpty() ? "none" : String.join(", ", known))
                .next("submit to one of these queues, or remove the #VSE lines");
    }

    VseException denied(String user, GlobList list, Glob by) {
        return user(user).fact(FORBIDDEN, list + " '" + by.text() + "' at " + by.at());
    }

    VseException notAllowed(String user, Rules rules) {
        VseException refusal = user(user);
        for (GlobList list : List.of(GlobList.USERS_ALLOW, GlobList.GROUPS_ALLOW)) {
            Optional.ofNullable(rules.globs().get(list))
                    .ifPresent(g -> refusal.fact(list.toString(), g.shown() + " at " + g.at()));
        }
        return refusal;
    }

    private VseException user(String user) {
        return VseException.of(
                        ErrorCode.POLICY_USER_DENIED, "user '" + user + "' may not run VMs in queue '" + queue + "'")
                .next("submit to another queue, or ask an administrator");
    }

    /** @param at empty when the value was not written anywhere */
    VseException reserved(DirectiveKey key, String value, String at, Merged.Value held) {
        Merged.Reservation reserved =
                held.reserved().orElseThrow(() -> new IllegalArgumentException(key + " is not reserved"));
        String what = "'" + key + "' is reserved in queue '" + queue + "' and cannot become '" + value + "'";
        String from = reserved.held()
                .map(o -> "'" + o.text().orElse("") + "' set at " + o.at())
                .orElse("the default, " + key.standard());
        return placed(VseException.of(ErrorCode.POLICY_RESERVED, what), at)
                .fact("value", from)
                .fact("reserved by", reserved.layer() + " at " + reserved.at())
                .next("leave '" + key + "' out");
    }

    VseException image(String image, String at, Rules rules, Optional<Glob> denied) {
        VseException refusal = placed(
                VseException.of(
                        ErrorCode.POLICY_IMAGE_DENIED, "image '" + image + "' is not allowed in queue '" + queue + "'"),
                at);
        Optional<Globs> allowed = Optional.ofNullable(rules.globs().get(GlobList.IMAGES_ALLOW));
        refusal.fact("allowed", allowed.map(Globs::shown).orElse("none"));
        denied.map(g -> GlobList.IMAGES_DENY + " '" + g.text() + "' at " + g.at())
                .or(() -> allowed.map(g -> GlobList.IMAGES_ALLOW + " at " + g.at()))
                .or(() -> Optional.of("no layer allows any image"))
                .ifPresent(by -> refusal.fact(FORBIDDEN, by));
        return refusal.next("choose an allowed image; 'vse image ls' lists what there is");
    }

    VseException word(DirectiveKey key, String value, String at, Rules.Words words) {
        String what = "'" + key + "=" + value + "' is not allowed in queue '" + queue + "'";
        return placed(VseException.of(ErrorCode.POLICY_LIMIT, what), at)
                .fact("allowed", words.words().isEmpty() ? "none" : String.join(", ", words.words()))
                .fact(FORBIDDEN, "limits." + key + " at " + words.at())
                .next("write an allowed value, or choose another queue");
    }

    VseException most(Quantity quantity, List<String> of, Rules.Bound bound, UnaryOperator<String> value, String at) {
        List<String> factors = new ArrayList<>();
        of.forEach(f -> factors.add(f + "=" + value.apply(f)));
        String what = factors.stream().collect(Collectors.joining(" × ", "'", "'")) + " is more than queue '" + queue
                + "' allows";
        return placed(VseException.of(ErrorCode.POLICY_LIMIT, what), at)
                .fact("allowed", quantity.word() + " up to " + bound.text())
                .fact(FORBIDDEN, "limits." + quantity.word() + " at " + bound.at())
                .next("ask for less, or choose another queue");
    }

    /** @param word one of a list, with what decides about it */
    VseException word(DirectiveKey key, String word, String at, Optional<Globs> allowed, String by) {
        String what = "'" + key + "=" + word + "' is not allowed in queue '" + queue + "'";
        return placed(VseException.of(ErrorCode.POLICY_LIMIT, what), at)
                .fact("allowed", allowed.map(Globs::shown).orElse("none"))
                .fact(FORBIDDEN, by)
                .next("leave it out, or choose another queue");
    }

    private static VseException placed(VseException refusal, String at) {
        return at.isEmpty() ? refusal : refusal.at(at);
    }
}

package org.vse.policy.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.vse.failure.VseException;
import org.vse.policy.DirectiveKey;
import org.vse.policy.FileChange;
import org.vse.policy.Grammar;
import org.vse.policy.HostMount;
import org.vse.policy.PlugIn;
import org.vse.policy.layer.Globs.Glob;
import org.vse.policy.layer.Rules.GlobList;

/** Holds the lists of a job against those of its queue, word by word. What no layer allows is refused. */
final class ListJudge {
    /** Options that exchange the guest's first program: no pattern that is for other options, too, allows them. */
    private static final List<String> NAMED_ONLY = List.of("init=", "rdinit=");

    private final Refusals say;
    private final Rules rules;
    private final Merged merged;
    private final List<VseException> refusals = new ArrayList<>();

    ListJudge(Refusals say, Rules rules, Merged merged) {
        this.say = say;
        this.rules = rules;
        this.merged = merged;
    }

    List<VseException> refusals() {
        words(DirectiveKey.SERVICES, GlobList.SERVICES_ALLOW, GlobList.SERVICES_DENY, Glob::matches);
        words(DirectiveKey.HEAD_SERVICES, GlobList.SERVICES_ALLOW, GlobList.SERVICES_DENY, Glob::matches);
        mounts();
        words(DirectiveKey.BOOT, GlobList.BOOT_ALLOW, GlobList.BOOT_DENY, ListJudge::isOption);
        words(
                DirectiveKey.PLUG_INS,
                GlobList.PLUG_INS_ALLOW,
                GlobList.PLUG_INS_DENY,
                (glob, word) -> glob.matches(PlugIn.one(word).name()));
        words(DirectiveKey.HOSTDEV, GlobList.HOSTDEV_ALLOW, GlobList.HOSTDEV_DENY, Glob::matches);
        words(
                DirectiveKey.PACKAGES,
                GlobList.PACKAGES_ALLOW,
                GlobList.PACKAGES_DENY,
                (glob, word) -> glob.matches(word.startsWith("-") ? word.substring(1) : word));
        words(
                DirectiveKey.FILES,
                GlobList.FILES_ALLOW,
                GlobList.FILES_DENY,
                (glob, word) -> glob.matches(FileChange.one(word).path()));
        words(DirectiveKey.RUN, GlobList.RUN_ALLOW, GlobList.RUN_DENY, Glob::matches);
        return List.copyOf(refusals);
    }

    private static boolean isOption(Glob glob, String option) {
        return glob.matches(option)
                && NAMED_ONLY.stream()
                        .allMatch(
                                name -> !option.startsWith(name) || glob.text().startsWith(name));
    }

    private void words(DirectiveKey key, GlobList allow, GlobList deny, BiPredicate<Glob, String> matches) {
        merged.value(key).effective().ifPresent(origin -> {
            String text = origin.text().orElseThrow();
            for (String word :
                    key.grammar() instanceof Grammar.Commands ? Grammar.Commands.of(text) : Grammar.Words.of(text)) {
                Optional<Glob> denied = rules.patterns(deny).stream()
                        .filter(glob -> matches.test(glob, word) || glob.matches(word))
                        .findFirst();
                if (denied.isPresent()) {
                    refuse(
                            key,
                            word,
                            origin,
                            allow,
                            deny + " '" + denied.get().text() + "' at "
                                    + denied.get().at());
                } else if (rules.patterns(allow).stream().noneMatch(glob -> matches.test(glob, word))) {
                    refuse(key, word, origin, allow, by(allow));
                }
            }
        });
    }

    private void mounts() {
        merged.value(DirectiveKey.MOUNTS).effective().ifPresent(origin -> {
            for (String word : Grammar.Words.of(origin.text().orElseThrow())) {
                HostMount mount = HostMount.one(word);
                boolean written = isBelow(GlobList.MOUNTS_WRITE, mount.path());
                if (!written && (mount.writable() || !isBelow(GlobList.MOUNTS_READ, mount.path()))) {
                    GlobList list = mount.writable() ? GlobList.MOUNTS_WRITE : GlobList.MOUNTS_READ;
                    refuse(DirectiveKey.MOUNTS, word, origin, list, by(list));
                }
            }
        });
    }

    private boolean isBelow(GlobList list, String path) {
        return rules.patterns(list).stream().anyMatch(glob -> glob.matches(path));
    }

    private String by(GlobList list) {
        return Optional.ofNullable(rules.globs().get(list))
                .map(globs -> list + " at " + globs.at())
                .orElse("no layer says " + list);
    }

    private void refuse(DirectiveKey key, String word, Merged.Origin origin, GlobList list, String by) {
        refusals.add(say.word(
                key,
                word,
                origin.at().toString(),
                Optional.ofNullable(rules.globs().get(list)),
                by));
    }
}

package org.vse.policy.layer;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.SourcePosition;
import org.vse.policy.DirectiveKey;

/**
 * What a queue lets its jobs have, as one layer or several merged layers say it.
 *
 * @param globs patterns by what they are for; absent: no layer says anything
 * @param most bounds
 * @param words values that a key with a closed set of values may have
 * @param require whether scripts without {@code #VSE} lines run in VMs, too
 */
record Rules(
        Map<GlobList, Globs> globs,
        Map<Quantity, Bound> most,
        Map<DirectiveKey, Words> words,
        Optional<Requirement> require) {
    static final Rules NONE = new Rules(Map.of(), Map.of(), Map.of(), Optional.empty());

    /** What patterns are for. */
    enum GlobList {
        IMAGES_ALLOW("images", "allow"),
        IMAGES_DENY("images", "deny"),
        USERS_ALLOW("users", "allow"),
        USERS_DENY("users", "deny"),
        GROUPS_ALLOW("groups", "allow"),
        GROUPS_DENY("groups", "deny"),
        MOUNTS_READ("mounts", "read"),
        MOUNTS_WRITE("mounts", "write"),
        BOOT_ALLOW("boot", "allow"),
        BOOT_DENY("boot", "deny"),
        SERVICES_ALLOW("services", "allow"),
        SERVICES_DENY("services", "deny"),
        PLUG_INS_ALLOW("plug-ins", "allow"),
        PLUG_INS_DENY("plug-ins", "deny"),
        HOSTDEV_ALLOW("hostdev", "allow"),
        HOSTDEV_DENY("hostdev", "deny"),
        PACKAGES_ALLOW("packages", "allow"),
        PACKAGES_DENY("packages", "deny"),
        FILES_ALLOW("files", "allow"),
        FILES_DENY("files", "deny"),
        RUN_ALLOW("run", "allow"),
        RUN_DENY("run", "deny");

        private final String key;
        private final String verb;

        GlobList(String key, String verb) {
            this.key = key;
            this.verb = verb;
        }

        String key() {
            return key;
        }

        String verb() {
            return verb;
        }

        /** The words below a key of the file. */
        static List<String> verbs(String key) {
            return Arrays.stream(values())
                    .filter(list -> list.key.equals(key))
                    .map(GlobList::verb)
                    .toList();
        }

        @Override
        public String toString() {
            return key + "." + verb;
        }
    }

    /** A bound as written. */
    record Bound(String text, SourcePosition at) {}

    /** Allowed values of a key. */
    record Words(List<String> words, SourcePosition at) {}

    /** Whether every job of the queue runs in VMs. */
    record Requirement(boolean required, SourcePosition at) {}

    Rules {
        globs = copy(globs, GlobList.class);
        most = copy(most, Quantity.class);
        words = copy(words, DirectiveKey.class);
    }

    /** These rules laid over those of an earlier layer. */
    Rules over(Rules earlier) {
        Map<GlobList, Globs> lists = new EnumMap<>(GlobList.class);
        lists.putAll(earlier.globs);
        globs.forEach((list, later) -> lists.put(list, Globs.over(later, earlier.globs.get(list))));
        Map<Quantity, Bound> bounds = new EnumMap<>(Quantity.class);
        bounds.putAll(earlier.most);
        bounds.putAll(most);
        Map<DirectiveKey, Words> values = new EnumMap<>(DirectiveKey.class);
        values.putAll(earlier.words);
        values.putAll(words);
        return new Rules(lists, bounds, values, require.or(earlier::require));
    }

    List<Globs.Glob> patterns(GlobList list) {
        return Optional.ofNullable(globs.get(list)).map(Globs::globs).orElse(List.of());
    }

    boolean isRequired() {
        return require.map(Requirement::required).orElse(false);
    }

    private static <K extends Enum<K>, V> Map<K, V> copy(Map<K, V> map, Class<K> type) {
        Map<K, V> copy = new EnumMap<>(type);
        copy.putAll(map);
        return copy;
    }
}

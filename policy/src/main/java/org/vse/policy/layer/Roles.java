package org.vse.policy.layer;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.vse.failure.SourcePosition;
import org.vse.policy.DirectiveKey;
import org.vse.policy.Setting;
import org.vse.yaml.YamlValue;

/**
 * {@code roles} of a file: the head's values are those of the keys {@code head-…}, the workers' those of the plain keys. One
 * text is for any number of VMs.
 */
final class Roles {
    /** The job's first VM. */
    static final String HEAD = "head";

    static final List<String> NAMES = List.of(HEAD, "worker");

    /** Keys that may be written together below {@code resources}. */
    static final List<String> RESOURCES = List.of("vcpus", "memory", "disk", "vms-per-node");

    private static final List<String> KEYS = List.of("vcpus", "memory", "services");

    private Roles() {}

    static void read(
            Fields roles,
            List<Setting> sets,
            Map<DirectiveKey, SourcePosition> removes,
            BiFunction<DirectiveKey, YamlValue, Optional<Setting>> setting,
            Mistakes mistakes) {
        for (String role : NAMES) {
            String prefix = role.equals(HEAD) ? HEAD + "-" : "";
            roles.mapping(role, KEYS)
                    .ifPresent(fields -> grouped(
                            fields, KEYS, prefix, "once for role '" + role + "'", sets, removes, setting, mistakes));
        }
    }

    static void resources(
            Fields resources,
            List<Setting> sets,
            Map<DirectiveKey, SourcePosition> removes,
            BiFunction<DirectiveKey, YamlValue, Optional<Setting>> setting,
            Mistakes mistakes) {
        grouped(resources, RESOURCES, "", "once below 'resources'", sets, removes, setting, mistakes);
    }

    private static void grouped(
            Fields fields,
            List<String> words,
            String prefix,
            String once,
            List<Setting> sets,
            Map<DirectiveKey, SourcePosition> removes,
            BiFunction<DirectiveKey, YamlValue, Optional<Setting>> setting,
            Mistakes mistakes) {
        fields.entries().forEach((word, entry) -> {
            if (!words.contains(word)) {
                return;
            }
            DirectiveKey key = DirectiveKey.of(prefix + word).orElseThrow();
            if (removes.containsKey(key) || sets.stream().anyMatch(s -> s.key() == key)) {
                mistakes.add(entry.at(), "'" + key + "' is given twice, " + once);
            } else if (entry.value() instanceof YamlValue.Scalar scalar && scalar.isNothing()) {
                removes.put(key, entry.at());
            } else {
                setting.apply(key, entry.value()).ifPresent(sets::add);
            }
        });
    }
}

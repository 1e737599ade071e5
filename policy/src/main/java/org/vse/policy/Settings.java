package org.vse.policy;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** What one layer says: at most one value for each key. Layers are laid over each other with {@link #over}. */
public final class Settings {
    /** A layer that says nothing. */
    public static final Settings NONE = new Settings(Map.of());

    private final Map<DirectiveKey, Setting> byKey;

    private Settings(Map<DirectiveKey, Setting> byKey) {
        this.byKey = byKey.isEmpty() ? Map.of() : new EnumMap<>(byKey);
    }

    /** @throws VseException DIRECTIVE_DUPLICATE when two are for one key, at the second, with the first as a fact */
    public static Settings of(List<Setting> settings) {
        Map<DirectiveKey, Setting> byKey = new EnumMap<>(DirectiveKey.class);
        for (Setting setting : settings) {
            Setting first = byKey.putIfAbsent(setting.key(), setting);
            if (first != null) {
                throw duplicate(first, setting);
            }
        }
        return new Settings(byKey);
    }

    static VseException duplicate(Setting first, Setting second) {
        String what = "'" + second.key() + "' is given twice";
        return VseException.of(ErrorCode.DIRECTIVE_DUPLICATE, what)
                .at(second.position().toString())
                .fact("first", "'" + first.text() + "' at " + first.position())
                .fact("second", "'" + second.text() + "' at " + second.position())
                .next("remove one of the two");
    }

    /** This layer's values, and the lower layer's where this one says nothing. */
    public Settings over(Settings lower) {
        Map<DirectiveKey, Setting> merged = new EnumMap<>(DirectiveKey.class);
        merged.putAll(lower.byKey);
        merged.putAll(byKey);
        return new Settings(merged);
    }

    public boolean isEmpty() {
        return byKey.isEmpty();
    }

    public Optional<Setting> get(DirectiveKey key) {
        return Optional.ofNullable(byKey.get(key));
    }

    /** All of them, in the order of {@link DirectiveKey}. */
    public List<Setting> all() {
        return List.copyOf(byKey.values());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Settings settings && byKey.equals(settings.byKey);
    }

    @Override
    public int hashCode() {
        return byKey.hashCode();
    }

    @Override
    public String toString() {
        return byKey.values().toString();
    }
}

package org.vse.job.client;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One JSON object as it was read. A member that is absent, {@code null} or of another type is empty: what a newer daemon
 * adds or leaves out does not stop an older client.
 *
 * @param members in the order of the text
 */
public record JsonObject(Map<String, @Nullable Object> members) {
    public JsonObject {
        members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
    }

    static JsonObject of(Map<?, ?> map) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        map.forEach((name, value) -> members.put(String.valueOf(name), value));
        return new JsonObject(members);
    }

    public Optional<String> text(String name) {
        return members.get(name) instanceof String text ? Optional.of(text) : Optional.empty();
    }

    public OptionalLong number(String name) {
        return members.get(name) instanceof Long number ? OptionalLong.of(number) : OptionalLong.empty();
    }

    public Optional<JsonObject> object(String name) {
        return members.get(name) instanceof Map<?, ?> map ? Optional.of(of(map)) : Optional.empty();
    }

    /** The objects of an array; elements that are not objects are left out. */
    public List<JsonObject> objects(String name) {
        return members.get(name) instanceof List<?> list
                ? list.stream()
                        .filter(Map.class::isInstance)
                        .map(element -> of((Map<?, ?>) element))
                        .toList()
                : List.of();
    }

    /** The member for people: text as it is, arrays joined by commas, empty for nothing. */
    public String shown(String name) {
        return show(members.get(name));
    }

    private static String show(@Nullable Object value) {
        if (value == null) {
            return "";
        }
        if (value instanceof List<?> list) {
            return String.join(",", list.stream().map(JsonObject::show).toList());
        }
        return value instanceof Map<?, ?> map ? Json.write(map) : String.valueOf(value);
    }
}

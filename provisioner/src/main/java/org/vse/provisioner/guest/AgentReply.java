package org.vse.provisioner.guest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.GuestReply;

/**
 * One reply of the agent: {@code {"return": {…}}} or {@code {"error": {"class": …, "desc": …}}} (QEMU Machine Protocol
 * specification, section 2). Members are scalars; anything deeper, larger or of another shape is refused while it is
 * being read, so that a reply costs no more memory than its own text.
 */
sealed interface AgentReply {
    /** Most members of one reply; the replies that are used have at most seven. */
    int MAX_MEMBERS = 32;

    /** The request was carried out. Values are {@link String}, {@link Long} or {@link Boolean}. */
    record Return(Map<String, Object> members, String text) implements AgentReply {
        long integer(String name, long least, long most) {
            if (members.get(name) instanceof Long value && value >= least && value <= most) {
                return value;
            }
            throw malformed("'" + name + "' as an integer from " + least + " to " + most, text);
        }

        boolean flag(String name, boolean absent) {
            Object value = members.get(name);
            if (value == null && !members.containsKey(name)) {
                return absent;
            }
            if (value instanceof Boolean flag) {
                return flag;
            }
            throw malformed("'" + name + "' as a boolean", text);
        }

        Optional<String> string(String name) {
            Object value = members.get(name);
            if (value == null && !members.containsKey(name)) {
                return Optional.empty();
            }
            if (value instanceof String string) {
                return Optional.of(string);
            }
            throw malformed("'" + name + "' as a string", text);
        }

        boolean has(String name) {
            return members.containsKey(name);
        }
    }

    /** The agent refused the request. */
    record Refusal(String errorClass, String description) implements AgentReply {}

    /** @throws VseException GUEST_PROTOCOL when the text is not such a reply */
    static AgentReply parse(String text) {
        if (text.length() > GuestReply.MAX_BYTES) {
            throw malformed("at most " + GuestReply.MAX_BYTES + " bytes, not " + text.length() + " characters", text);
        }
        try (JsonParser json = Reading.FACTORY.createParser(text)) {
            expect(json, JsonToken.START_OBJECT, "an object", text);
            expect(json, JsonToken.FIELD_NAME, "'return' or 'error'", text);
            String kind = json.currentName();
            if (!kind.equals("return") && !kind.equals("error")) {
                throw malformed("'return' or 'error'", text);
            }
            expect(json, JsonToken.START_OBJECT, "'" + kind + "' as an object", text);
            Return members = new Return(members(json, text), text);
            expect(json, JsonToken.END_OBJECT, "nothing beside '" + kind + "'", text);
            if (json.nextToken() != null) {
                throw malformed("one reply", text);
            }
            if (kind.equals("return")) {
                return members;
            }
            return new Refusal(
                    members.string("class").orElseThrow(() -> malformed("'class' as a string", text)),
                    members.string("desc").orElseThrow(() -> malformed("'desc' as a string", text)));
        } catch (IOException e) {
            throw malformed("JSON", text).because(e);
        }
    }

    private static Map<String, Object> members(JsonParser json, String text) throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            if (members.size() == MAX_MEMBERS) {
                throw malformed("at most " + MAX_MEMBERS + " members", text);
            }
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (value == JsonToken.VALUE_STRING) {
                members.put(name, json.getText());
            } else if (value == JsonToken.VALUE_NUMBER_INT) {
                members.put(name, json.getLongValue());
            } else if (value == JsonToken.VALUE_TRUE || value == JsonToken.VALUE_FALSE) {
                members.put(name, json.getBooleanValue());
            } else {
                throw malformed("a string, an integer or a boolean for every member", text);
            }
        }
        if (json.currentToken() != JsonToken.END_OBJECT) {
            throw malformed("the end of an object", text);
        }
        return members;
    }

    private static void expect(JsonParser json, JsonToken token, String what, String text) throws IOException {
        if (json.nextToken() != token) {
            throw malformed(what, text);
        }
    }

    private static VseException malformed(String expected, String text) {
        return VseException.of(ErrorCode.GUEST_PROTOCOL, "the guest's agent answered something else than expected")
                .fact("expected", expected)
                .fact("found", Excerpt.of(text));
    }

    /** How replies are read. */
    final class Reading {
        private static final JsonFactory FACTORY = JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(2)
                        .maxNameLength(64)
                        .maxNumberLength(20)
                        .maxStringLength(GuestReply.MAX_BYTES)
                        .build())
                .build();

        private Reading() {}
    }
}

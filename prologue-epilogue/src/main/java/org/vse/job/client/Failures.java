package org.vse.job.client;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** A failure as the API carries it, so that daemon and client print the same words. */
public final class Failures {
    private Failures() {}

    /** The {@code failure} object of an error answer or of a {@code failed} event. An unknown code becomes INTERNAL. */
    public static VseException read(JsonObject failure) {
        String name = failure.text("code").orElse("");
        VseException exception = VseException.of(
                code(name), failure.text("what").orElse("vsed reports a failure without a description"));
        failure.text("where").ifPresent(exception::at);
        failure.object("facts")
                .ifPresent(facts ->
                        facts.members().forEach((fact, value) -> exception.fact(fact, value == null ? "" : value)));
        failure.text("next").ifPresent(exception::next);
        if (!exception.code().name().equals(name)) {
            exception.fact("code", name.isEmpty() ? "none" : name);
        }
        return exception;
    }

    /** The opposite of {@link #read}. */
    public static Map<String, @Nullable Object> write(VseException failure) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("code", failure.code().name());
        object.put("what", failure.what());
        object.put("where", failure.where());
        object.put("facts", failure.facts());
        object.put("next", failure.next());
        return object;
    }

    private static ErrorCode code(String name) {
        for (ErrorCode code : ErrorCode.values()) {
            if (code.name().equals(name)) {
                return code;
            }
        }
        return ErrorCode.INTERNAL;
    }
}

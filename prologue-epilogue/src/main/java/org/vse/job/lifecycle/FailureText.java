package org.vse.job.lifecycle;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** An error as events and the API tell it. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FailureText(
        String code,
        String what,
        @Nullable String where,
        Map<String, String> facts,
        @Nullable String next) {
    /** The parts of an error. */
    public static FailureText of(VseException e) {
        return new FailureText(e.code().name(), e.what(), e.where(), e.facts(), e.next());
    }

    /** The error again, without its causes; a code of another release becomes INTERNAL. */
    public VseException toException() {
        VseException failure = VseException.of(knownCode(), what);
        if (where != null) {
            failure.at(where);
        }
        facts.forEach(failure::fact);
        if (next != null) {
            failure.next(next);
        }
        return failure;
    }

    private ErrorCode knownCode() {
        return Arrays.stream(ErrorCode.values())
                .filter(known -> known.name().equals(code))
                .findFirst()
                .orElse(ErrorCode.INTERNAL);
    }
}

package org.vse.scheduler.openpbs;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.scheduler.HookCall;

/**
 * Attributes of the job in a hook's event, as the hook passes them on: {@code name=value}, each ended by a NUL. No value can
 * contain one, so that none can pretend to be another.
 */
record Event(HookCall call, Map<String, String> values) {
    private static final int MOST_SHOWN = 200;

    /** @throws VseException USAGE for what no hook of ours writes; cut off is what does not end with a NUL */
    static Event of(HookCall call) {
        Map<String, String> values = new HashMap<>();
        String input = call.input();
        for (int begin = 0, end; begin < input.length(); begin = end + 1) {
            end = input.indexOf('\0', begin);
            int equals = input.indexOf('=', begin);
            if (end < 0 || equals < 0 || equals > end) {
                throw notACall(call, "standard input", input.substring(begin));
            }
            String name = input.substring(begin, equals);
            if (values.put(name, input.substring(equals + 1, end)) != null) {
                throw notACall(call, name, "twice");
            }
        }
        return new Event(call, values);
    }

    /**
     * An attribute that every job has.
     *
     * @throws VseException USAGE without it; NOT_PERMITTED for one with control characters, which nothing needs
     */
    String text(String name) {
        return find(name).orElseThrow(() -> notACall(call, name, ""));
    }

    /** An attribute that a job may have. */
    Optional<String> find(String name) {
        String value = values.getOrDefault(name, "");
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "the job's '" + name + "' has control characters")
                    .next("submit the job without them");
        }
        return Optional.of(value).filter(text -> !text.isBlank());
    }

    /** What was passed on cannot be what OpenPBS said. */
    VseException wrong(String name) {
        return notACall(call, name, values.getOrDefault(name, ""));
    }

    static VseException notACall(HookCall call, String what, String found) {
        return VseException.of(ErrorCode.USAGE, "this is no " + call.point() + " of OpenPBS: '" + what + "' is wrong")
                .fact("found", "'" + found.substring(0, Math.min(MOST_SHOWN, found.length())) + "'")
                .next("let a hook of OpenPBS call it: docs/schedulers/openpbs.md");
    }
}

package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * One request.
 *
 * @param path decoded path segments
 * @param query decoded query parameters, the last of each name
 * @param body JSON body; a missing node when there is none
 */
record Call(Peer peer, String method, List<String> path, Map<String, String> query, JsonNode body, Reply reply) {
    /** A query parameter that is a number from 0 on. */
    long number(String name, long otherwise) {
        String text = query.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            long value = Long.parseLong(text);
            if (value >= 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw bad(name, text).because(e);
        }
        throw bad(name, text);
    }

    boolean flag(String name) {
        return "true".equals(query.get(name));
    }

    /** A text member of the body that must be there. */
    String text(String name) {
        JsonNode node = body.path(name);
        if (!node.isTextual()) {
            throw VseException.of(ErrorCode.USAGE, "the request's '" + name + "' must be a text");
        }
        return node.textValue();
    }

    /**
     * Reads an instant of a request.
     *
     * @throws VseException USAGE
     */
    static Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw VseException.of(ErrorCode.USAGE, "'" + text + "' is not a point in time")
                    .fact("expected", "ISO 8601 in UTC, 2026-11-21T08:00:00Z")
                    .because(e);
        }
    }

    /** A whole number of the body within bounds. */
    int integer(String name, int least, int most) {
        JsonNode node = body.path(name);
        if (!node.isInt() || node.intValue() < least || node.intValue() > most) {
            throw VseException.of(
                    ErrorCode.USAGE, "the request's '" + name + "' must be a number from " + least + " to " + most);
        }
        return node.intValue();
    }

    private static VseException bad(String name, String text) {
        return VseException.of(ErrorCode.USAGE, "parameter '" + name + "' must be a number from 0 on")
                .fact("found", text);
    }

    /** The refusal of a call that there is not. */
    VseException unknown() {
        return VseException.of(ErrorCode.USAGE, "there is no call " + method + " /" + String.join("/", path))
                .next("see docs/api.md");
    }
}

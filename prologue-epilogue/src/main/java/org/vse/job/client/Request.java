package org.vse.job.client;

import java.time.Duration;
import java.util.Objects;

/**
 * One call of the API.
 *
 * @param method GET or POST
 * @param target path and query
 * @param body JSON text; empty means no body
 * @param upgrade asks for raw bytes after the answer's head ({@code vse-stream})
 * @param patience how long the answer's head may take
 */
public record Request(String method, Target target, String body, boolean upgrade, Duration patience) {
    /** What the daemon accepts at most, in bytes. */
    public static final int MAX_BODY_BYTES = 1 << 20;

    public Request {
        if (!method.equals("GET") && !method.equals("POST")) {
            throw new IllegalArgumentException("method '" + method + "'");
        }
        Objects.requireNonNull(target);
        Objects.requireNonNull(body);
        if (patience.isNegative() || patience.isZero()) {
            throw new IllegalArgumentException("patience " + patience);
        }
    }

    /** A question; its answer's head is awaited for 30 s. */
    public static Request get(Target target) {
        return new Request("GET", target, "", false, Duration.ofSeconds(30));
    }

    /** An order with a JSON body; its answer's head is awaited for 30 s. */
    public static Request post(Target target, String json) {
        return new Request("POST", target, json, false, Duration.ofSeconds(30));
    }

    /** An order that turns the connection into raw bytes. */
    public static Request upgrade(Target target) {
        return new Request("POST", target, "", true, Duration.ofSeconds(30));
    }

    public Request withPatience(Duration newPatience) {
        return new Request(method, target, body, upgrade, newPatience);
    }
}

package org.vse.job.client;

import java.nio.charset.StandardCharsets;

/**
 * Path and query of a request, every part percent-encoded (RFC 3986, unreserved characters stay).
 *
 * @param text what goes on the request line
 */
public record Target(String text) {
    public Target {
        if (!text.startsWith("/") || text.chars().anyMatch(c -> c <= ' ' || c >= 0x7f)) {
            throw new IllegalArgumentException("not a request target: '" + text + "'");
        }
    }

    /** {@code of("v1", "jobs", "local-7")} is {@code /v1/jobs/local-7}. */
    public static Target of(String... segments) {
        StringBuilder path = new StringBuilder();
        for (String segment : segments) {
            path.append('/').append(encode(segment));
        }
        return new Target(path.toString());
    }

    /** Adds one parameter to the query. */
    public Target with(String name, Object value) {
        char separator = text.indexOf('?') < 0 ? '?' : '&';
        return new Target(text + separator + encode(name) + '=' + encode(String.valueOf(value)));
    }

    private static String encode(String part) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : part.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c < 0x80 && (Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0)) {
                encoded.append(c);
            } else {
                encoded.append('%').append(hex(b >> 4)).append(hex(b));
            }
        }
        return encoded.toString();
    }

    private static char hex(int nibble) {
        return "0123456789ABCDEF".charAt(nibble & 0xf);
    }
}

package org.vse.job.client;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.vse.job.client.Wire.MalformedAnswer;

/**
 * Status and headers of an answer (RFC 9112).
 *
 * @param status three digits
 * @param headers by lower-case name
 */
record Head(int status, Map<String, String> headers) {
    private static final int MAX_LINE = 8192;
    private static final int MAX_HEADERS = 64;

    Head {
        headers = Map.copyOf(headers);
    }

    /** @throws MalformedAnswer also for repeated headers, folded lines and more than {@value #MAX_HEADERS} headers */
    static Head read(Wire wire) throws IOException {
        String line = wire.line(MAX_LINE);
        if (!line.matches("HTTP/1\\.1 [1-5][0-9][0-9]( .*)?")) {
            throw new MalformedAnswer("the status line '" + line + "'");
        }
        int status = Integer.parseInt(line.substring(9, 12));
        Map<String, String> headers = new LinkedHashMap<>();
        for (line = wire.line(MAX_LINE); !line.isEmpty(); line = wire.line(MAX_LINE)) {
            int colon = line.indexOf(':');
            if (colon < 1 || !line.substring(0, colon).matches("[A-Za-z0-9!#$%&'*+.^_`|~-]+")) {
                throw new MalformedAnswer("the header line '" + line + "'");
            }
            String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
            if (headers.size() == MAX_HEADERS) {
                throw new MalformedAnswer("more than " + MAX_HEADERS + " headers");
            }
            if (headers.put(name, line.substring(colon + 1).strip()) != null) {
                throw new MalformedAnswer("the header '" + name + "' twice");
            }
        }
        return new Head(status, headers);
    }

    Optional<String> header(String name) {
        return Optional.ofNullable(headers.get(name));
    }

    /** How the body is framed. */
    Body body(Wire wire) throws MalformedAnswer {
        Optional<String> coding = header("transfer-encoding");
        Optional<String> length = header("content-length");
        if (coding.isPresent() && length.isPresent()) {
            throw new MalformedAnswer("both Content-Length and Transfer-Encoding");
        }
        if (coding.isPresent()) {
            if (!coding.get().equalsIgnoreCase("chunked")) {
                throw new MalformedAnswer("Transfer-Encoding '" + coding.get() + "'");
            }
            return Body.chunked(wire);
        }
        if (length.isEmpty()) {
            if (status == 204) {
                return Body.sized(wire, 0);
            }
            throw new MalformedAnswer("neither Content-Length nor Transfer-Encoding");
        }
        if (!length.get().matches("[0-9]{1,18}")) {
            throw new MalformedAnswer("Content-Length '" + length.get() + "'");
        }
        return Body.sized(wire, Long.parseLong(length.get()));
    }
}

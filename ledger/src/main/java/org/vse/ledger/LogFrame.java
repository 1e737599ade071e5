package org.vse.ledger;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A line of the event log: {@code {"crc":"89abcdef","body":…}} and a line feed, the checksum being CRC-32C of the body's
 * bytes, so that a line which was only half written is recognised even where it ends in a line feed.
 */
final class LogFrame {
    private static final byte[] BEFORE_CRC = "{\"crc\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] BEFORE_BODY = "\",\"body\":".getBytes(StandardCharsets.US_ASCII);
    private static final int BODY_AT = BEFORE_CRC.length + 8 + BEFORE_BODY.length;

    private LogFrame() {}

    /** @return the line, its line feed included */
    static byte[] of(byte[] body) {
        byte[] line = new byte[BODY_AT + body.length + 2];
        System.arraycopy(BEFORE_CRC, 0, line, 0, BEFORE_CRC.length);
        System.arraycopy(crc(body), 0, line, BEFORE_CRC.length, 8);
        System.arraycopy(BEFORE_BODY, 0, line, BEFORE_CRC.length + 8, BEFORE_BODY.length);
        System.arraycopy(body, 0, line, BODY_AT, body.length);
        line[line.length - 2] = '}';
        line[line.length - 1] = '\n';
        return line;
    }

    /**
     * @param line without its line feed
     * @return the body, empty when the line is damaged
     */
    static Optional<byte[]> body(byte[] line) {
        if (line.length <= BODY_AT) {
            return Optional.empty();
        }
        byte[] body = Arrays.copyOfRange(line, BODY_AT, line.length - 1);
        byte[] whole = of(body);
        return Arrays.equals(line, 0, line.length, whole, 0, whole.length - 1) ? Optional.of(body) : Optional.empty();
    }

    private static byte[] crc(byte[] body) {
        CRC32C crc = new CRC32C();
        crc.update(body);
        return HexFormat.of().toHexDigits((int) crc.getValue()).getBytes(StandardCharsets.US_ASCII);
    }
}

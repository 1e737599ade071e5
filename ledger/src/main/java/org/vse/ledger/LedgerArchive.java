package org.vse.ledger;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A whole ledger as one stream: lines like those of the event log ({@link LogFrame}), a first one that says what it is, and a
 * last one with the number of events and the SHA-256 of all before it, without which the stream is not whole. Reading and
 * writing take memory for a few events only.
 */
public final class LedgerArchive {
    private static final byte[] FIRST =
            LogFrame.of("{\"archive\":\"vse-ledger\",\"format\":1}".getBytes(StandardCharsets.US_ASCII));
    private static final Pattern LAST = Pattern.compile("\\{\"events\":([0-9]{1,18}),\"sha256\":\"([0-9a-f]{64})\"}");

    private LedgerArchive() {}

    /**
     * Writes a ledger.
     *
     * @return how many events it has
     */
    public static long write(Ledger ledger, OutputStream to) throws IOException {
        MessageDigest digest = sha256();
        long[] count = {0};
        put(to, digest, FIRST);
        try {
            ledger.events(event -> {
                try {
                    put(to, digest, LogFrame.of(EventJson.write(event)));
                    count[0]++;
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        String sum = HexFormat.of().formatHex(digest.digest());
        to.write(LogFrame.of(
                ("{\"events\":" + count[0] + ",\"sha256\":\"" + sum + "\"}").getBytes(StandardCharsets.US_ASCII)));
        return count[0];
    }

    /**
     * Reads a ledger, giving events as they come; when this throws, those given before are good, but not all.
     *
     * @param batch how many events to give at once
     * @return how many events there were
     * @throws VseException LEDGER_FAILED when the stream is damaged or not whole
     */
    public static long read(InputStream from, int batch, Consumer<List<LedgerEvent>> to) throws IOException {
        InputStream in = new BufferedInputStream(from, 1 << 16);
        MessageDigest digest = sha256();
        byte[] line = line(in);
        if (line == null || !java.util.Arrays.equals(withFeed(line), FIRST)) {
            throw damaged(1, "it does not begin as an archive of a ledger");
        }
        digest.update(FIRST);
        List<LedgerEvent> events = new ArrayList<>();
        long count = 0;
        for (long number = 2; ; number++) {
            line = line(in);
            if (line == null) {
                throw damaged(number, "it ends too early: its last line is missing");
            }
            byte[] body = LogFrame.body(line).orElse(null);
            if (body == null) {
                throw damaged(number, "the checksum of the line is wrong");
            }
            Matcher last = LAST.matcher(new String(body, StandardCharsets.UTF_8));
            if (last.matches()) {
                to.accept(List.copyOf(events));
                requireWhole(number, last, count, digest, in);
                return count;
            }
            try {
                events.add(EventJson.read(body));
            } catch (IOException e) {
                throw damaged(number, "an event that this version does not know: " + e.getMessage());
            }
            digest.update(withFeed(line));
            count++;
            if (events.size() == batch) {
                to.accept(List.copyOf(events));
                events.clear();
            }
        }
    }

    private static void requireWhole(long number, Matcher last, long count, MessageDigest digest, InputStream in)
            throws IOException {
        String sum = HexFormat.of().formatHex(digest.digest());
        if (Long.parseLong(last.group(1)) != count || !last.group(2).equals(sum)) {
            throw damaged(number, "lines are missing or have been exchanged");
        }
        if (in.read() >= 0) {
            throw damaged(number + 1, "something follows its last line");
        }
    }

    private static void put(OutputStream to, MessageDigest digest, byte[] line) throws IOException {
        digest.update(line);
        to.write(line);
    }

    private static byte[] withFeed(byte[] line) {
        byte[] whole = java.util.Arrays.copyOf(line, line.length + 1);
        whole[line.length] = '\n';
        return whole;
    }

    private static byte @Nullable [] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            int next = in.read();
            if (next < 0) {
                return line.size() == 0 ? null : line.toByteArray();
            }
            if (next == '\n') {
                return line.toByteArray();
            }
            if (line.size() >= EventLog.MAX_LINE) {
                throw damaged(0, "a line of more than " + EventLog.MAX_LINE + " bytes");
            }
            line.write(next);
        }
    }

    private static VseException damaged(long line, String reason) {
        return VseException.of(ErrorCode.LEDGER_FAILED, "the archive is damaged or not whole")
                .at("line " + line)
                .fact("reason", reason);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

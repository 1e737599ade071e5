package org.vse.policy;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;

/** Job scripts as bytes become text, or an error that says why not. */
public final class ScriptText {
    /** Largest job script in bytes of UTF-8. */
    public static final int MAX_BYTES = 512 << 10;

    private static final String ELF = "\u007fELF";
    private static final String DOS_PROGRAM = "MZ";

    private ScriptText() {}

    /**
     * @param file for errors only
     * @throws VseException SCRIPT_UNREADABLE when the bytes are too many, are a program, or are not UTF-8 text
     */
    public static String decode(String file, byte[] bytes) {
        requireSize(file, bytes.length);
        return utf8(file, bytes);
    }

    /**
     * The same for a text of any size.
     *
     * @throws VseException SCRIPT_UNREADABLE when the bytes are a program or not UTF-8 text
     */
    public static String utf8(String file, byte[] bytes) {
        String start = new String(bytes, 0, Math.min(4, bytes.length), StandardCharsets.ISO_8859_1);
        if (start.startsWith("\u00fe\u00ff") || start.startsWith("\u00ff\u00fe")) {
            throw unreadable(new SourcePosition(file, 1, 1), "the script is UTF-16 text")
                    .next("save it as UTF-8, e.g. iconv -f UTF-16 -t UTF-8");
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, out, true);
        String text = out.flip().toString();
        int nul = text.indexOf('\0');
        if (start.equals(ELF) || (start.startsWith(DOS_PROGRAM) && (nul >= 0 || result.isError()))) {
            throw unreadable(new SourcePosition(file, 1, 1), "the file is a program, not a job script")
                    .next("write a script that starts the program");
        }
        if (nul >= 0) {
            throw nul(position(file, text.substring(0, nul)));
        }
        if (result.isError()) {
            String found = String.format(Locale.ROOT, "byte 0x%02x", bytes[in.position()]);
            throw unreadable(position(file, text), "the script is not UTF-8 text")
                    .fact("found", found)
                    .next("save it as UTF-8, e.g. iconv -f ISO-8859-1 -t UTF-8");
        }
        return text;
    }

    /** Refuses a text that is too large. */
    static void requireSize(String file, String text) {
        requireSize(file, text.length() > MAX_BYTES ? text.length() : text.getBytes(StandardCharsets.UTF_8).length);
    }

    static VseException nul(SourcePosition position) {
        return unreadable(position, "the script has a NUL character: it is not text")
                .next("submit a text file");
    }

    private static void requireSize(String file, long bytes) {
        if (bytes > MAX_BYTES) {
            throw unreadable(new SourcePosition(file, 1, 1), "the script is too large")
                    .fact("found", "at least " + bytes + " bytes")
                    .fact("allowed", MAX_BYTES + " bytes")
                    .next("keep data and programs in files of their own");
        }
    }

    private static SourcePosition position(String file, String before) {
        int line = (int) before.chars().filter(c -> c == '\n').count() + 1;
        int start = before.lastIndexOf('\n') + 1;
        return new SourcePosition(file, line, before.codePointCount(start, before.length()) + 1);
    }

    private static VseException unreadable(SourcePosition position, String what) {
        return VseException.of(ErrorCode.SCRIPT_UNREADABLE, what).at(position.toString());
    }
}

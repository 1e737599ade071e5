package org.vse.job.hook;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.vse.job.client.JsonObject;

/**
 * How far a job's output had come into the batch system's files: at a moment when nothing was being written.
 *
 * @param outSize length of the file of standard output
 * @param errSize length of the file of standard error; the same file perhaps
 * @param outBytes of the script's standard output that were in it
 * @param errBytes of the script's standard error
 * @param orderly whether nothing was written after that
 */
record OutputPoint(long outSize, long errSize, long outBytes, long errBytes, boolean orderly) {
    /** Where a starter begins to copy, and to which length it cuts a file first; empty where it is not cut. */
    record Begin(long bytes, OptionalLong cut) {}

    /**
     * Where to go on with standard output.
     *
     * @param size length of the file now; negative when it is none
     */
    Begin out(long size) {
        return begin(size, outSize, outBytes);
    }

    /** Where to go on with standard error. */
    Begin err(long size) {
        return begin(size, errSize, errBytes);
    }

    /**
     * A file that is shorter than it was is another, or was emptied: it gets everything. One that may have more than is known
     * is cut to what is known. What comes after an orderly end is the batch system's own and stays.
     */
    private Begin begin(long size, long known, long bytes) {
        if (size >= 0 && size < known) {
            return new Begin(0, OptionalLong.empty());
        }
        return new Begin(bytes, size > known && !orderly ? OptionalLong.of(known) : OptionalLong.empty());
    }

    Map<String, Object> members() {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("outSize", outSize);
        members.put("errSize", errSize);
        members.put("outBytes", outBytes);
        members.put("errBytes", errBytes);
        members.put("orderly", orderly);
        return members;
    }

    static OutputPoint of(JsonObject members) {
        return new OutputPoint(
                members.number("outSize").orElse(0),
                members.number("errSize").orElse(0),
                members.number("outBytes").orElse(0),
                members.number("errBytes").orElse(0),
                "true".equals(members.shown("orderly")));
    }
}

package org.vse.ledger.charge;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Grid Engine's accounting file (accounting(5)): fields between colons, one line for each attempt; lines that begin with
 * {@code #} are remarks. Times are seconds since 1970, in later versions milliseconds.
 */
final class GridEngineAccounting {
    private static final int QUEUE = 0;
    private static final int HOST = 1;
    private static final int OWNER = 3;
    private static final int JOB = 5;
    private static final int SUBMITTED = 8;
    private static final int START = 9;
    private static final int END = 10;
    private static final int FAILED = 11;
    private static final int PROJECT = 31;
    private static final int SLOTS = 34;
    private static final int TASK = 35;
    private static final int PE_TASK = 41;
    private static final int FIELDS = 43;

    /** Values of "failed" after which the job was put back: rescheduled, and checkpointed by migration (sge_status(5)). */
    private static final List<String> REQUEUED = List.of("24", "25");

    private static final long MILLIS_FROM = 100_000_000_000L;

    private GridEngineAccounting() {}

    static void read(String line, List<Charge> to) {
        if (line.startsWith("#") || line.isBlank()) {
            return;
        }
        List<String> fields = List.of(line.split(":", -1));
        if (fields.size() < FIELDS) {
            throw new IllegalArgumentException("at least " + FIELDS + " fields expected, as in accounting(5)");
        }
        Instant start = time(fields.get(START));
        boolean charged = !start.equals(Instant.EPOCH);
        // A task of a parallel job is part of it; what never had a host never began.
        if (!fields.get(PE_TASK).equals("NONE") || (!charged && fields.get(HOST).equals("UNKNOWN"))) {
            return;
        }
        String task = fields.get(TASK);
        // An attempt that went wrong may have no times: it began after it was submitted, or submitted again.
        to.add(new Charge(
                task.equals("0") ? fields.get(JOB) : fields.get(JOB) + "." + task,
                1,
                fields.get(OWNER),
                orNull(fields.get(PROJECT)),
                fields.get(QUEUE),
                charged ? start : time(fields.get(SUBMITTED)),
                charged ? time(fields.get(END)) : null,
                charged ? Integer.parseInt(fields.get(SLOTS)) : 0,
                !charged || REQUEUED.contains(fields.get(FAILED))));
    }

    private static Instant time(String text) {
        long number = Long.parseLong(text);
        return number > MILLIS_FROM ? Instant.ofEpochMilli(number) : Instant.ofEpochSecond(number);
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() || text.equals("NONE") ? null : text;
    }
}

package org.vse.job.lifecycle;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One line of a job's journal.
 *
 * @param at when it was written
 * @param kind what it says
 * @param step name of the step it is about; null for STATE
 * @param state the state entered; null otherwise
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record JournalEntry(
        Instant at,
        Kind kind,
        @Nullable String step,
        @Nullable JobState state) {
    public JournalEntry {
        if (at == null || kind == null || (kind == Kind.STATE ? state == null : step == null)) {
            throw new IllegalArgumentException("an entry has a time, a kind, and a step or a state");
        }
    }

    /** What an entry says. */
    public enum Kind {
        /** The step is about to be applied: from here on it may have left something. */
        INTENT,
        /** The step has been applied. */
        DONE,
        /** The step has been undone: it has left nothing. */
        UNDONE,
        /** The job has entered a state. */
        STATE
    }
}

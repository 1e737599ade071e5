package org.vse.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One run of one machine on one node: from its start to its end.
 *
 * @param id id of the event that opened it
 * @param ending null while it runs, as far as the ledger knows
 */
public record VmInterval(
        UUID id,
        JobKey job,
        Submitter submitter,
        Machine machine,
        Instant started,
        @Nullable Ending ending) {

    public boolean running() {
        return ending == null;
    }

    /**
     * The part of the run inside {@code [from, to)}; zero when there is none.
     *
     * @param to counts as the end of a run that is still open, so at most the present
     */
    public Duration elapsed(Instant from, Instant to) {
        Instant begin = started.isBefore(from) ? from : started;
        Instant end = ending == null || ending.ended().isAfter(to) ? to : ending.ended();
        return end.isAfter(begin) ? Duration.between(begin, end) : Duration.ZERO;
    }

    /** {@link #elapsed} times the cores that the machine occupied: what other jobs could not have. */
    public Duration coreTime(Instant from, Instant to) {
        return elapsed(from, to).multipliedBy(machine.coreCount());
    }
}

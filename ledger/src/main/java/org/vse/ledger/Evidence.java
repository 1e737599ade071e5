package org.vse.ledger;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * When a run ended at the latest whose node tells nothing any more, and from what that is concluded.
 *
 * @param text for people
 */
record Evidence(Instant at, String text) {
    /**
     * The earliest of: the job came out; a later attempt of it began. Else the node's last word.
     *
     * @param silent what was heard of its node
     */
    static Evidence of(VmInterval run, NodeHeard silent, LedgerDatabase database) {
        JobKey job = run.job();
        Stream<Evidence> outcomes = database.outcomes(job).stream()
                .map(outcome -> new Evidence(
                        outcome.at(), "the job was " + outcome.kind().name().toLowerCase(java.util.Locale.ROOT)));
        Stream<Evidence> attempts =
                database
                        .intervals(
                                VmIntervalQuery.all().ofCluster(job.cluster()).ofJob(job.id()))
                        .stream()
                        .filter(other -> other.job().scheduler().equals(job.scheduler())
                                && other.job().attempt() > job.attempt())
                        .map(other -> new Evidence(
                                other.started(), "attempt " + other.job().attempt() + " of the job had begun"));
        Optional<Evidence> shown = Stream.concat(outcomes, attempts)
                .filter(evidence -> !evidence.at().isBefore(run.started()))
                .min(Comparator.comparing(Evidence::at));
        return shown.orElseGet(() -> new Evidence(
                silent.at().isBefore(run.started()) ? run.started() : silent.at(),
                "nothing was heard of node '" + silent.node() + "' any more"));
    }

    /** The event that closes the run; concluding the same again makes the same event. */
    LedgerEvent closing(VmInterval run, Instant now) {
        String name = "concluded " + run.id() + " " + at;
        return new LedgerEvent.VmClosed(
                UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)),
                now,
                run.job(),
                run.id(),
                Ending.concluded(at, text));
    }
}

package org.vse.ledger;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.UUID;
import org.vse.failure.ErrorCode;

/**
 * Something that happened and is never taken back.
 *
 * <p>The id makes it happen once: whoever may have to record an event again after a crash chooses the id first and keeps it
 * with the intent to act. Instants are kept in whole microseconds.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
    @JsonSubTypes.Type(value = LedgerEvent.VmOpened.class, name = "vm-opened"),
    @JsonSubTypes.Type(value = LedgerEvent.VmClosed.class, name = "vm-closed"),
    @JsonSubTypes.Type(value = LedgerEvent.JobRefused.class, name = "job-refused"),
    @JsonSubTypes.Type(value = LedgerEvent.JobFailed.class, name = "job-failed"),
    @JsonSubTypes.Type(value = LedgerEvent.JobSettled.class, name = "job-settled")
})
public sealed interface LedgerEvent {
    UUID id();

    /** When it was noticed; not always when it happened. */
    Instant at();

    JobKey job();

    /** Calls the method for this kind of event. */
    <R> R in(Cases<R> cases);

    /** One method for each kind of event. */
    interface Cases<R> {
        R opened(VmOpened event);

        R closed(VmClosed event);

        R refused(JobRefused event);

        R failed(JobFailed event);

        R settled(JobSettled event);
    }

    /**
     * A machine runs from {@code started} on, until a {@link VmClosed} that names this event's id.
     *
     * @param started when its virtual processors began to run
     */
    record VmOpened(UUID id, Instant at, JobKey job, Submitter submitter, Machine machine, Instant started)
            implements LedgerEvent {
        public VmOpened {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Objects.requireNonNull(submitter);
            Objects.requireNonNull(machine);
            started = started.truncatedTo(ChronoUnit.MICROS);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.opened(this);
        }
    }

    /**
     * A machine's run is over. May be recorded before its {@link VmOpened}. Of several for one run the earliest end counts,
     * in whatever order they arrive.
     *
     * @param opened id of the {@link VmOpened} that it ends
     */
    record VmClosed(UUID id, Instant at, JobKey job, UUID opened, Ending ending) implements LedgerEvent {
        public VmClosed {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Objects.requireNonNull(opened);
            Objects.requireNonNull(ending);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.closed(this);
        }
    }

    /** A job was not admitted: nothing of it ran. */
    record JobRefused(UUID id, Instant at, JobKey job, Submitter submitter, ErrorCode code) implements LedgerEvent {
        public JobRefused {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Objects.requireNonNull(submitter);
            Objects.requireNonNull(code);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.refused(this);
        }
    }

    /** An admitted job ended before its script did. */
    record JobFailed(UUID id, Instant at, JobKey job, Submitter submitter, ErrorCode code) implements LedgerEvent {
        public JobFailed {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Objects.requireNonNull(submitter);
            Objects.requireNonNull(code);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.failed(this);
        }
    }

    /**
     * A job's script ended and everything of the job has been taken down.
     *
     * @param exitCode the script's, 128 + signal when a signal ended it
     */
    record JobSettled(UUID id, Instant at, JobKey job, Submitter submitter, int exitCode) implements LedgerEvent {
        public JobSettled {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Objects.requireNonNull(submitter);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.settled(this);
        }
    }
}

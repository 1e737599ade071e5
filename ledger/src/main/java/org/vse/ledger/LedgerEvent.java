package org.vse.ledger;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
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
    @JsonSubTypes.Type(value = LedgerEvent.JobAdmitted.class, name = "job-admitted"),
    @JsonSubTypes.Type(value = LedgerEvent.ImageFetched.class, name = "image-fetched"),
    @JsonSubTypes.Type(value = LedgerEvent.Checkpointed.class, name = "checkpointed"),
    @JsonSubTypes.Type(value = LedgerEvent.Restored.class, name = "restored"),
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
        R admitted(JobAdmitted event);

        R fetched(ImageFetched event);

        R checkpointed(Checkpointed event);

        R restored(Restored event);

        R opened(VmOpened event);

        R closed(VmClosed event);

        R refused(JobRefused event);

        R failed(JobFailed event);

        R settled(JobSettled event);
    }

    /**
     * An attempt of a job has begun: what it will boot is fixed.
     *
     * @param nodes the job's nodes, the first one first
     */
    record JobAdmitted(
            UUID id, Instant at, JobKey job, Submitter submitter, String image, String digest, List<String> nodes)
            implements LedgerEvent {
        public JobAdmitted {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Objects.requireNonNull(submitter);
            Text.of("image", image);
            Text.of("digest", digest);
            nodes = List.copyOf(nodes);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.admitted(this);
        }
    }

    /**
     * A node did not have a job's image and has it now.
     *
     * @param node the one that has fetched it
     * @param bytes size of the image
     */
    record ImageFetched(
            UUID id, Instant at, JobKey job, String node, String image, String digest, long bytes, Duration took)
            implements LedgerEvent {
        public ImageFetched {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Text.of("node", node);
            Text.of("image", image);
            Text.of("digest", digest);
            Objects.requireNonNull(took);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.fetched(this);
        }
    }

    /**
     * The machines of a job were saved together.
     *
     * @param node where the job's first machine is
     * @param set what they were saved as
     * @param bytes of all machines
     * @param paused how long the machines stood still
     */
    record Checkpointed(UUID id, Instant at, JobKey job, String node, String set, long bytes, Duration paused)
            implements LedgerEvent {
        public Checkpointed {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Text.of("node", node);
            Text.of("set", set);
            Objects.requireNonNull(paused);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.checkpointed(this);
        }
    }

    /**
     * The machines of a job go on from where they were saved.
     *
     * @param node where the job's first machine is
     * @param set what they had been saved as
     */
    record Restored(UUID id, Instant at, JobKey job, String node, String set, long bytes, Duration took)
            implements LedgerEvent {
        public Restored {
            Objects.requireNonNull(id);
            at = at.truncatedTo(ChronoUnit.MICROS);
            Objects.requireNonNull(job);
            Text.of("node", node);
            Text.of("set", set);
            Objects.requireNonNull(took);
        }

        @Override
        public <R> R in(Cases<R> cases) {
            return cases.restored(this);
        }
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
     * A machine's run is over. May be recorded before its {@link VmOpened}. Of several for one run the earliest that
     * somebody has seen counts, or the earliest concluded one when nobody has, in whatever order they arrive.
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

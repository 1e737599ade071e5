package org.vse.job.lifecycle;

import org.vse.failure.VseException;

/**
 * One step of a job's life. Its name is written to journals and never changes its meaning between releases.
 *
 * <p>A step keeps nothing in memory that {@link #undo} needs: everything it makes has a name that follows from the job's
 * record, so that another process can undo it.
 */
public interface Step {
    /** Persisted identity: one lower-case word. */
    String name();

    /**
     * Does the step's work. It says what it waits for through {@link Progress} before it waits, and ends soon after its
     * thread is interrupted.
     *
     * @throws VseException when it could not be done; {@link #undo} is called afterwards
     */
    void apply(Job job, Progress progress);

    /**
     * Takes back what {@link #apply} made, fully, partly or not at all; may be called again after it was done.
     *
     * @throws VseException when something may be left
     */
    void undo(Job job);
}

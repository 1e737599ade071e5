package org.vse.job.lifecycle;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.vse.failure.VseException;

/**
 * Drives a job through its steps, forward and back.
 *
 * <p>Forward stops at the first error. Back undoes every step that began, in reverse order, whatever fails on the way; the
 * errors are joined as suppressed. The journal has the intent before a step begins and the result after it ended, so that
 * a process that finds the journal of a dead one knows what may have been left.
 *
 * <p>States are entered by steps: STAGED after {@code stage}, CREATED after {@code create}, READY after {@code ready},
 * RUNNING before {@code run} begins. See {@link JobState} for the table.
 */
public final class JobLifecycle {
    private final List<Step> steps;
    private final StepWatch watch;

    /** Takes the literal list of steps in their order. */
    public JobLifecycle(List<Step> steps) {
        this(steps, StepWatch.NONE);
    }

    private JobLifecycle(List<Step> steps, StepWatch watch) {
        this.steps = List.copyOf(steps);
        this.watch = watch;
    }

    /** The same steps, of whose ends somebody is told. */
    public JobLifecycle telling(StepWatch told) {
        return new JobLifecycle(steps, told);
    }

    /** The names of the steps in order. */
    public List<String> names() {
        return steps.stream().map(Step::name).toList();
    }

    /**
     * Applies every step that is not yet applied; none when the way back has begun.
     *
     * @throws VseException of the step that failed; the caller then calls {@link #back}
     */
    public void forward(Job job, Progress progress) {
        if (job.journal().isGoingBack()) {
            return;
        }
        for (Step step : steps) {
            if (job.journal().applied().contains(step.name())) {
                continue;
            }
            job.enters(step.name());
            job.journal().intent(step.name());
            apply(step, job, progress);
            job.journal().done(step.name());
            watch.ended(job, step.name(), StepWatch.End.DONE, job.journal().since(step.name()));
        }
    }

    private void apply(Step step, Job job, Progress progress) {
        try {
            step.apply(job, progress);
        } catch (RuntimeException e) {
            watch.ended(job, step.name(), StepWatch.End.FAILED, job.journal().since(step.name()));
            throw e;
        }
    }

    /**
     * Undoes every step that began.
     *
     * @throws VseException the first error with the others suppressed; every undo was tried
     */
    public void back(Job job) {
        List<Step> begun = new ArrayList<>(steps.stream()
                .filter(step -> job.journal().begun().contains(step.name()))
                .toList());
        java.util.Collections.reverse(begun);
        RuntimeException first = null;
        for (Step step : begun) {
            try {
                long begin = System.nanoTime();
                step.undo(job);
                job.journal().undone(step.name());
                watch.ended(job, step.name(), StepWatch.End.UNDONE, Duration.ofNanos(System.nanoTime() - begin));
            } catch (RuntimeException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}

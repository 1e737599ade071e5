package org.vse.job.daemon;

import java.util.concurrent.CountDownLatch;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.Step;

/** Waits for a latch; leaves nothing. */
record BlockedStep(CountDownLatch until) implements Step {
    @Override
    public String name() {
        return "blocked";
    }

    @Override
    public void apply(Job job, Progress progress) {
        try {
            until.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted").because(e);
        }
    }

    @Override
    public void undo(Job job) {}
}

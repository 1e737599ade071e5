package org.vse.job.step;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The same work for every machine of a job, at once. */
final class InParallel {
    private InParallel() {}

    /**
     * Does the work for each item and returns when all have ended.
     *
     * @throws VseException the first error in item order, the others suppressed; STEP_INTERRUPTED when this thread was
     *     interrupted, after the workers were interrupted too and have ended
     */
    static <T> void each(List<T> items, Consumer<T> work) {
        if (items.size() == 1) {
            work.accept(items.get(0));
            return;
        }
        ExecutorService pool = Executors.newFixedThreadPool(Math.min(items.size(), 32));
        List<Future<?>> running = new ArrayList<>();
        for (T item : items) {
            running.add(pool.submit(() -> work.accept(item)));
        }
        pool.shutdown();
        List<RuntimeException> errors = new ArrayList<>();
        for (Future<?> future : running) {
            RuntimeException error = outcome(future, pool);
            if (error != null) {
                errors.add(error);
            }
        }
        if (!errors.isEmpty()) {
            RuntimeException first = errors.get(0);
            errors.stream().skip(1).forEach(first::addSuppressed);
            throw first;
        }
    }

    private static @Nullable RuntimeException outcome(Future<?> future, ExecutorService pool) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    future.get();
                    return interrupted ? interruptedFailure() : null;
                } catch (InterruptedException e) {
                    interrupted = true;
                    pool.shutdownNow();
                }
            }
        } catch (ExecutionException e) {
            return e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new IllegalStateException(String.valueOf(e.getCause()), e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static VseException interruptedFailure() {
        return VseException.of(ErrorCode.STEP_INTERRUPTED, "the step was interrupted");
    }
}

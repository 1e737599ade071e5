package org.vse.provisioner.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;

/**
 * The machines of a job on one node, paused together and saved together: either all of them are in their files, or all are
 * there as before.
 *
 * <pre>
 * (run) --pause--> (stand still) --save--> (in their files) --restart--> (stand still) --resume--> (run)
 *                       |    failed: back to
 *                       +--resume--> (run)
 * </pre>
 */
public final class JointSave {
    private final VmDriver driver;
    private final List<VmSpec> specs;
    private final Restarts restarts;
    private final List<Saved> saved = new ArrayList<>();

    /** What the machines of one node need beside the driver when they are started again. */
    public interface Restarts {
        /** Machines are about to be started. */
        void begin(List<VmSpec> machines);

        /** One was started and stands still. */
        void started(VmSpec machine, VmStatus status);

        /** All of them were started. */
        void end(List<VmSpec> machines);
    }

    /**
     * A machine in its file.
     *
     * @param state as {@link VmDriver#save} returns it
     */
    public record Saved(VmSpec spec, Path memory, long state) {}

    /**
     * @param specs what the machines were started with
     * @param restarts does what else a machine needs that is started again
     */
    public JointSave(VmDriver driver, List<VmSpec> specs, Restarts restarts) {
        this.driver = driver;
        this.specs = List.copyOf(specs);
        this.restarts = restarts;
    }

    /**
     * Stops all machines at once. When one cannot be stopped, those that were go on.
     *
     * @return from the first call to the last answer: no two machines stopped further apart
     */
    public Duration pause() {
        long begin = System.nanoTime();
        try {
            each(specs, spec -> {
                driver.pause(spec.name());
                return spec;
            });
        } catch (VseException e) {
            resumeAfter(e);
            throw e;
        }
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    /** Lets all machines run. */
    public void resume() {
        each(specs, spec -> {
            driver.resume(spec.name());
            return spec;
        });
    }

    /**
     * Writes the memory of every machine, all at once, and ends them.
     *
     * @param file where each is to be written
     * @throws VseException CHECKPOINT_FAILED; then every machine is there and stands still, and no file is. A machine that
     *     could not even be brought back has ended, and the failure says so.
     */
    public List<Saved> save(Function<VmSpec, Path> file) {
        try {
            each(specs, spec -> {
                Path memory = file.apply(spec);
                Saved one = new Saved(spec, memory, driver.save(spec.name(), memory));
                synchronized (saved) {
                    saved.add(one);
                }
                return one;
            });
        } catch (VseException e) {
            VseException failure = VseException.of(ErrorCode.CHECKPOINT_FAILED, "the machines could not all be saved")
                    .fact("reason", e.what())
                    .because(e);
            try {
                restart();
            } catch (VseException lost) {
                failure.addSuppressed(lost);
            }
            deleteFiles(failure);
            throw failure;
        }
        synchronized (saved) {
            return List.copyOf(saved);
        }
    }

    /**
     * Starts what a process that has died had saved, and lets all run.
     *
     * @param file where each was to be written
     * @throws VseException CHECKPOINT_INVALID when a machine is gone and not whole in its file
     */
    public void recover(Function<VmSpec, Path> file) {
        for (VmSpec spec : specs) {
            if (driver.find(spec.name()).isEmpty()) {
                Path memory = file.apply(spec);
                long state = driver.saved(memory);
                synchronized (saved) {
                    saved.add(new Saved(spec, memory, state));
                }
            }
        }
        restart();
        resume();
    }

    /** Starts the saved machines again, from their files, on this node; they stand still. */
    public void restart() {
        List<Saved> again;
        synchronized (saved) {
            again = saved.stream()
                    .filter(one -> driver.find(one.spec().name()).isEmpty())
                    .toList();
        }
        if (again.isEmpty()) {
            return;
        }
        List<VmSpec> machines = again.stream().map(Saved::spec).toList();
        restarts.begin(machines);
        each(again, one -> {
            restarts.started(one.spec(), driver.start(one.spec(), new Origin.Checkpoint(one.memory(), one.state())));
            return one;
        });
        restarts.end(machines);
    }

    private void resumeAfter(VseException failure) {
        for (VmSpec spec : specs) {
            try {
                driver.resume(spec.name());
            } catch (VseException e) {
                failure.addSuppressed(e);
            }
        }
    }

    private void deleteFiles(VseException failure) {
        synchronized (saved) {
            for (Saved one : saved) {
                try {
                    Files.deleteIfExists(one.memory());
                } catch (IOException e) {
                    failure.addSuppressed(e);
                }
            }
            saved.clear();
        }
    }

    /** Does the work for all at once and returns, or throws the first failure with the others in it, when all have ended. */
    private static <T, R> List<R> each(List<T> items, Function<T, R> work) {
        if (items.isEmpty()) {
            return List.of();
        }
        ExecutorService pool = Executors.newFixedThreadPool(items.size());
        try {
            List<Future<R>> running = items.stream()
                    .map(item -> pool.submit(() -> work.apply(item)))
                    .toList();
            List<R> results = new ArrayList<>();
            VseException first = null;
            for (Future<R> one : running) {
                try {
                    results.add(await(one));
                } catch (VseException e) {
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
            return results;
        } finally {
            pool.shutdown();
        }
    }

    /** Not cut short by an interrupt: half a job must not be saved. */
    private static <R> R await(Future<R> one) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return one.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof VseException known) {
                        throw known;
                    }
                    throw new CompletionException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

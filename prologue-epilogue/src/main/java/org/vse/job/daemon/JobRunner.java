package org.vse.job.daemon;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobLifecycle;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.log.JobScope;
import org.vse.job.step.Node;
import org.vse.job.step.SetName;
import org.vse.job.step.VmAccount;

/** Drives each job through its life on a thread of its own. */
final class JobRunner {
    private static final Logger LOG = LoggerFactory.getLogger(JobRunner.class);

    private final Node node;
    private final Function<JobRecord, JobLifecycle> lifecycles;
    private final Consumer<Job> whenOver;
    private final Map<String, Thread> threads = new ConcurrentHashMap<>();
    /** Jobs on their way forward: only these may be interrupted. Guarded by itself. */
    private final Set<String> goingOn = new HashSet<>();
    /** Jobs that could not be taken down. */
    private final Set<Job> stuck = ConcurrentHashMap.newKeySet();

    /**
     * Takes what is told when a job is over and nothing of it is left.
     *
     * @param lifecycles the steps of a job on this node
     * @param whenOver called on the job's thread
     */
    JobRunner(Node node, Function<JobRecord, JobLifecycle> lifecycles, Consumer<Job> whenOver) {
        this.node = node;
        this.lifecycles = lifecycles;
        this.whenOver = whenOver;
    }

    /** Drives a job from where its journal stands to its end. */
    void drive(Job job) {
        String id = job.record().id();
        synchronized (goingOn) {
            goingOn.add(id);
        }
        onThread(job, () -> {
            try {
                if (job.record().coordinator().equals(node.name())) {
                    node.ledger().record(VmAccount.admitted(node, job));
                }
                lifecycles.apply(job.record()).forward(job, job);
            } catch (RuntimeException e) {
                job.fail(reason(job, e));
            }
            settle(job);
        });
    }

    /** Takes a job back that another process left before its script ran. */
    void takeBack(Job job, VseException reason) {
        onThread(job, () -> {
            job.fail(reason);
            settle(job);
        });
    }

    /** Takes down a job that has failed or whose script has ended. */
    void finish(Job job) {
        onThread(job, () -> settle(job));
    }

    /** Takes down what could not be taken down before, the disk having been full for instance. */
    void finishStuck() {
        for (Job job : List.copyOf(stuck)) {
            if (!threads.containsKey(job.record().id())
                    && stuck.remove(job)
                    && !job.state().isFinal()) {
                finish(job);
            }
        }
    }

    /** Ends a job early, wherever it is. One whose taking down failed is taken down again. */
    void cancel(Job job) {
        String id = job.record().id();
        synchronized (goingOn) {
            Thread thread = threads.get(id);
            if (goingOn.contains(id) && thread != null) {
                job.cancel();
                thread.interrupt();
            } else if (thread == null && !job.state().isFinal() && job.outcome().isPresent()) {
                finish(job);
            } else if (thread == null && !job.state().isFinal()) {
                takeBack(job, cancelled(job));
            }
        }
    }

    /** Waits until no job is being driven. */
    void awaitIdle() throws InterruptedException {
        for (Thread thread : threads.values()) {
            thread.join();
        }
    }

    private void settle(Job job) {
        job.pauses().order().ifPresent(order -> {
            order.done()
                    .completeExceptionally(VseException.of(
                            ErrorCode.JOB_STATE,
                            "job '" + job.record().id() + "' ended before its machines were saved"));
            job.pauses().ordered();
        });
        boolean interrupted;
        synchronized (goingOn) {
            goingOn.remove(job.record().id());
            // Undoing must not be cut short by the interrupt that ended the way forward.
            interrupted = Thread.interrupted();
        }
        try {
            takeDown(job);
        } catch (RuntimeException e) {
            LOG.error(
                    "job {}: something may be left; it is undone again and again",
                    job.record().id(),
                    e);
            stuck.add(job);
            job.notice("taking the job down failed, it will be tried again: " + e.getMessage());
            job.feed().publish(EventFeed.LAST);
            return;
        }
        try {
            node.growth().remove(job.files().directory());
            whenOver.accept(job);
        } finally {
            job.feed().publish(EventFeed.LAST);
            job.close();
        }
        LOG.info(
                "job {} is over after {}: {}",
                job.record().id(),
                interrupted ? "a cancel" : "its course",
                job.failure().map(f -> f.code().name()).orElse("exit code " + exitCode(job)));
    }

    private void takeDown(Job job) {
        job.sayOutcome();
        JobLifecycle lifecycle = lifecycles.apply(job.record());
        try {
            lifecycle.back(job);
        } catch (RuntimeException e) {
            LOG.warn(
                    "job {}: taking it down failed and is tried once more",
                    job.record().id(),
                    e);
            lifecycle.back(job);
        }
        boolean goesOn = job.pauses().saved().isPresent() && job.failure().isEmpty();
        if (job.record().coordinator().equals(node.name()) && !goesOn) {
            node.ledger().record(VmAccount.settled(node, job));
        }
        // Nobody goes on with a job that has ended.
        if (isDone(job) && job.record().coordinator().equals(node.name())) {
            node.checkpoints().remove(SetName.of(node, job.record()));
            JobRecord.Resume from = job.record().resume();
            if (from != null) {
                node.checkpoints().remove(from.set());
            }
        }
        job.requireToldKept();
        job.journal().enter(end(job));
    }

    /** A batch system's cancel may be a requeue: then the job goes on from what there is. */
    private static boolean isDone(Job job) {
        return job.record().scheduler().equals(JobRecord.EMBEDDED)
                ? job.isCancelled() || job.outcome().isPresent()
                : !job.isCancelled() && job.outcome().isPresent();
    }

    private static JobState end(Job job) {
        if (job.failure().isPresent()) {
            return JobState.FAILED;
        }
        return job.pauses().saved().isPresent() ? JobState.CHECKPOINTED : JobState.SETTLED;
    }

    private static VseException reason(Job job, RuntimeException e) {
        if (job.isCancelled()) {
            return cancelled(job);
        }
        if (e instanceof VseException known) {
            return known;
        }
        LOG.error("job {} failed", job.record().id(), e);
        return VseException.of(ErrorCode.INTERNAL, "the job failed: " + e)
                .next("see the daemon's log and report it")
                .because(e);
    }

    private static String exitCode(Job job) {
        return job.outcome()
                .map(outcome -> Integer.toString(outcome.exitCode()))
                .orElse("unknown");
    }

    private static VseException cancelled(Job job) {
        return VseException.of(ErrorCode.JOB_CANCELLED, "job '" + job.record().id() + "' was cancelled")
                .fact("step", job.step());
    }

    private void onThread(Job job, Runnable work) {
        String id = job.record().id();
        Thread thread = new Thread(
                () -> {
                    try {
                        JobScope.in(job.record(), work);
                    } catch (RuntimeException e) {
                        LOG.error("job {} was left where it is; taken up again when the daemon starts", id, e);
                    } finally {
                        threads.remove(id, Thread.currentThread());
                    }
                },
                "job-" + id);
        threads.put(id, thread);
        thread.start();
    }
}

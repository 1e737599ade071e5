package org.vse.job.daemon;

import io.netty.handler.codec.http.HttpMethod;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.peer.PeerClient;
import org.vse.job.step.Node;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.scheduler.HeadQuestion;

/**
 * Ends the machines of jobs that begin on this node when it is cut off: when it has reached neither another node nor its
 * batch system for as long as a lease. Their batch system may by then be starting them again elsewhere. A batch system that is
 * merely down harms no job, as long as another node's host answers, with or without a daemon on it; a node that knows of no
 * other is never taken to be cut off. When no host answers at all, a job of one node is ended like any other: its batch
 * system cannot tell this node from a dead one, and starts the job elsewhere.
 */
final class Isolation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Isolation.class);
    private static final int LOOKS_IN_A_LEASE = 4;

    private final Node node;
    private final JobTable table;
    private final PeerClient client;
    private final Duration lease;
    private final List<String> headQuestion;
    private final Duration look;
    private final Contact contact;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "isolation");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * @param lease how long this node may reach nobody
     * @param headQuestion the site's own way to ask for the batch system; empty for the usual one
     */
    Isolation(Node node, JobTable table, PeerClient client, Duration lease, List<String> headQuestion) {
        this.node = node;
        this.table = table;
        this.client = client;
        this.lease = lease;
        this.headQuestion = headQuestion;
        this.look = lease.dividedBy(LOOKS_IN_A_LEASE);
        this.contact = new Contact(lease);
    }

    void watch() {
        var unused = clock.scheduleWithFixedDelay(this::look, look.toMillis(), look.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        try {
            List<Job> jobs = table.all().stream()
                    .filter(job -> !job.state().isFinal() && job.failure().isEmpty())
                    .filter(job -> !job.record().scheduler().equals(JobRecord.EMBEDDED))
                    .filter(job -> job.record().coordinator().equals(node.name()))
                    .toList();
            Set<String> others = new TreeSet<>(client.nodes().names());
            jobs.forEach(job -> others.addAll(job.record().nodes()));
            others.remove(node.name());
            if (jobs.isEmpty() || others.isEmpty()) {
                contact.forget();
                return;
            }
            boolean reached = anyNode(others)
                    || jobs.stream()
                            .map(job -> job.record().scheduler())
                            .distinct()
                            .anyMatch(this::head);
            if (contact.isLost(reached, System.nanoTime())) {
                jobs.forEach(job -> end(job, others));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.error("whether this node is cut off could not be found out; tried again", e);
        }
    }

    /** Who answers is there, whatever the answer; so is a host that says that nobody listens. */
    private boolean anyNode(Set<String> others) throws InterruptedException {
        List<CompletableFuture<Boolean>> answers = others.stream()
                .map(other -> client.call(other, HttpMethod.GET, "/v1/health", Map.of(), look)
                        .handle((health, failure) -> failure == null || PeerClient.isHostThere(failure)))
                .toList();
        for (CompletableFuture<Boolean> answer : answers) {
            try {
                if (answer.get()) {
                    return true;
                }
            } catch (ExecutionException e) {
                LOG.warn("asking another node failed", e);
            }
        }
        return false;
    }

    private boolean head(String scheduler) {
        return (headQuestion.isEmpty() ? HeadQuestion.of(scheduler) : Optional.of(HeadQuestion.asked(headQuestion)))
                .filter(this::isYes)
                .isPresent();
    }

    private boolean isYes(HeadQuestion question) {
        try {
            CommandResult answer =
                    node.commands().run(Command.of(question.argv()).withTimeout(look));
            return question.isYes(answer.exitCode(), answer.stdout());
        } catch (VseException e) {
            LOG.info("the batch system did not answer: {}", e.what());
            // Who cannot ask does not know, and ends nobody's machines.
            return e.code() == ErrorCode.COMMAND_MISSING;
        }
    }

    private void end(Job job, Set<String> others) {
        LOG.warn(
                "job {}: this node is cut off, its machines are ended",
                job.record().id());
        job.partFailed(VseException.of(ErrorCode.NODE_LOST, "node '" + node.name() + "' was cut off")
                .fact("reached nobody for", lease.toSeconds() + " s")
                .fact("asked", "the batch system; " + String.join(", ", others))
                .next("run the job again; see that the node's network is right"));
        node.growth().wake(job.files().directory());
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}

package org.vse.job.peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.handler.codec.http.HttpMethod;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.Progress;
import org.vse.job.step.MachinesHere;
import org.vse.job.step.SaveWord;
import org.vse.job.step.Sisters;
import org.vse.provisioner.guest.GuestSetup;

/**
 * Drives the parts of jobs on other nodes by calls to the daemons there. Each part is held by one call after the other, which
 * answers when there is news; a part that could not be held for as long as its lease is lost.
 */
public final class RemoteParts implements Sisters, AutoCloseable {
    /** How long a node keeps a call without news. */
    public static final Duration LISTEN = Duration.ofSeconds(4);

    private static final Logger LOG = LoggerFactory.getLogger(RemoteParts.class);
    /** An older attempt may have to be ended first. */
    private static final Duration ORDER = Duration.ofSeconds(60);

    /** More than a guest is given for it. */
    private static final Duration JOIN = Duration.ofSeconds(90);

    private static final Duration END = Duration.ofSeconds(60);
    /** Gigabytes on a slow disk. */
    private static final Duration SAVE = Duration.ofMinutes(30);

    private static final Duration AGAIN = Duration.ofSeconds(1);
    private static final long LOOK_MILLIS = 500;

    private final String here;
    private final PeerClient client;
    private final Duration lease;
    private final ObjectMapper json;
    private final GrowthWatch growth;
    private final Clock clock;
    private final Map<String, List<Watch>> watches = new ConcurrentHashMap<>();
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "parts");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * Speaks for a node.
     *
     * @param here name of this node
     * @param lease how long a part lives on its node without a word from here
     */
    public RemoteParts(
            String here, PeerClient client, Duration lease, ObjectMapper json, GrowthWatch growth, Clock clock) {
        this.here = here;
        this.client = client;
        this.lease = lease;
        this.json = json;
        this.growth = growth;
        this.clock = clock;
    }

    @Override
    public List<String> underlays(JobRecord record) {
        return others(record).stream().map(client.nodes()::underlay).toList();
    }

    @Override
    public void begin(Job job, GuestSetup.SshKey key) {
        PartOrder order = new PartOrder(
                PartOrder.PROTOCOL,
                job.record(),
                new PartOrder.Key(key.publicKey(), key.privateKey()),
                lease.toSeconds());
        everywhere(job, node -> client.call(node, HttpMethod.POST, "/v1/parts", order, ORDER))
                .ifPresent(failure -> {
                    throw failure;
                });
        hold(job);
    }

    @Override
    public void hold(Job job) {
        List<String> others = others(job.record());
        if (others.isEmpty()) {
            return;
        }
        watches.computeIfAbsent(job.record().tag(), tag -> {
            List<Watch> each = new ArrayList<>();
            for (String node : others) {
                Watch watch = new Watch(job, node);
                each.add(watch);
                watch.listen();
            }
            return List.copyOf(each);
        });
    }

    @Override
    public void awaitReady(Job job, Instant deadline, Progress progress) {
        boolean told = false;
        try {
            while (true) {
                long version = growth.version(job.files().directory());
                job.requireMachinesAlive();
                List<String> late = watches.getOrDefault(job.record().tag(), List.of()).stream()
                        .filter(watch -> !watch.ready)
                        .map(watch -> watch.node)
                        .toList();
                if (late.isEmpty()) {
                    return;
                }
                if (!told) {
                    progress.waiting("the machines on " + String.join(", ", late), deadline);
                    told = true;
                }
                if (clock.instant().isAfter(deadline)) {
                    throw VseException.of(ErrorCode.BOOT_TIMEOUT, "machines on other nodes are not ready in time")
                            .fact("nodes", String.join(", ", late))
                            .next("vse job show " + job.record().id() + " on one of these nodes");
                }
                growth.await(job.files().directory(), version, LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the wait for other nodes was interrupted")
                    .because(e);
        }
    }

    @Override
    public void join(Job job) {
        everywhere(job, node -> client.call(node, HttpMethod.POST, path(job) + "/join", Map.of(), JOIN))
                .ifPresent(failure -> {
                    throw failure;
                });
    }

    @Override
    public void end(Job job) {
        watches.getOrDefault(job.record().tag(), List.of()).forEach(watch -> watch.over = true);
        everywhere(
                        job,
                        node -> client.call(node, HttpMethod.DELETE, path(job), Map.of(), END)
                                .exceptionally(failure -> {
                                    job.notice("node " + node + " could not be told to end its machines: "
                                            + said(failure).what() + "; it ends them by itself within "
                                            + lease.toSeconds()
                                            + " s");
                                    return json.nullNode();
                                }))
                .ifPresent(failure ->
                        LOG.warn("job {}: ending its parts", job.record().id(), failure));
        watches.remove(job.record().tag());
    }

    @Override
    public List<MachinesHere.Sealed> say(Job job, SaveWord word, String set, int number) {
        List<MachinesHere.Sealed> sealed = Collections.synchronizedList(new ArrayList<>());
        PartSaving saying = new PartSaving(word, set, number);
        everywhere(
                        job,
                        node -> client.call(node, HttpMethod.POST, path(job) + "/saving", saying, SAVE)
                                .thenApply(answer -> {
                                    if (word == SaveWord.SEAL) {
                                        sealed.add(json.convertValue(answer, MachinesHere.Sealed.class));
                                    }
                                    return answer;
                                }))
                .ifPresent(failure -> {
                    throw failure;
                });
        return sealed;
    }

    private List<String> others(JobRecord record) {
        return record.nodes().stream().filter(node -> !node.equals(here)).toList();
    }

    private static String path(Job job) {
        return "/v1/parts/" + job.record().tag();
    }

    /** Calls every other node at once; the first failure, with the others in it, when all have answered. */
    private Optional<VseException> everywhere(Job job, Function<String, CompletableFuture<JsonNode>> call) {
        List<CompletableFuture<JsonNode>> calls =
                others(job.record()).stream().map(call).toList();
        VseException first = null;
        for (CompletableFuture<JsonNode> each : calls) {
            try {
                each.get();
            } catch (ExecutionException e) {
                VseException failure = said(e);
                if (first == null) {
                    first = failure;
                } else {
                    first.addSuppressed(failure);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the calls to other nodes were interrupted")
                        .because(e);
            }
        }
        return Optional.ofNullable(first);
    }

    private static VseException said(Throwable failure) {
        Throwable cause = (failure instanceof CompletionException || failure instanceof ExecutionException)
                        && failure.getCause() != null
                ? failure.getCause()
                : failure;
        return cause instanceof VseException known
                ? known
                : VseException.of(ErrorCode.INTERNAL, "a call to another node failed: " + cause)
                        .because(cause);
    }

    @Override
    public void close() {
        watches.values().forEach(each -> each.forEach(watch -> watch.over = true));
        later.shutdownNow();
    }

    /** One part, held by one call after the other. */
    private final class Watch {
        private final Job job;
        private final String node;
        private volatile boolean ready;
        private volatile boolean over;
        private volatile int next;
        private volatile long heard = System.nanoTime();

        Watch(Job job, String node) {
            this.job = job;
            this.node = node;
        }

        void listen() {
            var unused = client.call(
                            node,
                            HttpMethod.POST,
                            path(job) + "/lease",
                            Map.of("from", next),
                            LISTEN.plus(AGAIN).plus(AGAIN))
                    .whenComplete((news, failure) -> {
                        try {
                            if (over) {
                                return;
                            }
                            if (failure == null) {
                                take(json.convertValue(news, PartNews.class));
                            } else {
                                miss(said(failure));
                            }
                        } catch (RuntimeException e) {
                            fail(VseException.of(
                                            ErrorCode.INTERNAL, "node '" + node + "' said what cannot be understood")
                                    .fact("reason", e)
                                    .because(e));
                        }
                    });
        }

        private void take(PartNews news) {
            heard = System.nanoTime();
            next = news.next();
            for (JsonNode event : news.events()) {
                if (event.path("event").asText().equals("notice")) {
                    job.notice(node + ": " + event.path("text").asText());
                }
            }
            if (news.failure() != null) {
                fail(news.failure().toException().fact("node", node));
                return;
            }
            if (news.state().isFinal()) {
                fail(lost("has ended its part"));
                return;
            }
            if (news.isReady() && !ready) {
                ready = true;
                growth.wake(job.files().directory());
            }
            later.execute(this::listen);
        }

        /** The node did not answer, or refused: a part that it does not know is lost at once. */
        private void miss(VseException failure) {
            if (failure.code() != ErrorCode.PEER_UNREACHABLE) {
                fail(failure);
            } else if (System.nanoTime() - heard > lease.toNanos()) {
                fail(lost("has not answered for " + lease.toSeconds() + " s").because(failure));
            } else {
                LOG.info(
                        "job {}: node {} did not answer and is asked again",
                        job.record().id(),
                        node);
                var unused = later.schedule(this::listen, AGAIN.toMillis(), TimeUnit.MILLISECONDS);
            }
        }

        private VseException lost(String what) {
            return VseException.of(ErrorCode.NODE_LOST, "node '" + node + "' of the job " + what)
                    .next("run the job again; see the log of vsed on that node");
        }

        private void fail(VseException reason) {
            over = true;
            job.partFailed(reason);
            growth.wake(job.files().directory());
        }
    }
}

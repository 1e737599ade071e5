package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.step.Node;
import org.vse.job.step.VmAccount;
import org.vse.scheduler.AttemptId;
import org.vse.scheduler.BatchSystem;
import org.vse.scheduler.Dialect;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.JobFacts;
import org.vse.scheduler.Source;
import org.vse.scheduler.VirtualNode;

/**
 * Jobs of batch systems on this node, driven by their hooks.
 *
 * <p>A prologue brings the machines of one attempt up, however often it is called; a newer attempt ends an older one first. A
 * starter attaches to an attempt once; one that does not know its attempt, to the last that was prepared. After an epilogue
 * nothing of the attempt is left; it may be called at any time and any number of times.
 */
final class HookDesk {
    private static final Logger LOG = LoggerFactory.getLogger(HookDesk.class);
    private static final int ANYBODY = -1;
    private static final int MOST_KNOWN = 4096;
    private static final long LOOK_MILLIS = 500;

    /** What an image may take to get here, on top of what the steps themselves are given. */
    private static final Duration STAGING = Duration.ofMinutes(10);

    /** What a job waits for cores that its batch system has given on before they are free. */
    static final Duration FREEING = Duration.ofMinutes(2);

    /** What an epilogue waits for machines to go; the rest is the reaper's. */
    private static final Duration ENDING = Duration.ofSeconds(90);

    private final Node node;
    private final JobTable table;
    private final LocalDesk desk;
    private final CurrentPolicy policy;
    private final HostUsers users;
    private final Function<Source, String> sources;
    private final Duration freeing;
    private final Map<String, Known> known = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Known> eldest) {
            return size() > MOST_KNOWN;
        }
    };

    /**
     * @param sources reads what stands at a source
     * @param freeing what a job waits for cores that other jobs have; {@link #FREEING} unless a test says otherwise
     */
    HookDesk(
            Node node,
            JobTable table,
            LocalDesk desk,
            CurrentPolicy policy,
            HostUsers users,
            Function<Source, String> sources,
            Duration freeing) {
        this.sources = sources;
        this.freeing = freeing;
        this.node = node;
        this.table = table;
        this.desk = desk;
        this.policy = policy;
        this.users = users;
    }

    /**
     * What a prologue has found.
     *
     * @param uid whose job it is; ANYBODY when the batch system could not be asked, then there is a refusal
     * @param spooledSha256 digest of the script that the starter has to come with
     * @param refusal why nothing was started; null when something was
     */
    private record Known(
            int attempt,
            int uid,
            String spooledSha256,
            @Nullable VseException refusal) {
        boolean isOf(int caller) {
            return uid == caller || uid == ANYBODY;
        }
    }

    /**
     * Returns when the machines of the job are up, on all its nodes, and wait for its starter. On a node that is not the
     * job's first it returns at once: the first node's daemon brings up what is needed here.
     *
     * @return empty on a node that is not the job's first
     * @throws VseException why they are not; every later call for the same attempt throws it again
     */
    Optional<Job> prologue(BatchSystem system, HookCall call) {
        Dialect dialect = system.dialect();
        HookCall reduced = call.reduced(dialect);
        JobFacts facts = facts(dialect, reduced);
        if (isSister(facts)) {
            return Optional.empty();
        }
        Job job = taken(system, facts);
        awaitReady(job);
        return Optional.of(job);
    }

    /** The job has cores here, but begins on another node. */
    private boolean isSister(JobFacts facts) {
        return !facts.nodes().get(0).node().equals(node.name())
                && facts.nodes().stream().anyMatch(share -> share.node().equals(node.name()));
    }

    private JobFacts facts(Dialect dialect, HookCall call) {
        AttemptId id = dialect.attempt(call);
        try {
            return dialect.facts(call, contents(dialect.sources(call)));
        } catch (VseException e) {
            synchronized (this) {
                known.putIfAbsent(id.job(), new Known(id.attempt().orElse(1), ANYBODY, "", e));
            }
            throw e;
        }
    }

    /** Looks at users, images and directories before anything is locked: a file system that hangs stops one job only. */
    private Job taken(BatchSystem system, JobFacts facts) {
        synchronized (this) {
            requireNotRefused(facts);
            Optional<Job> there = find(system, facts.job());
            if (there.isPresent() && there.get().record().attempt() == facts.attempt()) {
                return there.get();
            }
        }
        JobFacts.NodeShare share;
        Admission admission;
        try {
            share = share(facts);
            JobRecord.User user = users.find(Integer.toString(facts.owner().uid()));
            UserTexts descriptions = new UserTexts(node.commands(), user, facts.job());
            admission = Admission.of(facts, share, user, policy.get(), node.images(), descriptions);
        } catch (VseException e) {
            throw refused(facts, VmAccount.refused(node, system.dialect().word(), facts, e));
        }
        Instant free = node.clock().instant().plus(freeing);
        while (true) {
            long ended = desk.ended();
            Optional<Job> older;
            synchronized (this) {
                older = find(system, facts.job()).filter(there -> !isOver(there, facts));
                if (older.isEmpty()) {
                    boolean mayWait = node.clock().instant().isBefore(free);
                    Optional<Job> taken = take(system, facts, share, admission, mayWait);
                    if (taken.isPresent()) {
                        return taken.get();
                    }
                } else if (older.get().record().attempt() == facts.attempt()) {
                    return older.get();
                }
            }
            if (older.isPresent()) {
                makeWay(older.get(), facts);
            } else {
                awaitCores(ended, free);
            }
        }
    }

    private void makeWay(Job older, JobFacts facts) {
        if (older.record().attempt() > facts.attempt()) {
            throw VseException.of(ErrorCode.JOB_STATE, "a newer attempt of job '" + facts.job() + "' is here")
                    .fact("here", older.record().attempt())
                    .fact("called for", facts.attempt());
        }
        LOG.info(
                "job {}: attempt {} makes way for attempt {}",
                facts.job(),
                older.record().attempt(),
                facts.attempt());
        if (!end(older)) {
            throw VseException.of(ErrorCode.DAEMON_BUSY, "an older attempt of job '" + facts.job() + "' is still here")
                    .fact("attempt", older.record().attempt())
                    .next("vse job show " + facts.job());
        }
    }

    private void requireNotRefused(JobFacts facts) {
        Known before = known.get(facts.job());
        if (before != null
                && before.attempt() == facts.attempt()
                && before.uid() != ANYBODY
                && before.refusal() != null) {
            throw before.refusal();
        }
    }

    private synchronized VseException refused(JobFacts facts, VseException why) {
        known.put(facts.job(), new Known(facts.attempt(), facts.owner().uid(), digest(facts), why));
        return why;
    }

    private static String digest(JobFacts facts) {
        return facts.script().map(JobFacts.Script::spooledSha256).orElse("");
    }

    private static boolean isOver(Job job, JobFacts facts) {
        return job.state().isFinal() && job.record().attempt() < facts.attempt();
    }

    private void awaitCores(long ended, Instant until) {
        try {
            desk.awaitEnded(ended, Duration.between(node.clock().instant(), until));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the daemon is ending")
                    .because(e);
        }
    }

    /** Empty when others have the node's cores and this job may wait for them. */
    private Optional<Job> take(
            BatchSystem system, JobFacts facts, JobFacts.NodeShare share, Admission admission, boolean mayWait) {
        try {
            Admission.Identity identity =
                    new Admission.Identity(system.dialect().word(), facts.job(), facts.attempt());
            Job job = desk.begin(admission, identity, share.cores());
            known.put(facts.job(), new Known(facts.attempt(), facts.owner().uid(), digest(facts), null));
            return Optional.of(job);
        } catch (VseException e) {
            if (mayWait && e.code() == ErrorCode.DAEMON_BUSY) {
                return Optional.empty();
            }
            throw refused(facts, VmAccount.refused(node, system.dialect().word(), facts, e));
        }
    }

    private JobFacts.NodeShare share(JobFacts facts) {
        List<String> names =
                facts.nodes().stream().map(JobFacts.NodeShare::node).distinct().toList();
        return facts.nodes().stream()
                .filter(share -> share.node().equals(node.name()))
                .findFirst()
                .orElseThrow(() -> VseException.of(
                                ErrorCode.CONFIG_INVALID,
                                "job '" + facts.job() + "' has no cores on node '" + node.name() + "'")
                        .fact("nodes of the job", names)
                        .next("set 'node' in vsed.yaml to what the batch system calls this node"));
    }

    private void awaitReady(Job job) {
        Instant deadline = node.clock()
                .instant()
                .plus(STAGING)
                .plus(node.timeouts().boot())
                .plus(node.timeouts().setup());
        int next = 0;
        while (!isReady(job)) {
            if (node.clock().instant().isAfter(deadline)) {
                throw VseException.of(ErrorCode.BOOT_TIMEOUT, "the machines of the job are not ready in time")
                        .fact("step", job.step())
                        .next("vse job show " + job.record().id());
            }
            next += news(job, next);
        }
    }

    private static boolean isReady(Job job) {
        job.failure().ifPresent(failure -> {
            throw failure;
        });
        return job.state().compareTo(JobState.READY) >= 0;
    }

    private static int news(Job job, int next) {
        try {
            return job.feed().from(next, LOOK_MILLIS).size();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the daemon is ending")
                    .because(e);
        }
    }

    /**
     * The starter of a job has come.
     *
     * @param uid who calls
     * @param launch what it came with; its environment is the script's
     * @param spooledSha256 digest of the script that it was given to start
     */
    Job starter(BatchSystem system, HookCall call, int uid, Submission launch, String spooledSha256) {
        Dialect dialect = system.dialect();
        AttemptId id = dialect.attempt(call);
        Known admitted;
        synchronized (this) {
            admitted = known.get(id.job());
        }
        if (admitted == null || !admitted.isOf(uid) || id.attempt().orElse(admitted.attempt()) != admitted.attempt()) {
            throw notPrepared(id);
        }
        if (admitted.refusal() != null) {
            throw admitted.refusal();
        }
        Job job = find(system, id.job())
                .filter(found -> found.record().attempt() == admitted.attempt())
                .orElseThrow(() -> notPrepared(id));
        job.failure().ifPresent(failure -> {
            throw failure;
        });
        if (!spooledSha256.equals(admitted.spooledSha256())) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "the script is not the one that was admitted")
                    .fact("admitted", admitted.spooledSha256())
                    .fact("found", spooledSha256);
        }
        List<VirtualNode> machines = job.record().machines().stream()
                .map(machine -> new VirtualNode(machine.name(), machine.vcpus()))
                .toList();
        boolean first = job.attach(dialect.environment(launch.environment(), machines), launch.args(), launch.cwd());
        if (!first) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + id.job() + "' has been started already");
        }
        return job;
    }

    /** How far the output of the job's earlier attempts had come, as its starter said. */
    Optional<JsonNode> outputPoint(Job job) {
        return OutputPoints.of(node, job);
    }

    private static VseException notPrepared(AttemptId id) {
        return VseException.of(
                        ErrorCode.JOB_UNKNOWN, "no machines were prepared for job '" + id.job() + "' on this node")
                .fact("reason", "its prologue did not reach vsed, or vsed was started anew since then")
                .next("submit the job again; if it stays so, tell the site: vse doctor");
    }

    /**
     * What an epilogue leaves.
     *
     * @param whole nothing of the job; false when something is still being undone
     * @param saved whether the attempt stopped with its machines saved
     */
    record Ended(boolean whole, boolean saved) {}

    Ended epilogue(BatchSystem system, HookCall call) {
        AttemptId id = system.dialect().attempt(call.reduced(system.dialect()));
        synchronized (this) {
            Known there = known.get(id.job());
            if (there != null && there.attempt() <= id.attempt().orElse(there.attempt())) {
                known.remove(id.job());
            }
        }
        Optional<Job> here = find(system, id.job())
                .filter(job -> job.record().attempt()
                        <= id.attempt().orElse(job.record().attempt()));
        boolean whole = here.map(this::end).orElse(true);
        boolean saved = here.filter(job -> job.record().attempt()
                        == id.attempt().orElse(job.record().attempt()))
                .filter(job -> job.state() == JobState.CHECKPOINTED)
                .isPresent();
        return new Ended(whole, saved);
    }

    private boolean end(Job job) {
        Instant deadline = node.clock().instant().plus(ENDING);
        if (!job.state().isFinal() && job.outcome().isEmpty() && job.failure().isEmpty()) {
            desk.cancel(job.record().id());
        }
        int next = 0;
        while (!job.feed().isEnded()) {
            if (node.clock().instant().isAfter(deadline)) {
                return false;
            }
            next += news(job, next);
        }
        return job.state().isFinal();
    }

    /** Pauses or resumes every machine of a running job. */
    Job machines(BatchSystem system, HookCall call, Peer peer, boolean run) {
        AttemptId id = system.dialect().attempt(call);
        Job job = find(system, id.job())
                .filter(found -> peer.mayTouch(found.record().user().uid()))
                .orElseThrow(() -> VseException.of(ErrorCode.JOB_UNKNOWN, "there is no job '" + id.job() + "'"));
        Suspension.change(node, job, run, system.dialect().suspensionIsFree());
        return job;
    }

    private Optional<Job> find(BatchSystem system, String id) {
        return table.find(id)
                .filter(job -> job.record().scheduler().equals(system.dialect().word()));
    }

    private Map<Source, String> contents(List<Source> wanted) {
        Map<Source, String> contents = new HashMap<>();
        wanted.forEach(source -> contents.put(source, sources.apply(source)));
        return contents;
    }
}

package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.peer.PartOrder;
import org.vse.job.peer.PartSaving;
import org.vse.job.step.MachinesHere;
import org.vse.job.step.NfsServer;
import org.vse.job.step.Node;
import org.vse.job.step.PartLeases;
import org.vse.job.step.SaveWord;
import org.vse.job.step.SetName;
import org.vse.policy.Share;

/** The parts that this node has of jobs whose first node is another: brought up, held and ended at that node's word. */
final class Parts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Parts.class);
    private static final Pattern TAG = Pattern.compile("[0-9a-f]{12}");
    private static final long LEASE_LOOK_MILLIS = 1000;
    private static final long END_MILLIS = 50_000;

    private final Node node;
    private final ObjectMapper json;
    private final JobTable table;
    private final LocalDesk desk;
    private final PartLeases leases;
    private final HostUsers users;
    /** Parts whose machines are being saved, by tag. */
    private final Map<String, MachinesHere> saving = new ConcurrentHashMap<>();

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "leases");
        thread.setDaemon(true);
        return thread;
    });

    Parts(Node node, ObjectMapper json, JobTable table, LocalDesk desk, PartLeases leases, HostUsers users) {
        this.users = users;
        this.node = node;
        this.json = json;
        this.table = table;
        this.desk = desk;
        this.leases = leases;
    }

    /** Begins to look for parts that nobody holds. */
    void watch() {
        var unused = clock.scheduleWithFixedDelay(
                this::endWhatNobodyHolds, LEASE_LOOK_MILLIS, LEASE_LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * Begins a part; one that is there already goes on. An older attempt of the same job is ended first.
     *
     * @param from the node that orders
     * @throws VseException NOT_PERMITTED when that is not the job's first node, JOB_STATE when a newer attempt is here,
     *     DAEMON_BUSY when the cores or the memory are not free
     */
    void begin(PartOrder order, String from) throws InterruptedException {
        JobRecord record = order.job();
        List<JobRecord.Machine> here = record.machinesOn(node.name());
        requireFirst(record, from);
        if (here.isEmpty() || !TAG.matcher(record.tag()).matches()) {
            throw VseException.of(ErrorCode.USAGE, "the job has no machine on node '" + node.name() + "'");
        }
        requireOwn(record);
        endOlder(record);
        synchronized (this) {
            Optional<Job> there = find(record.tag());
            if (there.isPresent()) {
                leases.renew(there.get());
                return;
            }
            Job job = desk.begin(record, this::admit);
            leases.begin(job, order.key().toKey(), Duration.ofSeconds(Math.max(1, order.leaseSeconds())));
            desk.runner().drive(job);
        }
    }

    /** What a node orders is checked like what a user asks for: its user is this node's, and root's files are no share. */
    private void requireOwn(JobRecord record) {
        if (record.scheduler().equals(JobRecord.EMBEDDED)) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "the embedded scheduler's jobs have no parts");
        }
        if (record.share() == Share.NONE) {
            return;
        }
        JobRecord.User here = users.find(Integer.toString(record.user().uid()));
        if (here.uid() == 0
                || !here.name().equals(record.user().name())
                || here.gid() != record.user().gid()) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "the job's user is another on node '" + node.name() + "'")
                    .fact(
                            "job",
                            record.user().name() + " " + record.user().uid() + ":"
                                    + record.user().gid())
                    .fact("here", here.name() + " " + here.uid() + ":" + here.gid())
                    .next("give users the same numbers on all nodes, or write share=none");
        }
    }

    private Job admit(JobRecord record, JobFiles files) {
        EventFeed feed = EventFeed.open(files.events(), json);
        feed.publish(feed.event("accepted").put("job", record.id()));
        Job job = Job.admit(record, files, feed, Map.of(), json, node.clock());
        node.growth().add(files.directory());
        table.add(job);
        return job;
    }

    private void endOlder(JobRecord record) throws InterruptedException {
        for (Job job : table.all()) {
            JobRecord other = job.record();
            boolean same =
                    other.scheduler().equals(record.scheduler()) && other.id().equals(record.id());
            if (!same || job.state().isFinal() || other.tag().equals(record.tag())) {
                continue;
            }
            if (other.attempt() >= record.attempt()) {
                throw VseException.of(ErrorCode.JOB_STATE, "a newer attempt of job '" + record.id() + "' is here")
                        .fact("asked", record.attempt())
                        .fact("here", other.attempt());
            }
            LOG.warn("job {}: attempt {} is ended for attempt {}", other.id(), other.attempt(), record.attempt());
            desk.runner().cancel(job);
            awaitOver(job);
        }
    }

    /** The first node has spoken; the part that it holds by that. */
    Job renew(String tag, String from) {
        Job part = find(tag).orElseThrow(() -> unknown(tag));
        requireFirst(part.record(), from);
        leases.renew(part);
        return part;
    }

    /**
     * The workers here mount what the job's head serves.
     *
     * @throws VseException NOT_PERMITTED when that is not the job's first node, PLUG_IN_FAILED with what a worker said
     */
    void join(String tag, String from) {
        Job part = find(tag).orElseThrow(() -> unknown(tag));
        requireFirst(part.record(), from);
        leases.renew(part);
        new NfsServer(node).join(part);
    }

    /**
     * Does one thing of a saving.
     *
     * @return the part's files, for the word that seals them
     * @throws VseException NOT_PERMITTED when that is not the job's first node, or the set another job's
     */
    Optional<MachinesHere.Sealed> saving(String tag, PartSaving said, String from) {
        Job part = find(tag).orElseThrow(() -> unknown(tag));
        requireFirst(part.record(), from);
        leases.renew(part);
        String set = SetName.of(node, part.record());
        JobRecord.Resume resume = part.record().resume();
        boolean ofThisJob =
                said.set().equals(set) || (resume != null && said.set().equals(resume.set()));
        if (!ofThisJob) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "that is not a checkpoint of the job")
                    .fact("set", said.set());
        }
        Optional<MachinesHere.Sealed> files = saving.computeIfAbsent(tag, unused -> new MachinesHere(node, part))
                .say(said.word(), said.set(), said.number());
        if (said.word() == SaveWord.WAKE || said.word() == SaveWord.BEGIN) {
            saving.remove(tag);
        }
        return files;
    }

    /** Ends a part and returns when nothing of it is left. A part that is not there is no error. */
    void end(String tag, String from) throws InterruptedException {
        Optional<Job> part = find(tag);
        if (part.isPresent()) {
            requireFirst(part.get().record(), from);
            saving.remove(tag);
            leases.release(part.get());
            if (part.get().state() != JobState.RUNNING) {
                desk.runner().cancel(part.get());
            }
            awaitOver(part.get());
        }
    }

    private void awaitOver(Job job) throws InterruptedException {
        long end = System.nanoTime() + END_MILLIS * 1_000_000;
        int seen = 0;
        while (!job.feed().isEnded()) {
            seen += job.feed().from(seen, 1000).size();
            if (System.nanoTime() > end) {
                throw VseException.of(
                                ErrorCode.NODE_LOST,
                                "job '" + job.record().id() + "' does not end on node '" + node.name() + "'")
                        .next("see the log of vsed on that node");
            }
        }
        if (!job.state().isFinal()) {
            throw VseException.of(
                            ErrorCode.NODE_LOST,
                            "something of job '" + job.record().id() + "' is left on node '" + node.name() + "'")
                    .next("it is tried again; see the log of vsed on that node");
        }
    }

    private void endWhatNobodyHolds() {
        try {
            for (Job job : table.all()) {
                if (isPart(job) && !job.state().isFinal() && job.failure().isEmpty() && leases.isOver(job)) {
                    String first = job.record().coordinator();
                    LOG.warn(
                            "job {}: its part is ended, node {} holds it no more",
                            job.record().id(),
                            first);
                    job.fail(VseException.of(
                                    ErrorCode.NODE_LOST,
                                    "node '" + first + "' has not held its part on node '" + node.name() + "'")
                            .fact("lease", leases.length().toSeconds() + " s")
                            .next("see that the two nodes reach each other"));
                    desk.runner().cancel(job);
                }
            }
        } catch (RuntimeException e) {
            LOG.error("the leases could not be looked at; tried again", e);
        }
    }

    /** True for a part of a job whose first node is another. */
    boolean isPart(Job job) {
        return !job.record().coordinator().equals(node.name());
    }

    private Optional<Job> find(String tag) {
        return table.all().stream()
                .filter(this::isPart)
                .filter(job -> job.record().tag().equals(tag))
                .findFirst();
    }

    private static void requireFirst(JobRecord record, String from) {
        if (!record.coordinator().equals(from)) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "only the first node of a job may order its parts")
                    .fact("first node", record.coordinator())
                    .fact("caller", from);
        }
    }

    private VseException unknown(String tag) {
        return VseException.of(ErrorCode.NODE_LOST, "node '" + node.name() + "' has no such part")
                .fact("tag", tag)
                .next("run the job again");
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}

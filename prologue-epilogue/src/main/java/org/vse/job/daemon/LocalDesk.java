package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.Standing;
import org.vse.job.lifecycle.EventFeed;
import org.vse.job.lifecycle.FailureText;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.step.Node;
import org.vse.policy.Share;
import org.vse.scheduler.SpooledText;
import org.vse.scheduler.local.Asked;
import org.vse.scheduler.local.CoreLease;
import org.vse.scheduler.local.LocalScheduler;
import org.vse.scheduler.local.Waiting;

/** The local scheduler's desk: takes jobs in, lets them wait for cores, hands them to the runner, takes the cores back. */
final class LocalDesk {
    private final Node node;
    private final VsedConfig config;
    private final ObjectMapper json;
    private final JobTable table;
    private final JobCounter counter;
    private final LocalScheduler scheduler;
    private final JobRunner runner;
    private final Resumptions resumptions;
    private final Map<String, Pending> pending = new LinkedHashMap<>();
    private long ended;

    LocalDesk(Node node, VsedConfig config, ObjectMapper json, JobTable table, Starter starter, List<CoreLease> held) {
        this.node = node;
        this.config = config;
        this.json = json;
        this.table = table;
        this.counter = new JobCounter(config.state().resolve("local.next"));
        this.scheduler = new LocalScheduler(config.memories(), config.sharers(), config.memory(), held);
        this.runner = starter.runner(this::over);
        this.resumptions = new Resumptions(node);
    }

    /** How many jobs have given their cores back. */
    synchronized long ended() {
        return ended;
    }

    /** Waits until more jobs have given their cores back than {@code before}, or for so long. */
    synchronized void awaitEnded(long before, Duration atMost) throws InterruptedException {
        long until = System.nanoTime() + atMost.toNanos();
        long left = atMost.toNanos();
        while (ended <= before && left > 0) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            left = until - System.nanoTime();
        }
    }

    /** Makes the runner that tells this desk when a job is over. */
    @FunctionalInterface
    interface Starter {
        JobRunner runner(java.util.function.Consumer<Job> whenOver);
    }

    /**
     * A job that has no cores yet.
     *
     * @param said what its user was last told that it waits for
     */
    record Pending(String id, Admission admission, JobFiles files, EventFeed feed, Instant since, String said) {}

    Standing standing() {
        return config.standing();
    }

    JobRunner runner() {
        return runner;
    }

    /**
     * A job that was taken in; its feed is there even when the job is over already.
     *
     * @param feed what its user is told
     */
    record Accepted(String id, EventFeed feed) {}

    /**
     * Takes a job in.
     *
     * @throws VseException JOB_TOO_LARGE when this node never has the cores or the memory, NOT_PERMITTED when its cores are
     *     not shared
     */
    synchronized Accepted accept(Admission admission) {
        Asked asked = new Asked(
                admission.demand().cores(),
                admission.memory(config.limits()),
                admission.description().oversubscribe());
        scheduler.requireFit(asked);
        admission.requireSharing(config.sharers());
        String id = "local-" + counter.next();
        JobFiles files = JobFiles.of(
                config.state(), config.run(), Admission.Identity.local(id).tag(node.owner()));
        makeDirectory(files.directory());
        EventFeed feed;
        try {
            writeScript(files.script(), admission);
            feed = EventFeed.open(files.events(), json);
        } catch (VseException e) {
            JobDirectories.delete(files);
            throw e;
        }
        feed.publish(feed.event("accepted").put("job", id));
        admission.notices().forEach(notice -> feed.publish(feed.event("notice").put("text", notice)));
        scheduler.submit(id, asked);
        pending.put(id, new Pending(id, admission, files, feed, node.clock().instant(), ""));
        startWhatFits();
        return new Accepted(id, feed);
    }

    /**
     * Takes in a job that a batch system starts now, and drives it. It waits for nothing: its cores are those that the batch
     * system names, else free ones.
     *
     * @param named numbers of its cores; none where the batch system only counts
     * @throws VseException DAEMON_BUSY when jobs that the batch system does not know have the cores or the memory
     */
    synchronized Job begin(Admission admission, Admission.Identity identity, List<Integer> named) {
        Asked asked = new Asked(
                admission.demand().cores(),
                admission.memory(config.limits()),
                admission.description().oversubscribe());
        admission.requireSharing(config.sharers());
        boolean known = !named.isEmpty() && config.cores().containsAll(named);
        CoreLease lease = scheduler.begin(identity.id(), asked, known ? named : List.of());
        JobFiles files = JobFiles.of(config.state(), config.run(), identity.tag(node.owner()));
        try {
            makeDirectory(files.directory());
            writeScript(files.script(), admission);
            EventFeed feed = EventFeed.open(files.events(), json);
            feed.publish(feed.event("accepted").put("job", identity.id()));
            admission
                    .notices()
                    .forEach(notice -> feed.publish(feed.event("notice").put("text", notice)));
            JobRecord record = resumptions.of(admission.record(
                    node.owner(),
                    node.name(),
                    identity,
                    lease,
                    uidOf(admission),
                    gidOf(admission),
                    node.clock().instant()));
            Job job = Job.admit(record, files, feed, Map.of(), json, node.clock());
            node.growth().add(files.directory());
            table.add(job);
            runner.drive(job);
            return job;
        } catch (RuntimeException e) {
            scheduler.finished(identity.id());
            JobDirectories.delete(files);
            throw e;
        }
    }

    /**
     * Gives this node's part of another node's job what it needs here: cores, memory, a uid, a directory. It waits for
     * nothing.
     *
     * @param admit makes the job from its record on this node
     * @throws VseException DAEMON_BUSY when the cores or the memory are not free
     */
    synchronized Job begin(JobRecord part, BiFunction<JobRecord, JobFiles, Job> admit) {
        List<JobRecord.Machine> here = part.machinesOn(node.name());
        int count = here.stream().mapToInt(JobRecord.Machine::vcpus).sum();
        List<Integer> named = here.stream()
                .flatMap(machine -> machine.cores().stream())
                .distinct()
                .toList();
        long memory = config.limits().memory(here.size(), here.get(0).memoryBytes(), part.share() == Share.NFS);
        CoreLease lease = scheduler.begin(
                part.id(),
                new Asked(count, memory, part.sharesCores()),
                named.size() == count && config.cores().containsAll(named) ? named : List.of());
        JobFiles files = JobFiles.of(config.state(), config.run(), part.tag());
        try {
            makeDirectory(files.directory());
            boolean asUser = part.share() == Share.P9;
            return admit.apply(
                    part.as(
                            onCores(part, lease.cores()),
                            asUser ? part.user().uid() : freeUid(),
                            asUser ? part.user().gid() : config.qemuGid()),
                    files);
        } catch (RuntimeException e) {
            scheduler.finished(part.id());
            JobDirectories.delete(files);
            throw e;
        }
    }

    private List<JobRecord.Machine> onCores(JobRecord part, List<Integer> cores) {
        List<JobRecord.Machine> machines = new ArrayList<>();
        int next = 0;
        for (JobRecord.Machine machine : part.machines()) {
            if (machine.node().equals(node.name())) {
                machines.add(machine.on(cores.subList(next, next + machine.vcpus())));
                next += machine.vcpus();
            } else {
                machines.add(machine);
            }
        }
        return machines;
    }

    /** A job that waits for cores. */
    synchronized Optional<Pending> pending(String id) {
        return Optional.ofNullable(pending.get(id));
    }

    /** All jobs that wait for cores, the next one first. */
    synchronized List<Pending> pending() {
        return List.copyOf(pending.values());
    }

    /** Ends a job, wherever it is. An ended job is no error. */
    synchronized void cancel(String id) {
        Pending waiting = pending.remove(id);
        if (waiting == null) {
            table.find(id).filter(job -> !job.state().isFinal()).ifPresent(runner::cancel);
            return;
        }
        scheduler.cancel(id);
        VseException reason =
                VseException.of(ErrorCode.JOB_CANCELLED, "job '" + id + "' was cancelled while it waited");
        var event = waiting.feed().event("failed");
        event.set("failure", json.valueToTree(FailureText.of(reason)));
        waiting.feed().publish(event);
        waiting.feed().publish(EventFeed.LAST);
        JobDirectories.delete(waiting.files());
        startWhatFits();
    }

    private synchronized void over(Job job) {
        scheduler.finished(job.record().id());
        ended++;
        notifyAll();
        startWhatFits();
    }

    private void startWhatFits() {
        for (CoreLease lease : scheduler.start()) {
            Pending next = pending.remove(lease.job());
            if (next != null) {
                start(next, lease);
            }
        }
        for (Pending each : List.copyOf(pending.values())) {
            Optional<Waiting> why = scheduler.waiting(each.id());
            String text = why.map(Object::toString).orElse("");
            if (!text.equals(each.said())) {
                each.feed()
                        .publish(each.feed()
                                .event("waiting")
                                .put("step", "queue")
                                .put(
                                        "for",
                                        why.map(waiting -> waiting.taken().resource())
                                                        .orElse("") + ": " + text));
                pending.put(
                        each.id(),
                        new Pending(each.id(), each.admission(), each.files(), each.feed(), each.since(), text));
            }
        }
    }

    private void start(Pending next, CoreLease lease) {
        try {
            JobRecord record = resumptions.of(next.admission()
                    .record(
                            node.owner(),
                            node.name(),
                            Admission.Identity.local(next.id()),
                            lease,
                            uidOf(next.admission()),
                            gidOf(next.admission()),
                            next.since()));
            Job job = Job.admit(
                    record, next.files(), next.feed(), next.admission().environment(), json, node.clock());
            node.growth().add(next.files().directory());
            table.add(job);
            runner.drive(job);
        } catch (VseException e) {
            scheduler.finished(next.id());
            var event = next.feed().event("failed");
            event.set("failure", json.valueToTree(FailureText.of(e)));
            next.feed().publish(event);
            next.feed().publish(EventFeed.LAST);
            JobDirectories.delete(next.files());
        }
    }

    private int uidOf(Admission admission) {
        return config.standing() == Standing.ORDINARY ? admission.user().uid() : freeUid();
    }

    private int gidOf(Admission admission) {
        return config.standing() == Standing.ORDINARY ? admission.user().gid() : config.qemuGid();
    }

    /** The lowest uid of the pool that no living job has. */
    private int freeUid() {
        Set<Integer> used = table.all().stream()
                .filter(job -> !job.state().isFinal())
                .map(job -> job.record().qemuUid())
                .collect(Collectors.toSet());
        for (int uid = config.firstQemuUid(); uid < config.firstQemuUid() + config.qemuUids(); uid++) {
            if (!used.contains(uid)) {
                return uid;
            }
        }
        throw VseException.of(ErrorCode.UIDS_BUSY, "every uid for machines is in use")
                .fact("uids", config.qemuUids())
                .next("raise qemu-uids in vsed.yaml");
    }

    private static void makeDirectory(Path directory) {
        try {
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
        } catch (IOException e) {
            throw VseException.storage("the job's directory cannot be made", directory, e);
        }
    }

    private static void writeScript(Path file, Admission admission) {
        Submission.Script script = admission.submission().script();
        if (script == null) {
            return;
        }
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.write(file, SpooledText.encode(script.text()));
        } catch (IOException e) {
            throw VseException.storage("the job's script cannot be kept", file, e);
        }
    }

    VsedConfig config() {
        return config;
    }

    /** The cores that jobs hold. */
    synchronized List<CoreLease> leases() {
        return scheduler.leases();
    }

    /** Ids of the jobs that hold or wait for cores, for messages. */
    synchronized List<String> active() {
        List<String> ids = new ArrayList<>(pending.keySet());
        scheduler.leases().forEach(lease -> ids.add(lease.job()));
        return ids;
    }
}

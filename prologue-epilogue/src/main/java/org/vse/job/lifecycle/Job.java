package org.vse.job.lifecycle;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec.Accelerator;

/** One attempt of one job on this node: its record, its files and where it stands. */
public final class Job implements Progress, AutoCloseable {
    private final JobRecord record;
    private final JobFiles files;
    private final Journal journal;
    private final EventFeed feed;
    private final ObjectMapper json;
    private final Map<VmName, String> endedMachines = new ConcurrentHashMap<>();
    private final Map<VmName, Long> exceededMachines = new ConcurrentHashMap<>();
    private volatile String step = "admit";
    private volatile @Nullable Waiting waiting;
    private volatile @Nullable VseException failure;
    private volatile @Nullable Outcome outcome;
    private volatile boolean cancelled;
    private volatile @Nullable VseException partFailure;
    private final Pauses pauses;
    private final CountDownLatch terminal = new CountDownLatch(1);
    private final CountDownLatch starter = new CountDownLatch(1);

    private Job(JobRecord record, JobFiles files, Journal journal, EventFeed feed, ObjectMapper json) {
        this.record = record;
        this.files = files;
        this.journal = journal;
        this.feed = feed;
        this.json = json;
        this.pauses = new Pauses(record, files, json);
    }

    /** Writes the record of a newly admitted job and enters ADMITTED; the directory exists. */
    public static Job admit(
            JobRecord record,
            JobFiles files,
            EventFeed feed,
            Map<String, String> environment,
            ObjectMapper json,
            Clock clock) {
        DurableFile.write(files.environment(), json, environment);
        DurableFile.write(files.record(), json, record);
        Job job = new Job(record, files, Journal.open(files.journal(), json, clock), feed, json);
        job.journal.enter(JobState.ADMITTED);
        return job;
    }

    /** Opens a job that another process admitted; empty when that process died before the job had a record. */
    public static Optional<Job> open(JobFiles files, ObjectMapper json, Clock clock) {
        if (!Files.exists(files.record())) {
            return Optional.empty();
        }
        JobRecord record = DurableFile.read(files.record(), json, JobRecord.class);
        Job job = new Job(
                record, files, Journal.open(files.journal(), json, clock), EventFeed.open(files.events(), json), json);
        job.failure = job.feed
                .first("failed")
                .map(event -> json.convertValue(event.path("failure"), FailureText.class)
                        .toException())
                .orElse(null);
        return Optional.of(job);
    }

    public JobRecord record() {
        return record;
    }

    public JobFiles files() {
        return files;
    }

    public Journal journal() {
        return journal;
    }

    public EventFeed feed() {
        return feed;
    }

    /** When and why the machines do not run. */
    public Pauses pauses() {
        return pauses;
    }

    /** The state last entered; ADMITTED while the first transition is being written. */
    public JobState state() {
        JobState state = journal.state();
        return state == null ? JobState.ADMITTED : state;
    }

    /** Keeps what the job's plug-ins add to the environment of its script. */
    public void keepPlugIns(Map<String, String> added) {
        DurableFile.write(files.plugIns(), json, added);
    }

    /** What the plug-ins add to the environment; nothing where none has run. */
    public Map<String, String> plugIns() {
        if (!Files.exists(files.plugIns())) {
            return Map.of();
        }
        try {
            return json.readValue(files.plugIns().toFile(), new TypeReference<Map<String, String>>() {});
        } catch (IOException e) {
            throw DurableFile.unreadable(files.plugIns(), e);
        }
    }

    /** Keeps the digest of the image that this node has made for the job. */
    public void boots(String digest) {
        DurableFile.write(files.booted(), json, digest);
    }

    /** Digest of what the job's machines boot on this node: made for it, else what was admitted. */
    public String booted() {
        return Files.exists(files.booted()) ? DurableFile.read(files.booted(), json, String.class) : record.digest();
    }

    /** The environment that the script gets, before this software's own variables. */
    public Map<String, String> environment() {
        try {
            return json.readValue(files.environment().toFile(), new TypeReference<Map<String, String>>() {});
        } catch (IOException e) {
            throw DurableFile.unreadable(files.environment(), e);
        }
    }

    /** How the script ended; empty until it has. */
    public Optional<Outcome> outcome() {
        Outcome known = outcome;
        if (known == null && Files.exists(files.outcome())) {
            known = DurableFile.read(files.outcome(), json, Outcome.class);
            outcome = known;
        }
        return Optional.ofNullable(known);
    }

    /** Keeps how the script ended, and says it; durable when this returns. The first outcome stays. */
    public Outcome end(Outcome outcome) {
        Optional<Outcome> first = outcome();
        if (first.isEmpty()) {
            DurableFile.write(files.outcome(), json, outcome);
        }
        sayOutcome();
        return first.orElse(outcome);
    }

    /** Says how the script ended, or that it goes on elsewhere, when that is known and was not said yet. */
    public void sayOutcome() {
        Optional<Outcome> known = outcome();
        if (known.isPresent() && feed.first("ended").isEmpty()) {
            ObjectNode event = feed.event("ended").put("exitCode", known.get().exitCode());
            event.putObject("bytes")
                    .put("stdout", known.get().stdoutBytes())
                    .put("stderr", known.get().stderrBytes());
            feed.publish(event);
        }
        Optional<SavedAs> stopped = pauses.saved();
        if (stopped.isPresent() && feed.first("checkpointed").isEmpty()) {
            ObjectNode event =
                    feed.event("checkpointed").put("number", stopped.get().number());
            event.putObject("bytes")
                    .put("stdout", stopped.get().stdoutBytes())
                    .put("stderr", stopped.get().stderrBytes());
            feed.publish(event);
        }
    }

    /** Keeps what executes the guests' instructions. */
    public void keepAccelerator(Accelerator accelerator) {
        DurableFile.write(files.accelerator(), json, accelerator);
    }

    /** What executes the guests' instructions, once that was chosen. */
    public Accelerator accelerator() {
        return DurableFile.read(files.accelerator(), json, Accelerator.class);
    }

    /** Name of the step that the job is in. */
    public String step() {
        return step;
    }

    /** What the job waits for now. */
    public Optional<Waiting> waiting() {
        return Optional.ofNullable(waiting);
    }

    /** Says that a step begins. */
    void enters(String name) {
        step = name;
        waiting = null;
        feed.publish(feed.event("step").put("step", name));
    }

    @Override
    public void waiting(String what, Instant until) {
        waiting = new Waiting(what, until);
        feed.publish(feed.event("waiting").put("step", step).put("for", what).put("until", until.toString()));
    }

    @Override
    public void notice(String text) {
        feed.publish(feed.event("notice").put("text", text));
    }

    /** Why the job failed; empty unless it did. */
    public Optional<VseException> failure() {
        return Optional.ofNullable(failure);
    }

    /**
     * Everything that the job told its user is on the disk when this returns.
     *
     * @throws VseException DISK_FULL or STORAGE_FAILED
     */
    public void requireToldKept() {
        feed.requireKept();
    }

    /** Keeps the first reason why the job failed. */
    public void fail(VseException reason) {
        if (failure == null) {
            failure = reason;
            ObjectNode event = feed.event("failed");
            event.set("failure", json.valueToTree(FailureText.of(reason)));
            feed.publish(event);
        }
    }

    /** Asks the job to end; the thread that drives it is interrupted by the caller. */
    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled;
    }

    /**
     * What the script is started with: for a job of a batch system what its starter came with, else what was admitted.
     *
     * @throws VseException JOB_STATE while a starter has yet to come
     */
    public JobRecord launched() {
        if (record.scheduler().equals(JobRecord.EMBEDDED)) {
            return record;
        }
        if (!isAttached()) {
            throw VseException.of(ErrorCode.JOB_STATE, "no starter has come for job '" + record.id() + "'");
        }
        Launch launch = DurableFile.read(files.launch(), json, Launch.class);
        return record.launchedWith(launch.arguments(), launch.cwd());
    }

    /**
     * The starter of a batch system has come; durable when this returns.
     *
     * @param environment of the script, before this software's own variables
     * @param cwd absolute path, as the job's machines see it
     * @return false when one came before: nothing changes then
     */
    public synchronized boolean attach(Map<String, String> environment, List<String> arguments, String cwd) {
        if (isAttached()) {
            return false;
        }
        DurableFile.write(files.environment(), json, environment);
        DurableFile.write(files.launch(), json, new Launch(arguments, cwd));
        starter.countDown();
        return true;
    }

    /** True once the starter of a batch system has come. */
    public boolean isAttached() {
        return Files.exists(files.launch());
    }

    /** Counted down when the starter of a batch system has come. */
    public CountDownLatch starter() {
        return starter;
    }

    /** Counted down when somebody sits at the terminal of an interactive job. */
    public CountDownLatch terminal() {
        return terminal;
    }

    /** Notes that a machine of this job has ended by itself. */
    public void machineEnded(VmName name, String why) {
        endedMachines.put(name, why);
    }

    /** Notes that the kernel ended a machine of this job because it used more memory than that. */
    public void machineExceeded(VmName name, long memoryBytes) {
        exceededMachines.put(name, memoryBytes);
        machineEnded(name, "killed");
    }

    /** Notes why the job cannot go on with its machines on another node. The first reason stays. */
    public synchronized void partFailed(VseException reason) {
        if (partFailure == null) {
            partFailure = reason;
        }
    }

    /** True when a machine of this job has ended by itself. */
    public boolean anyMachineEnded() {
        return !endedMachines.isEmpty();
    }

    /**
     * Refuses to go on when a machine of this job has ended.
     *
     * @throws VseException GUEST_DIED naming the machine, the reason and its console; MACHINE_MEMORY when the kernel ended it;
     *     DISK_FULL when it stands still because the host has no room for its disk; what another node's part has failed with
     */
    public void requireMachinesAlive() {
        VseException elsewhere = partFailure;
        if (elsewhere != null) {
            throw elsewhere;
        }
        for (JobRecord.Machine machine : record.machines()) {
            Long bound = exceededMachines.get(record.vmName(machine.index()));
            if (bound != null) {
                throw VseException.of(
                                ErrorCode.MACHINE_MEMORY,
                                "virtual machine " + machine.name() + " exceeded its memory and was killed")
                        .fact("guest's memory", machine.memoryBytes() + " bytes")
                        .fact("bound with overhead", bound + " bytes")
                        .next("tell the site: 'machine-overhead' in vsed.yaml is too small, or the guest misbehaves");
            }
            String why = endedMachines.get(record.vmName(machine.index()));
            if (VmDriver.NO_ROOM.equals(why)) {
                throw VseException.of(
                                ErrorCode.DISK_FULL,
                                "the host has no room for what virtual machine " + machine.name()
                                        + " writes to its disk")
                        .at(files.disk(machine.index()).toString())
                        .next("make room, 'df " + files.directory() + "' shows which file system is full; "
                                + "run the job again");
            }
            if (why != null) {
                throw VseException.of(ErrorCode.GUEST_DIED, "virtual machine " + machine.name() + " ended: " + why)
                        .fact("console", lastLines(files.console(machine.index())))
                        .fact("log", files.console(machine.index()))
                        .next("vse vm console " + record.id() + "." + machine.index());
            }
        }
    }

    private static String lastLines(Path console) {
        return ConsoleTail.of(console, 5);
    }

    /** Nothing more can be entered; everything can still be read. */
    @Override
    public void close() {
        journal.close();
    }

    /** What a starter came with. */
    private record Launch(List<String> arguments, String cwd) {}

    /** What a job waits for, and until when. */
    public record Waiting(String what, Instant until) {}
}

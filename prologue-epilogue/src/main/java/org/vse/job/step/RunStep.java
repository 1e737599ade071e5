package org.vse.job.step;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.Outcome;
import org.vse.job.lifecycle.Progress;
import org.vse.job.lifecycle.SaveOrder;
import org.vse.job.lifecycle.Saving;
import org.vse.job.lifecycle.Step;
import org.vse.provisioner.guest.ControlRecords;
import org.vse.provisioner.guest.GuestControl;
import org.vse.provisioner.guest.GuestJob;
import org.vse.provisioner.guest.JobSignal;
import org.vse.provisioner.guest.JobStatus;

/**
 * The script, in the first machine. Once it has been started it needs nobody on the host: a daemon that finds the job
 * RUNNING applies this step again and goes on waiting.
 */
final class RunStep implements Step {
    /** Between two looks at what no file tells: a machine that ended, a walltime that is over. */
    private static final long LOOK_MILLIS = 500;

    /** Between two looks at the share server. */
    private static final Duration SHARE_LOOK = Duration.ofSeconds(5);

    private static final int MOST_REVIVALS = 3;
    private static final Duration DELIVERY = Duration.ofSeconds(30);

    /** From machines that are ready to a script that is started: other nodes may have longer prologues. */
    private static final Duration STARTER = Duration.ofMinutes(15);

    private final Node node;
    private final ShareStep share;
    private final Saver saver;

    RunStep(Node node, ShareStep share) {
        this.node = node;
        this.saver = new Saver(node);
        this.share = share;
    }

    @Override
    public String name() {
        return "run";
    }

    @Override
    public void apply(Job job, Progress progress) {
        if (job.outcome().isPresent() || job.pauses().saved().isPresent()) {
            return;
        }
        GuestControl guest = Guests.control(node, job, 0);
        GuestJob script = new GuestJob(node.timeouts().start());
        boolean isLeft = job.state() == JobState.RUNNING;
        JobRecord.Resume from = job.record().resume();
        try {
            if (isLeft) {
                node.sisters().hold(job);
                Optional<Saving> left = job.pauses().saving();
                if (left.isPresent() && saver.recover(job, left.get())) {
                    return;
                }
                if (from != null && job.feed().first("restored").isEmpty()) {
                    goOn(job, from);
                }
            } else {
                awaitTerminal(job, progress);
                awaitStarter(job, progress);
                job.journal().enter(JobState.RUNNING);
                if (from == null) {
                    script.start(guest, LaunchPlan.of(job.launched(), environment(job), LaunchPlan.script(job)));
                } else {
                    goOn(job, from);
                }
            }
            if (!isLeft || isStarted(job, guest, script)) {
                await(job, guest, script).ifPresent(exited -> finish(job, exited, false));
                return;
            }
        } catch (InterruptedException e) {
            end(job, guest, script);
            throw interrupted(e);
        } catch (VseException e) {
            if (e.code() == ErrorCode.STEP_INTERRUPTED) {
                // The interrupt arrived inside a call; the script must still be ended in order.
                boolean wasSet = Thread.interrupted();
                end(job, guest, script);
                e.fact("interrupt", wasSet ? "pending" : "taken");
            }
            throw e;
        }
        throw VseException.of(ErrorCode.STEP_INTERRUPTED, "the daemon ended before the script was started")
                .next("run the job again");
    }

    /** The script goes on where its machines were saved. */
    private void goOn(Job job, JobRecord.Resume from) {
        Instant begin = job.journal().began(CreateStep.NAME).orElse(job.record().submitted());
        long stdout = size(job.files().stdout());
        long stderr = size(job.files().stderr());
        new AllMachines(node, job, new MachinesHere(node, job), from.set(), from.number()).say(SaveWord.BEGIN);
        node.ledger()
                .record(VmAccount.restored(
                        node,
                        job,
                        from,
                        node.checkpoints()
                                .open(from.set(), from.number())
                                .manifest()
                                .bytes(),
                        Duration.between(begin, node.clock().instant())));
        ObjectNode event = job.feed().event("restored");
        event.putObject("bytes").put("stdout", stdout).put("stderr", stderr);
        job.feed().publish(event);
    }

    /** A daemon that died between its word RUNNING and the start has started nothing. */
    private static boolean isStarted(Job job, GuestControl guest, GuestJob script) {
        return !(records(job).status() instanceof JobStatus.NotStarted)
                || !(script.status(guest) instanceof JobStatus.NotStarted);
    }

    private static Map<String, String> environment(Job job) {
        Map<String, String> environment = new TreeMap<>(job.environment());
        environment.putAll(job.plugIns());
        return environment;
    }

    private void awaitTerminal(Job job, Progress progress) throws InterruptedException {
        if (!job.record().isInteractive()) {
            return;
        }
        Instant deadline = node.clock().instant().plus(node.timeouts().start());
        progress.waiting("somebody to sit at the terminal", deadline);
        job.feed().publish("terminal");
        while (!job.terminal().await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            Guests.requireSound(node, job);
            if (node.clock().instant().isAfter(deadline)) {
                throw VseException.of(ErrorCode.JOB_STATE, "nobody came to the terminal of the interactive job")
                        .fact("waited", node.timeouts().start().toSeconds() + " s");
            }
        }
    }

    /** A batch system starts the script in its own time: after the prologues of all nodes, on the first of them. */
    private void awaitStarter(Job job, Progress progress) throws InterruptedException {
        if (job.record().scheduler().equals(JobRecord.EMBEDDED)) {
            return;
        }
        Instant deadline = node.clock().instant().plus(STARTER);
        progress.waiting("the batch system to start the script", deadline);
        while (!job.starter().await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            Guests.requireSound(node, job);
            if (node.clock().instant().isAfter(deadline)) {
                throw VseException.of(ErrorCode.JOB_STATE, "the batch system did not start the script")
                        .fact("waited", STARTER.toSeconds() + " s")
                        .next("see the log of the batch system on this node");
            }
        }
    }

    /** How the script ended; empty when its machines were saved instead. */
    private Optional<JobStatus.Exited> await(Job job, GuestControl guest, GuestJob script) throws InterruptedException {
        Path directory = job.files().directory();
        Instant startBy = node.clock().instant().plus(node.timeouts().start());
        Instant limit = limit(job);
        boolean announced = job.feed().first("running").isPresent();
        boolean told = false;
        Instant shareLook = node.clock().instant().plus(SHARE_LOOK);
        int revivals = 0;
        while (true) {
            long version = node.growth().version(directory);
            HostBytes.require(node.name(), node.limits(), job);
            ControlRecords records = records(job);
            if (!announced && records.started().isPresent()) {
                job.feed().publish("running");
                announced = true;
            }
            if (records.status() instanceof JobStatus.Exited exited) {
                awaitOutput(job, exited);
                return Optional.of(exited);
            }
            Optional<SaveOrder> order = job.pauses().order();
            if (order.isPresent() && saver.save(job, order.get())) {
                return Optional.empty();
            }
            if (records.status() instanceof JobStatus.Lost lost) {
                throw VseException.of(ErrorCode.GUEST_SETUP_FAILED, "how the script ended cannot be known")
                        .fact("step", lost.step())
                        .next("vse vm console " + job.record().id());
            }
            job.requireMachinesAlive();
            Instant now = node.clock().instant();
            if (!announced && now.isAfter(startBy)) {
                throw VseException.of(ErrorCode.GUEST_UNRESPONSIVE, "the script did not begin in time")
                        .fact("waited", node.timeouts().start().toSeconds() + " s");
            }
            if (now.isAfter(shareLook)) {
                revivals += revive(job, revivals) ? 1 : 0;
                shareLook = now.plus(SHARE_LOOK);
            }
            if (limit != null
                    && now.isAfter(limit)
                    && now.isAfter(limit.plus(job.pauses().suspended().free(now)))) {
                JobSignal signal = told ? JobSignal.KILL : JobSignal.TERM;
                job.notice("walltime is over: the script gets " + signal);
                script.signal(guest, signal);
                limit = told ? null : now.plus(node.timeouts().grace());
                told = true;
            }
            node.growth().await(directory, version, LOOK_MILLIS);
        }
    }

    private boolean revive(Job job, int before) {
        boolean revived = share.revive(job);
        if (revived) {
            job.notice("the share server had ended and was started again");
            if (before >= MOST_REVIVALS) {
                throw VseException.of(ErrorCode.SHARE_FAILED, "the share server does not stay up")
                        .fact("started again", before + " times");
            }
        }
        return revived;
    }

    /** A batch system ends its jobs itself. */
    private static @Nullable Instant limit(Job job) {
        Long seconds = job.record().walltimeSeconds();
        return seconds == null || !job.record().scheduler().equals(JobRecord.EMBEDDED)
                ? null
                : started(job).map(start -> start.plusSeconds(seconds)).orElse(null);
    }

    private static Optional<Instant> started(Job job) {
        return job.journal().entered(JobState.RUNNING);
    }

    /** The guest has handed over everything; QEMU may still be writing it. */
    private void awaitOutput(Job job, JobStatus.Exited exited) throws InterruptedException {
        Path directory = job.files().directory();
        Instant deadline = node.clock().instant().plus(DELIVERY);
        while (true) {
            long version = node.growth().version(directory);
            HostBytes.require(node.name(), node.limits(), job);
            long stdout = size(job.files().stdout());
            long stderr = size(job.files().stderr());
            if (stdout >= exited.stdoutBytes() && stderr >= exited.stderrBytes()) {
                return;
            }
            if (node.clock().instant().isAfter(deadline)) {
                job.notice("output is incomplete: stdout " + stdout + " of " + exited.stdoutBytes() + " bytes, stderr "
                        + stderr + " of " + exited.stderrBytes());
                return;
            }
            node.growth().await(directory, version, LOOK_MILLIS);
        }
    }

    /** Ends the script of a cancelled job: TERM, the grace time, KILL. One that was not started is not waited for. */
    private void end(Job job, GuestControl guest, GuestJob script) {
        if (job.state() != JobState.RUNNING) {
            return;
        }
        try {
            for (JobSignal signal : new JobSignal[] {JobSignal.TERM, JobSignal.KILL}) {
                job.requireMachinesAlive();
                job.notice("the script gets " + signal);
                script.signal(guest, signal);
                Optional<JobStatus.Exited> exited =
                        awaitExit(job, node.timeouts().grace());
                if (exited.isPresent()) {
                    awaitOutput(job, exited.get());
                    finish(job, exited.get(), true);
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            job.notice("ending the script in order was cut short");
        } catch (VseException e) {
            job.notice("the script could not be ended in order: " + e.what());
        }
    }

    private Optional<JobStatus.Exited> awaitExit(Job job, Duration timeout) throws InterruptedException {
        Instant deadline = node.clock().instant().plus(timeout);
        Path directory = job.files().directory();
        while (node.clock().instant().isBefore(deadline)) {
            long version = node.growth().version(directory);
            if (records(job).status() instanceof JobStatus.Exited exited) {
                return Optional.of(exited);
            }
            Guests.requireSound(node, job);
            node.growth().await(directory, version, LOOK_MILLIS);
        }
        return Optional.empty();
    }

    private void finish(Job job, JobStatus.Exited exited, boolean cancelled) {
        job.end(new Outcome(
                exited.exitCode(),
                started(job).orElse(null),
                node.clock().instant(),
                exited.stdoutBytes(),
                exited.stderrBytes(),
                cancelled));
        node.growth().wake(job.files().directory());
    }

    private static ControlRecords records(Job job) {
        Path file = job.files().control();
        try (InputStream in = Files.newInputStream(file)) {
            return ControlRecords.parse(in.readNBytes(ControlRecords.MAX_BYTES + 1));
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static VseException unreadable(Path file, IOException e) {
        return VseException.of(ErrorCode.STORAGE_FAILED, "what the guest reports cannot be read")
                .at(file.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }

    private static VseException interrupted(InterruptedException e) {
        return VseException.of(ErrorCode.STEP_INTERRUPTED, "the script's run was interrupted")
                .because(e);
    }

    /** The script ends with its machine. */
    @Override
    public void undo(Job job) {}
}

package org.vse.job.daemon;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.JobBuilder;
import org.quartz.JobExecutionContext;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.SimpleScheduleBuilder;
import org.quartz.TriggerBuilder;
import org.quartz.impl.StdSchedulerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.JobState;
import org.vse.job.lifecycle.SaveOrder;
import org.vse.job.lifecycle.Suspended;
import org.vse.job.step.Guests;
import org.vse.job.step.Node;
import org.vse.policy.Continuation;
import org.vse.provisioner.guest.GuestJob;
import org.vse.provisioner.guest.JobSignal;

/**
 * Gives the word in time: to save the machines of a job before its walltime is over or because its time for that has come,
 * or to send its script a signal. Everything that it decides by is in the job's own files, so that a restart of the daemon
 * changes nothing.
 */
final class WalltimeGuard implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WalltimeGuard.class);
    private static final String GUARD = "guard";
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration MEASURE = Duration.ofSeconds(10);

    private final Node node;
    private final JobTable table;
    private final SaveRate rate;
    private final Scheduler clock;
    private final Map<String, Watched> watched = new HashMap<>();

    /** What is known of a job that is looked at. */
    private static final class Watched {
        private Instant saved;
        private Instant measured = Instant.MIN;
        private long bytes;
        private boolean atWalltime;

        Watched(Instant started) {
            this.saved = started;
        }
    }

    WalltimeGuard(Node node, JobTable table, SaveRate rate) {
        this.node = node;
        this.table = table;
        this.rate = rate;
        try {
            Properties settings = new Properties();
            settings.put("org.quartz.scheduler.instanceName", "walltime-" + UUID.randomUUID());
            settings.put("org.quartz.scheduler.skipUpdateCheck", "true");
            settings.put("org.quartz.scheduler.makeSchedulerThreadDaemon", "true");
            settings.put("org.quartz.threadPool.class", "org.quartz.simpl.SimpleThreadPool");
            settings.put("org.quartz.threadPool.threadCount", "1");
            settings.put("org.quartz.threadPool.makeThreadsDaemons", "true");
            settings.put("org.quartz.jobStore.class", "org.quartz.simpl.RAMJobStore");
            this.clock = new StdSchedulerFactory(settings).getScheduler();
            clock.getContext().put(GUARD, this);
        } catch (SchedulerException e) {
            throw failed(e);
        }
    }

    /** Begins to look. */
    void watch() {
        try {
            clock.scheduleJob(
                    JobBuilder.newJob(Look.class).build(),
                    TriggerBuilder.newTrigger()
                            .startNow()
                            .withSchedule(SimpleScheduleBuilder.repeatSecondlyForever((int) LOOK.toSeconds())
                                    .withMisfireHandlingInstructionNextWithRemainingCount())
                            .build());
            clock.start();
        } catch (SchedulerException e) {
            throw failed(e);
        }
    }

    /** One look at all jobs; made by Quartz. */
    @DisallowConcurrentExecution
    public static final class Look implements org.quartz.Job {
        @Override
        public void execute(JobExecutionContext context) {
            try {
                if (context.getScheduler().getContext().get(GUARD) instanceof WalltimeGuard guard) {
                    guard.look();
                }
            } catch (SchedulerException | RuntimeException e) {
                LOG.error("the walltimes could not be looked at; tried again", e);
            }
        }
    }

    private void look() {
        Instant now = node.clock().instant();
        for (Job job : table.all()) {
            String tag = job.record().tag();
            boolean running = job.state() == JobState.RUNNING
                    && job.outcome().isEmpty()
                    && job.pauses().saved().isEmpty()
                    && job.record().coordinator().equals(node.name())
                    && !job.record().continuation().equals(Continuation.NONE);
            if (!running) {
                watched.remove(tag);
            } else if (job.pauses().order().isEmpty()) {
                Instant started = job.journal().entered(JobState.RUNNING).orElseThrow();
                look(job, watched.computeIfAbsent(tag, unused -> new Watched(started)), started, now);
            }
        }
    }

    private void look(Job job, Watched known, Instant started, Instant now) {
        Suspended suspended = job.pauses().suspended();
        if (suspended.isNow() && suspended.free()) {
            // What its walltime does not run for cannot be due.
            return;
        }
        measure(job, known, now);
        Instant limit = known.atWalltime ? null : limit(job, started, suspended.free(now));
        Due due = Due.of(job.record().continuation(), started, limit, known.saved, rate.of(known.bytes), now);
        if (suspended.isNow() && due != Due.SAVE_AND_STOP) {
            // Nobody is awake in there; what needs the guests waits.
            return;
        }
        known.atWalltime |= due != Due.NOTHING && due != Due.SAVE;
        switch (due) {
            case NOTHING -> {
                return;
            }
            case TELL_TOO_SHORT ->
                job.notice("the walltime is too short for a checkpoint, which takes about "
                        + Due.needed(rate.of(known.bytes)).toSeconds() + " s: the job ends with its walltime");
            case SIGNAL -> {
                job.notice("walltime is nearly over: the script gets " + JobSignal.TERM);
                new GuestJob(node.timeouts().start()).signal(Guests.control(node, job, 0), JobSignal.TERM);
            }
            case SAVE, SAVE_AND_STOP -> save(job, known, due == Due.SAVE_AND_STOP);
        }
    }

    private void save(Job job, Watched known, boolean stop) {
        known.saved = node.clock().instant();
        if (stop) {
            job.notice("walltime is nearly over: the machines are saved");
        }
        SaveOrder order = new SaveOrder(stop);
        long begin = System.nanoTime();
        long bytes = known.bytes;
        var unused = order.done().whenComplete((saved, failure) -> {
            if (failure == null) {
                rate.measured(bytes, Duration.ofNanos(System.nanoTime() - begin));
            }
        });
        job.pauses().order(order);
        node.growth().wake(job.files().directory());
    }

    /** Memory that the job's machines on this node have in use. */
    private void measure(Job job, Watched known, Instant now) {
        if (now.isBefore(known.measured.equals(Instant.MIN) ? now : known.measured.plus(MEASURE))) {
            return;
        }
        long bytes = 0;
        for (JobRecord.Machine machine : job.record().machinesOn(node.name())) {
            bytes += node.driver().usage(job.record().vmName(machine.index())).memoryBytes();
        }
        known.bytes = bytes;
        known.measured = now;
    }

    /** A batch system counts from before the machines come up, the embedded one from the script's start. */
    private static @Nullable Instant limit(Job job, Instant started, Duration stood) {
        Long seconds = job.record().walltimeSeconds();
        if (seconds == null) {
            return null;
        }
        boolean embedded = job.record().scheduler().equals(JobRecord.EMBEDDED);
        return (embedded ? started : job.record().submitted())
                .plusSeconds(seconds)
                .plus(stood);
    }

    private static VseException failed(SchedulerException e) {
        return VseException.of(ErrorCode.INTERNAL, "the guard of walltimes cannot run")
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }

    @Override
    public void close() {
        try {
            clock.shutdown(true);
        } catch (SchedulerException e) {
            LOG.warn("the guard of walltimes did not end in order", e);
        }
    }
}

package org.vse.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * What happened on this node: an {@link EventLog}, which is the truth, and a database made from it, which answers
 * questions. May be used by several threads; one process has a ledger open at a time. All files are touched by one thread
 * of the ledger's own, because an interrupt of a thread that uses a {@link java.nio.channels.FileChannel} closes it for all.
 *
 * <p>When {@link #record} returns, the event is on the disk and survives a crash of the process and of the machine. It
 * reaches the database once, however often it is recorded, at the latest before the next question is answered. What a
 * crash left in the log only is applied by {@link #open}. The database file may be deleted while the ledger is closed;
 * it is made again from the log.
 */
public final class Ledger implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
    private static final String LOG_FILE = "events.ndjson";
    private static final int BATCH = 5_000;
    /** Of a part for the head, bytes: with an event more than that it still fits into a message. */
    private static final long PART_BYTES = 1 << 19;

    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long UNKNOWN = -1;

    private final LedgerDatabase database;
    private final ExecutorService desk = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "ledger");
        thread.setDaemon(true);
        return thread;
    });
    private final List<Consumer<? super LedgerEvent>> told = new CopyOnWriteArrayList<>();
    /** Changes when the ledger is pruned. Guarded by the desk, like what follows. */
    private EventLog log;

    private long applied = UNKNOWN;
    private long refusedNanos;
    private volatile boolean behind;

    private Ledger(EventLog log, LedgerDatabase database) {
        this.log = log;
        this.database = database;
    }

    /**
     * Opens the ledger in a directory, creating both where there are none, for the owner only.
     *
     * @throws VseException LEDGER_FAILED when another process has it open, when it is of a newer version or damaged;
     *     DISK_FULL
     */
    public static Ledger open(Path directory) {
        return open(directory, new SqliteEngine(directory.resolve("ledger.sqlite"), Migrations.sqlite()));
    }

    /**
     * The same with its database at a PostgreSQL server, where only this ledger writes. The server may be away: events are
     * kept in the log until it is there.
     */
    public static Ledger open(Path directory, PostgresAddress address) {
        return open(directory, new PostgresEngine(address, Migrations.postgresql()));
    }

    static Ledger open(Path directory, Engine engine) {
        prepare(directory);
        Path logFile = directory.resolve(LOG_FILE);
        EventLog log = EventLog.open(logFile);
        LedgerDatabase database = new LedgerDatabase(engine);
        try {
            log.torn()
                    .ifPresent(torn -> LOG.warn(
                            "{}: cut off an incomplete event of {} bytes at byte {}, left by a crash: {}",
                            logFile,
                            torn.bytes(),
                            torn.offset(),
                            torn.text()));
            database.open();
            Ledger ledger = new Ledger(log, database);
            if (engine.mayBeAway()) {
                ledger.applyIfThere();
            } else {
                ledger.applyRest();
            }
            return ledger;
        } catch (RuntimeException e) {
            database.close();
            log.close();
            throw e;
        }
    }

    /** Records one event; see {@link #record(List)}. */
    public void record(LedgerEvent event) {
        record(List.of(event));
    }

    /**
     * Records events. A database that cannot be written holds nothing up: the events are safe in the log, the failure is
     * logged, and questions are refused until they could be applied.
     *
     * @throws VseException LEDGER_FAILED or DISK_FULL when the events are not durable; a crash during the call leaves
     *     the first few of them or none
     */
    public void record(List<LedgerEvent> events) {
        atDesk(() -> {
            log.append(events);
            applyIfThere();
            return events;
        });
        events.forEach(this::tell);
    }

    /**
     * Tells somebody every event that this ledger records from now on, on the thread that records it, once it is durable.
     * An event that is recorded again is told again. What other nodes send is not told.
     */
    public void onRecorded(Consumer<? super LedgerEvent> listener) {
        told.add(listener);
    }

    /** The event has happened, whatever becomes of those who are told. */
    private void tell(LedgerEvent event) {
        for (Consumer<? super LedgerEvent> listener : told) {
            try {
                listener.accept(event);
            } catch (RuntimeException e) {
                LOG.error("a listener failed on event {}", event.id(), e);
            }
        }
    }

    /**
     * Records those events that the ledger does not know.
     *
     * @return how many these were
     */
    public int add(List<LedgerEvent> events) {
        return atDesk(() -> {
            applyRest();
            Set<UUID> known =
                    database.known(events.stream().map(LedgerEvent::id).toList());
            List<LedgerEvent> unknown =
                    events.stream().filter(event -> !known.contains(event.id())).toList();
            log.append(unknown);
            applyIfThere();
            return unknown.size();
        });
    }

    /**
     * The intervals that a query asks for, by start.
     *
     * @throws VseException LEDGER_FAILED when the database cannot be read or is behind
     */
    public List<VmInterval> intervals(VmIntervalQuery query) {
        return upToDate().intervals(query);
    }

    /**
     * What the machines that a query asks for have taken between its times, the largest core time first.
     *
     * @param now how long a run without an end has lasted until
     */
    public List<Usage> usage(Grouping grouping, VmIntervalQuery query, Instant now) {
        return upToDate().usage(grouping, query, now);
    }

    /** How an attempt came out, by time; more than one when a job failed and was settled all the same. */
    public List<JobOutcome> outcomes(JobKey job) {
        return upToDate().outcomes(job);
    }

    /** How jobs came out between two times, null for any, by time. */
    public List<JobOutcome> outcomes(@Nullable Instant since, @Nullable Instant until) {
        return upToDate().outcomes(since, until);
    }

    /** Checkpoints and other moments of the jobs whose machines a query asks for, by time. */
    public List<JobMark> marks(VmIntervalQuery query) {
        return upToDate().marks(query);
    }

    /** Gives every event that counts, of this node and of those that ship theirs, in no particular order. */
    public void events(Consumer<LedgerEvent> to) {
        upToDate().events(to);
    }

    /**
     * The next part of this node's log.
     *
     * @param node this node
     * @param from 0, or the end of the part before
     */
    public Shipment shipment(String node, long from, int maxEvents) {
        return atDesk(() -> {
            // A log that was made anew is shorter than what was shipped of the old one.
            long begin = from > log.end() ? 0 : from;
            EventLog.Batch batch = log.read(begin, maxEvents, PART_BYTES);
            return new Shipment(node, log.id(), begin, batch.end(), batch.events());
        });
    }

    /** Where this node's log ends: what {@link #shipment} of everything would reach. */
    public long end() {
        return atDesk(() -> log.end());
    }

    /** True while the database could not take what is in the log. */
    public boolean isBehind() {
        return behind;
    }

    /**
     * Takes a part of another node's log. It is applied once, however often it comes, and only after the part before it.
     *
     * @return up to where that log is applied now: what the node has to send next
     * @throws VseException LEDGER_FAILED or DISK_FULL when it is not applied
     */
    public long accept(Shipment shipment, Instant now) {
        return atDesk(() -> database.applyNext(shipment, now));
    }

    /** Names of the nodes that have sent a part of their log after that time. */
    public List<String> heardSince(Instant since) {
        return upToDate().heard().stream()
                .filter(heard -> heard.at().isAfter(since))
                .map(NodeHeard::node)
                .toList();
    }

    /**
     * Closes what runs, as far as the ledger knows, on nodes of which nothing was heard for long: at what the rest of the
     * ledger shows, marked so. A node that comes back and tells better is believed.
     *
     * @param silentSince nodes heard of after this are left alone
     * @return how many runs were closed
     */
    public int concludeLost(Instant silentSince, Instant now) {
        LedgerDatabase current = upToDate();
        List<LedgerEvent> ends = new ArrayList<>();
        for (NodeHeard silent : current.heard()) {
            if (silent.at().isBefore(silentSince)) {
                for (VmInterval open : current.intervals(
                        VmIntervalQuery.all().onNode(silent.node()).running())) {
                    ends.add(Evidence.of(open, silent, current).closing(open, now));
                }
            }
        }
        record(ends);
        return ends.size();
    }

    /**
     * Removes the runs that ended before a time and what else happened before it, from the database and from the log.
     *
     * @return how many runs
     */
    public int prune(Instant before) {
        return atDesk(() -> pruned(before));
    }

    /**
     * The same on a node that ships its log.
     *
     * @param logId log of which the head has said last how much of it is applied there
     * @param shipped up to where
     * @throws VseException JOB_STATE when something that would be removed has not arrived at the head; nothing is removed
     */
    public int prune(Instant before, UUID logId, long shipped) {
        return atDesk(() -> {
            requireShipped(before, log.id().equals(logId) ? shipped : 0);
            return pruned(before);
        });
    }

    private void requireShipped(Instant before, long shipped) {
        for (long at = shipped; at < log.end(); ) {
            EventLog.Batch batch = log.read(at, BATCH);
            long old = batch.events().stream()
                    .filter(event -> event.at().isBefore(before))
                    .count();
            if (old > 0) {
                throw VseException.of(
                                ErrorCode.JOB_STATE, "the head does not have all yet of what happened before that time")
                        .fact("missing there", old + " event(s) or more")
                        .next("try again when the head was reached, or name an earlier time");
            }
            at = batch.end();
        }
    }

    private int pruned(Instant before) {
        applyRest();
        int runs = database.prune(before);
        EventLog old = log;
        log = old.rewritten(BATCH, events -> {
            Set<UUID> kept = database.known(events.stream().map(LedgerEvent::id).toList());
            return events.stream().filter(event -> kept.contains(event.id())).toList();
        });
        old.close();
        database.apply(log.id(), log.end(), List.of());
        applied = log.end();
        return runs;
    }

    @Override
    public void close() {
        if (desk.isShutdown()) {
            return;
        }
        try {
            atDesk(() -> {
                try {
                    database.close();
                } finally {
                    log.close();
                }
                return log;
            });
        } finally {
            desk.shutdown();
        }
    }

    /** Returns when the work is done, however often this thread is interrupted meanwhile. */
    private <T> T atDesk(Supplier<T> work) {
        Future<T> done = desk.submit(work::get);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return done.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException failure) {
                        throw failure;
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private long startingPoint() {
        long position = database.applied(log.id());
        if (position > log.end()) {
            LOG.warn("the event log is shorter than what has been applied of it; applying it from its beginning");
            return 0;
        }
        return position;
    }

    /** All that is recorded is in the tables when this returns. */
    private LedgerDatabase upToDate() {
        return atDesk(() -> {
            applyRest();
            return database;
        });
    }

    /** A database that cannot be written holds nothing up, nor is it tried again at once. */
    private void applyIfThere() {
        if (behind && System.nanoTime() - refusedNanos < RETRY_NANOS) {
            return;
        }
        try {
            applyRest();
        } catch (VseException e) {
            behind = true;
            refusedNanos = System.nanoTime();
            LOG.warn("the ledger's database is behind its event log", e);
        }
    }

    private void applyRest() {
        if (applied == UNKNOWN) {
            applied = startingPoint();
        }
        while (applied < log.end()) {
            EventLog.Batch batch = log.read(applied, BATCH);
            database.apply(log.id(), batch.end(), batch.events());
            applied = batch.end();
        }
        behind = false;
    }

    private static void prepare(Path directory) {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw VseException.of(ErrorCode.LEDGER_FAILED, "cannot create the directory of the ledger")
                    .at(directory.toString())
                    .fact("reason", e)
                    .because(e);
        }
    }
}

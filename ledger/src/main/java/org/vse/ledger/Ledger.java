package org.vse.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
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
    private static final int BATCH = 5_000;

    private final EventLog log;
    private final SqliteDatabase database;
    private final ExecutorService desk = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "ledger");
        thread.setDaemon(true);
        return thread;
    });
    private long applied;

    private Ledger(EventLog log, SqliteDatabase database) {
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
        return open(directory, Migrations.all());
    }

    static Ledger open(Path directory, Migrations migrations) {
        prepare(directory);
        Path logFile = directory.resolve("events.ndjson");
        EventLog log = EventLog.open(logFile);
        SqliteDatabase database = null;
        try {
            log.torn()
                    .ifPresent(torn -> LOG.warn(
                            "{}: cut off an incomplete event of {} bytes at byte {}, left by a crash: {}",
                            logFile,
                            torn.bytes(),
                            torn.offset(),
                            torn.text()));
            database = SqliteDatabase.open(directory.resolve("ledger.sqlite"), migrations);
            Ledger ledger = new Ledger(log, database);
            ledger.applied = ledger.startingPoint();
            ledger.applyRest();
            return ledger;
        } catch (RuntimeException e) {
            if (database != null) {
                database.close();
            }
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
            try {
                applyRest();
            } catch (VseException e) {
                LOG.warn("the ledger's database is behind its event log", e);
            }
            return events;
        });
    }

    /**
     * The intervals that a query asks for, by start.
     *
     * @throws VseException LEDGER_FAILED when the database cannot be read or is behind
     */
    public List<VmInterval> intervals(VmIntervalQuery query) {
        return atDesk(() -> {
            applyRest();
            return database.intervals(query);
        });
    }

    /** How an attempt came out, by time; more than one when a job failed and was settled all the same. */
    public List<JobOutcome> outcomes(JobKey job) {
        return atDesk(() -> {
            applyRest();
            return database.outcomes(job);
        });
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

    private void applyRest() {
        while (applied < log.end()) {
            EventLog.Batch batch = log.read(applied, BATCH);
            database.apply(log.id(), batch.end(), batch.events());
            applied = batch.end();
        }
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

package org.vse.scheduler.local;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * First in, first out over the cores of this node. A state machine without threads, clock or files: its owner tells it what
 * happens, asks {@link #start} which jobs start now, and calls from one thread at a time.
 *
 * <pre>
 *   submit        → waiting
 *   waiting       → holding   start, when it is the first in the queue and enough cores are free
 *   waiting       → (gone)    cancel
 *   holding       → (gone)    finished
 * </pre>
 *
 * <p>Guarantees: no core is ever in two leases; the first job in the queue starts before any other, even if a later one would
 * fit; a job that was accepted starts when all jobs before it are finished.
 */
public final class LocalScheduler {
    private final Set<Integer> cores;
    private final NavigableSet<Integer> free;
    private final Map<String, CoreLease> holding = new LinkedHashMap<>();
    private final Map<String, Integer> waiting = new LinkedHashMap<>();

    /** @param cores numbers of the cores that jobs may have, at least one */
    public LocalScheduler(Collection<Integer> cores) {
        this(cores, List.of());
    }

    /**
     * Goes on after a restart. Jobs that were waiting are submitted again, in their old order.
     *
     * @param held what jobs hold already. Cores that are no longer this scheduler's stay with their job until it is finished
     *     and then go to nobody
     * @throws VseException JOURNAL_CORRUPT when a core or a job is in two of them
     */
    public LocalScheduler(Collection<Integer> cores, List<CoreLease> held) {
        this.cores = Set.copyOf(cores);
        this.free = new TreeSet<>(cores);
        if (free.isEmpty() || free.first() < 0) {
            throw new IllegalArgumentException("not the cores of a node: " + cores);
        }
        held.forEach(this::restore);
    }

    private void restore(CoreLease lease) {
        for (CoreLease other : holding.values()) {
            boolean sameJob = other.job().equals(lease.job());
            if (sameJob || other.cores().stream().anyMatch(lease.cores()::contains)) {
                throw VseException.of(ErrorCode.JOURNAL_CORRUPT, "two leases that exclude each other")
                        .fact("first", other.job() + " holds " + other.cores())
                        .fact("second", lease.job() + " holds " + lease.cores())
                        .next("end one of the two jobs");
            }
        }
        lease.cores().forEach(free::remove);
        holding.put(lease.job(), lease);
    }

    /**
     * Puts a job at the end of the queue.
     *
     * @param job an id that is neither waiting nor holding
     * @param asked cores, at least 1
     * @throws VseException JOB_TOO_LARGE when this node never has so many cores, JOB_STATE when the id is in use
     */
    public void submit(String job, int asked) {
        if (job.isBlank() || asked < 1) {
            throw new IllegalArgumentException("not a job: '" + job + "', " + asked + " cores");
        }
        if (waiting.containsKey(job) || holding.containsKey(job)) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + job + "' is already submitted")
                    .next("vse job show " + job);
        }
        requireFit(asked);
        waiting.put(job, asked);
    }

    /** @throws VseException JOB_TOO_LARGE when this node never has so many cores */
    public void requireFit(int asked) {
        if (asked > cores.size()) {
            throw VseException.of(ErrorCode.JOB_TOO_LARGE, "the job needs more cores than this node has")
                    .fact("asked", count(asked))
                    .fact("node", count(cores.size()))
                    .next("ask for at most " + count(cores.size()) + ": nodes × ppn, or vcpus × vms-per-node");
        }
    }

    /** Gives cores, the lowest numbers first, to the jobs that start now; in the order of the queue. */
    public List<CoreLease> start() {
        List<CoreLease> started = new ArrayList<>();
        var queue = waiting.entrySet().iterator();
        while (queue.hasNext()) {
            Map.Entry<String, Integer> head = queue.next();
            if (head.getValue() > free.size()) {
                break;
            }
            List<Integer> given = free.stream().limit(head.getValue()).toList();
            CoreLease lease = new CoreLease(head.getKey(), given);
            given.forEach(free::remove);
            queue.remove();
            holding.put(lease.job(), lease);
            started.add(lease);
        }
        return started;
    }

    /**
     * A job's VMs are gone and its cores are free.
     *
     * @return false when the job holds nothing: it is unknown, waits, or was finished before
     */
    public boolean finished(String job) {
        CoreLease lease = holding.remove(job);
        if (lease == null) {
            return false;
        }
        lease.cores().stream().filter(cores::contains).forEach(free::add);
        return true;
    }

    /**
     * Takes a job out of the queue.
     *
     * @return false when it does not wait. A job that holds cores holds them until it is {@link #finished}
     */
    public boolean cancel(String job) {
        return waiting.remove(job) != null;
    }

    /** Why a job waits; empty when it does not. */
    public Optional<Waiting> waiting(String job) {
        Integer asked = waiting.get(job);
        if (asked == null) {
            return Optional.empty();
        }
        List<String> queue = queue();
        int position = queue.indexOf(job);
        Optional<String> next = position == 0 ? Optional.empty() : Optional.of(queue.get(0));
        int busy = cores.size() - free.size();
        return Optional.of(new Waiting(position, asked, busy, cores.size(), List.copyOf(holding.keySet()), next));
    }

    /** The waiting jobs, the next one first. */
    public List<String> queue() {
        return List.copyOf(waiting.keySet());
    }

    /** What is held now, in the order in which it was given. */
    public List<CoreLease> leases() {
        return List.copyOf(holding.values());
    }

    public int freeCores() {
        return free.size();
    }

    private static String count(int cores) {
        return cores + (cores == 1 ? " core" : " cores");
    }
}

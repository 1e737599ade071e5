package org.vse.scheduler.local;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * <p>Guarantees: those of {@link CoreLedger} about cores; the first job in the queue starts before any other, even if a later one would
 * fit; a job that was accepted starts when all jobs before it are finished.
 */
public final class LocalScheduler {
    private final CoreLedger ledger;
    private final long memory;
    private final Map<String, Asked> waiting = new LinkedHashMap<>();

    /** @param cores numbers of the cores that jobs may have, at least one; of one NUMA node, never shared, with all memory */
    public LocalScheduler(Collection<Integer> cores) {
        this(List.of(cores.stream().sorted().toList()), 1, Long.MAX_VALUE, List.of());
    }

    /**
     * Goes on after a restart. Jobs that were waiting are submitted again, in their old order.
     *
     * @param memories the cores that jobs may have, by NUMA node, in the order in which they are given away
     * @param sharers most jobs on a core when all of them agreed to share; 1 for none
     * @param memory that jobs may have together, bytes
     * @param held what jobs hold already. Cores that are no longer this scheduler's stay with their job until it is finished
     *     and then go to nobody
     * @throws VseException JOURNAL_CORRUPT when two of them exclude each other
     */
    public LocalScheduler(
            List<? extends Collection<Integer>> memories, int sharers, long memory, List<CoreLease> held) {
        this.ledger = new CoreLedger(memories, sharers);
        this.memory = memory;
        held.forEach(ledger::restore);
    }

    /**
     * Puts a job at the end of the queue.
     *
     * @param job an id that is neither waiting nor holding
     * @throws VseException JOB_TOO_LARGE when this node never has so much, JOB_STATE when the id is in use
     */
    public void submit(String job, Asked asked) {
        if (job.isBlank()) {
            throw new IllegalArgumentException("a job without an id");
        }
        if (waiting.containsKey(job) || ledger.holds(job)) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + job + "' is already submitted")
                    .next("vse job show " + job);
        }
        requireFit(asked);
        waiting.put(job, asked);
    }

    /** @throws VseException JOB_TOO_LARGE when this node never has so many cores or so much memory */
    public void requireFit(Asked asked) {
        if (asked.cores() > ledger.size()) {
            throw VseException.of(ErrorCode.JOB_TOO_LARGE, "the job needs more cores than this node has")
                    .fact("asked", count(asked.cores()))
                    .fact("node", count(ledger.size()))
                    .next("ask for at most " + count(ledger.size()) + ": nodes × ppn, or vcpus × vms-per-node");
        }
        if (asked.memoryBytes() > memory) {
            throw VseException.of(ErrorCode.JOB_TOO_LARGE, "the job needs more memory than this node has")
                    .fact("asked", Waiting.mebibytes(asked.memoryBytes()) + ", what serves its machines included")
                    .fact("node", Waiting.mebibytes(memory))
                    .next("ask for less memory or fewer VMs, or raise 'memory' in vsed.yaml if the node has it");
        }
    }

    private long freeMemory() {
        return memory
                - ledger.leases().stream().mapToLong(CoreLease::memoryBytes).sum();
    }

    /** Gives cores to the jobs that start now; in the order of the queue. */
    public List<CoreLease> start() {
        List<CoreLease> started = new ArrayList<>();
        var queue = waiting.entrySet().iterator();
        while (queue.hasNext()) {
            Map.Entry<String, Asked> head = queue.next();
            Asked asked = head.getValue();
            Optional<CoreLease> lease =
                    asked.memoryBytes() > freeMemory() ? Optional.empty() : ledger.take(head.getKey(), asked);
            if (lease.isEmpty()) {
                break;
            }
            queue.remove();
            started.add(lease.get());
        }
        return started;
    }

    /**
     * Gives cores to a job at once, past the queue: another batch system has decided that it starts now.
     *
     * @param job an id that is neither waiting nor holding
     * @param named the cores that it gets, this node's; none for any that are free
     * @throws VseException JOB_TOO_LARGE as {@link #submit}; JOB_STATE when the id is in use; DAEMON_BUSY when others have the
     *     cores or the memory
     */
    public CoreLease begin(String job, Asked asked, List<Integer> named) {
        if (waiting.containsKey(job) || ledger.holds(job)) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + job + "' has cores already")
                    .next("vse job show " + job);
        }
        requireFit(asked);
        Optional<CoreLease> lease = asked.memoryBytes() > freeMemory()
                ? Optional.empty()
                : named.isEmpty() ? ledger.take(job, asked) : ledger.take(job, asked, named);
        return lease.orElseThrow(() -> VseException.of(
                        ErrorCode.DAEMON_BUSY, "other jobs have this node's cores or memory")
                .fact("asked", named.isEmpty() ? count(asked.cores()) : "cores " + named)
                .fact("held", ledger.leases().stream().map(CoreLease::job).toList())
                .next("vse node cores"));
    }

    /**
     * A job's VMs are gone and its cores are free.
     *
     * @return false when the job holds nothing: it is unknown, waits, or was finished before
     */
    public boolean finished(String job) {
        return ledger.giveBack(job);
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
        Asked asked = waiting.get(job);
        if (asked == null) {
            return Optional.empty();
        }
        List<String> queue = queue();
        int position = queue.indexOf(job);
        Optional<String> next = position == 0 ? Optional.empty() : Optional.of(queue.get(0));
        Asked head = waiting.getOrDefault(queue.get(0), asked);
        Waiting.Taken taken = head.memoryBytes() > freeMemory()
                ? new Waiting.Taken.Memory(memory - freeMemory(), memory)
                : new Waiting.Taken.Cores(ledger.size() - ledger.free(), ledger.size());
        List<String> holders = ledger.leases().stream().map(CoreLease::job).toList();
        return Optional.of(new Waiting(position, taken, holders, next));
    }

    /** The waiting jobs, the next one first. */
    public List<String> queue() {
        return List.copyOf(waiting.keySet());
    }

    /** What is held now, in the order in which it was given. */
    public List<CoreLease> leases() {
        return ledger.leases();
    }

    public int freeCores() {
        return ledger.free();
    }

    private static String count(int cores) {
        return cores + (cores == 1 ? " core" : " cores");
    }
}

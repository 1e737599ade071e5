package org.vse.scheduler.local;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Which job has which cores of this node. Values in, values out; its owner calls it from one thread at a time.
 *
 * <p>Guarantees: a core of a job that did not agree to share is in no other lease; a core of jobs that did is in at most as
 * many leases as the node allows. A job's cores are of one NUMA node whenever one has enough; of several that have, the one
 * with the fewest to spare, so that wide jobs find room longer.
 */
final class CoreLedger {
    private final List<List<Integer>> memories;
    private final Set<Integer> cores = new LinkedHashSet<>();
    private final int sharers;
    private final Map<String, CoreLease> leases = new LinkedHashMap<>();

    /**
     * An empty ledger.
     *
     * @param memories the node's cores by NUMA node, each in the order in which they are given away
     * @param sharers most jobs on a core, when all of them agreed to share; at least 1
     */
    CoreLedger(List<? extends Collection<Integer>> memories, int sharers) {
        this.memories = memories.stream().map(List::copyOf).toList();
        this.memories.forEach(cores::addAll);
        this.sharers = sharers;
        int count = this.memories.stream().mapToInt(List::size).sum();
        if (cores.isEmpty()
                || cores.size() != count
                || sharers < 1
                || cores.stream().anyMatch(core -> core < 0)) {
            throw new IllegalArgumentException("not the cores of a node: " + memories + ", shared by " + sharers);
        }
    }

    /**
     * Enters what a job holds already. Cores that are not this node's stay with their job until it gives them back.
     *
     * @throws VseException JOURNAL_CORRUPT when the job holds something else, or a core cannot be shared with its other holder
     */
    void restore(CoreLease lease) {
        for (CoreLease other : leases.values()) {
            boolean together = lease.shared() && other.shared();
            boolean overlap = other.cores().stream().anyMatch(lease.cores()::contains);
            if (other.job().equals(lease.job()) || (overlap && !together)) {
                throw VseException.of(ErrorCode.JOURNAL_CORRUPT, "two leases that exclude each other")
                        .fact("first", other.job() + " holds " + other.cores())
                        .fact("second", lease.job() + " holds " + lease.cores())
                        .next("end one of the two jobs");
            }
        }
        leases.put(lease.job(), lease);
    }

    /** Gives a job cores; empty when there are not enough now. */
    Optional<CoreLease> take(String job, Asked asked) {
        for (int holders = 0; holders < (asked.shared() ? sharers : 1); holders++) {
            List<Integer> chosen = choose(asked.cores(), asked.shared(), holders);
            if (!chosen.isEmpty()) {
                CoreLease lease = new CoreLease(job, chosen, asked.memoryBytes(), asked.shared());
                leases.put(job, lease);
                return Optional.of(lease);
            }
        }
        return Optional.empty();
    }

    /** Gives a job the cores that were chosen for it; empty when another job has one of them for itself. */
    Optional<CoreLease> take(String job, Asked asked, List<Integer> chosen) {
        if (!chosen.stream().allMatch(core -> cores.contains(core) && isOpen(core, asked.shared(), sharers - 1))) {
            return Optional.empty();
        }
        CoreLease lease = new CoreLease(job, chosen, asked.memoryBytes(), asked.shared());
        leases.put(job, lease);
        return Optional.of(lease);
    }

    /** Cores with at most that many holders; none when there are not enough. */
    private List<Integer> choose(int count, boolean shared, int holders) {
        List<List<Integer>> open = memories.stream()
                .map(memory -> memory.stream()
                        .filter(core -> isOpen(core, shared, holders))
                        .toList())
                .toList();
        Optional<List<Integer>> one =
                open.stream().filter(memory -> memory.size() >= count).min(Comparator.comparingInt(List::size));
        if (one.isPresent()) {
            return one.get().subList(0, count);
        }
        List<Integer> all = new ArrayList<>();
        open.stream().sorted(Comparator.comparingInt(memory -> -memory.size())).forEach(all::addAll);
        return all.size() < count ? List.of() : all.subList(0, count);
    }

    private boolean isOpen(int core, boolean shared, int most) {
        int holders = 0;
        for (CoreLease lease : leases.values()) {
            if (lease.cores().contains(core)) {
                if (!shared || !lease.shared()) {
                    return false;
                }
                holders++;
            }
        }
        return holders <= most;
    }

    /** @return false when the job holds nothing */
    boolean giveBack(String job) {
        return leases.remove(job) != null;
    }

    /** What is held now, in the order in which it was given. */
    List<CoreLease> leases() {
        return List.copyOf(leases.values());
    }

    boolean holds(String job) {
        return leases.containsKey(job);
    }

    /** Cores of this node. */
    int size() {
        return cores.size();
    }

    /** Cores of this node that nobody holds. */
    int free() {
        return (int) cores.stream().filter(core -> isOpen(core, false, 0)).count();
    }
}

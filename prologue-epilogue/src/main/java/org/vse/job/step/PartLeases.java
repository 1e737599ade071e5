package org.vse.job.step;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.job.lifecycle.Job;
import org.vse.provisioner.guest.GuestSetup;

/**
 * Until when this node holds its parts of other nodes' jobs. A part that nobody has held for as long as its lease is ended:
 * its first node is gone, or cut off, and the job may be running elsewhere.
 */
public final class PartLeases {
    private final Duration longest;
    private final GrowthWatch growth;
    private final Map<String, Lease> leases = new ConcurrentHashMap<>();

    /** Counted by a clock that nobody sets. */
    private record Lease(Duration length, long since, boolean released) {
        boolean isOver() {
            return !released && System.nanoTime() - since > length.toNanos();
        }
    }

    /** @param longest how long a part lives at most without a word from its first node */
    public PartLeases(Duration longest, GrowthWatch growth) {
        this.longest = longest;
        this.growth = growth;
    }

    /** How long a part lives at most without a word from its first node. */
    public Duration length() {
        return longest;
    }

    /**
     * Takes a part in: keeps the key that its job's machines share, and holds it.
     *
     * @param asked how long the first node waits for an answer
     */
    public void begin(Job job, GuestSetup.SshKey key, Duration asked) {
        JobKeys.keep(key, job.files().key());
        Duration length = asked.compareTo(longest) < 0 ? asked : longest;
        leases.put(job.record().tag(), new Lease(length, System.nanoTime(), false));
    }

    /** The first node has spoken. */
    public void renew(Job job) {
        leases.compute(
                job.record().tag(),
                (tag, before) -> before != null && before.released()
                        ? before
                        : new Lease(before == null ? longest : before.length(), System.nanoTime(), false));
    }

    /** The first node needs the part no more. */
    public void release(Job job) {
        leases.put(job.record().tag(), new Lease(longest, System.nanoTime(), true));
        growth.wake(job.files().directory());
    }

    /** Nothing of the part is left. */
    void forget(Job job) {
        leases.remove(job.record().tag());
    }

    /** True once {@link #release} was called. */
    boolean isReleased(Job job) {
        Lease lease = leases.get(job.record().tag());
        return lease != null && lease.released();
    }

    /** True when nobody has held the part for as long as its lease; one that was just taken up again has a whole lease. */
    public boolean isOver(Job job) {
        return leases.computeIfAbsent(job.record().tag(), tag -> new Lease(longest, System.nanoTime(), false))
                .isOver();
    }
}

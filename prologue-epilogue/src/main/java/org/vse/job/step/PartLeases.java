package org.vse.job.step;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
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
    private final Duration lease;
    private final GrowthWatch growth;
    private final Clock clock;
    private final Map<String, Instant> until = new ConcurrentHashMap<>();

    /** @param lease how long a part lives without a word from its first node */
    public PartLeases(Duration lease, GrowthWatch growth, Clock clock) {
        this.lease = lease;
        this.growth = growth;
        this.clock = clock;
    }

    /** How long a part lives without a word from its first node. */
    public Duration length() {
        return lease;
    }

    /** Takes a part in: keeps the key that its job's machines share, and holds it. */
    public void begin(Job job, GuestSetup.SshKey key) {
        JobKeys.keep(key, job.files().key());
        renew(job);
    }

    /** The first node has spoken. */
    public void renew(Job job) {
        until.put(job.record().tag(), clock.instant().plus(lease));
    }

    /** The first node needs the part no more. */
    public void release(Job job) {
        until.put(job.record().tag(), Instant.MIN);
        growth.wake(job.files().directory());
    }

    /** Nothing of the part is left. */
    void forget(Job job) {
        until.remove(job.record().tag());
    }

    /** True once {@link #release} was called. */
    boolean isReleased(Job job) {
        return Instant.MIN.equals(until.get(job.record().tag()));
    }

    /** True when nobody has held the part for as long as its lease; one that was just taken up again has a whole lease. */
    public boolean isOver(Job job) {
        Instant end = until.computeIfAbsent(
                job.record().tag(), unknown -> clock.instant().plus(lease));
        return clock.instant().isAfter(end);
    }
}

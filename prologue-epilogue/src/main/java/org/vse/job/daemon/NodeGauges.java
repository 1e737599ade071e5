package org.vse.job.daemon;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobState;
import org.vse.job.metrics.Metric;
import org.vse.job.metrics.NodeMetrics;
import org.vse.ledger.Ledger;
import org.vse.scheduler.local.CoreLease;

/** What is so on this node now, for its metrics. */
final class NodeGauges {
    private final JobTable table;
    private final LocalDesk desk;
    private final Clock clock;

    private NodeGauges(JobTable table, LocalDesk desk, Clock clock) {
        this.table = table;
        this.desk = desk;
        this.clock = clock;
    }

    /** Has the metrics ask this node. */
    static void into(NodeMetrics metrics, JobTable table, LocalDesk desk, SiteLedger site, Ledger ledger, Clock clock) {
        NodeGauges now = new NodeGauges(table, desk, clock);
        metrics.gauge(Metric.JOBS, "queued", () -> desk.pending().size());
        for (JobState state : JobState.values()) {
            if (!state.isFinal()) {
                metrics.gauge(
                        Metric.JOBS,
                        state.name().toLowerCase(Locale.ROOT),
                        () -> now.living().filter(job -> job.state() == state).count());
            }
        }
        metrics.gauge(Metric.VMS, now::machines);
        metrics.gauge(Metric.CORES, () -> desk.config().cores().size());
        metrics.gauge(Metric.CORES_LEASED, now::coresLeased);
        metrics.gauge(Metric.MEMORY, () -> desk.config().memory());
        metrics.gauge(
                Metric.MEMORY_LEASED,
                () -> desk.leases().stream().mapToLong(CoreLease::memoryBytes).sum());
        metrics.gauge(Metric.UNSHIPPED, () -> site.lag().known() ? site.lag().bytes() : Double.NaN);
        metrics.gauge(Metric.UNSHIPPED_AGE, () -> now.unshippedAge(site.lag()));
        metrics.gauge(
                Metric.HEAD_SILENT,
                () -> site.isShipping() ? now.secondsSince(site.lag().heard()) : 0);
        metrics.gauge(Metric.BEHIND, () -> ledger.isBehind() ? 1 : 0);
    }

    private Stream<Job> living() {
        return table.all().stream().filter(job -> !job.state().isFinal());
    }

    /** Of jobs whose machines have been created: these run, or stand still. */
    private long machines() {
        String here = desk.config().node();
        return living().filter(job -> job.state().compareTo(JobState.CREATED) >= 0)
                .mapToLong(job -> job.record().machinesOn(here).size())
                .sum();
    }

    /** A core that several jobs share counts once. */
    private long coresLeased() {
        return desk.leases().stream()
                .flatMap(lease -> lease.cores().stream())
                .distinct()
                .count();
    }

    private double unshippedAge(SiteLedger.Lag lag) {
        return lag.known() ? secondsSince(lag.oldest()) : Double.NaN;
    }

    private double secondsSince(@Nullable Instant then) {
        return then == null
                ? 0
                : Math.max(0, Duration.between(then, clock.instant()).toMillis() / 1000.0);
    }
}

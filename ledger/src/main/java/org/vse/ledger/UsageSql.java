package org.vse.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The sums of {@link Usage} as SQL over {@code vm_run r}, in whole numbers, so that parts add up to their whole. */
record UsageSql(Engine engine, VmIntervalQuery query, Instant now) {
    String sums() {
        @Nullable Instant since = query.since();
        @Nullable Instant until = query.until();
        long to = Math.max(0, Micros.of(until == null || until.isAfter(now) ? now : until));
        String end = "COALESCE(r.ended, " + to + ")";
        String begin = "r.started";
        String endedInside = "";
        if (until != null) {
            end = engine.least() + "(" + end + ", " + to + ")";
            endedInside += " AND r.ended < " + Math.max(0, Micros.of(until));
        }
        if (since != null) {
            long from = Math.max(0, Micros.of(since));
            begin = engine.greatest() + "(r.started, " + from + ")";
            endedInside += " AND r.ended >= " + from;
        }
        String time = engine.greatest() + "(0, " + end + " - " + begin + ")";
        return "COUNT(*) AS vms"
                + ", COUNT(*) - COUNT(r.ended) AS running"
                + ", SUM(" + time + " * r.core_count) AS core_micros"
                + (endedInside.isEmpty()
                        ? ", COALESCE(SUM(r.cpu_nanos / 1000), 0) AS cpu_micros"
                        : ", COALESCE(SUM(CASE WHEN " + endedInside.substring(" AND ".length())
                                + " THEN r.cpu_nanos / 1000 END), 0) AS cpu_micros")
                + ", SUM((r.memory_bytes >> 20) * (" + time + " / 1000)) AS memory_mib_millis"
                + ", MIN(r.started) AS first";
    }
}

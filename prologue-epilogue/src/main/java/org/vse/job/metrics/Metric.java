package org.vse.job.metrics;

import java.util.List;

/**
 * What a node tells Prometheus; the names, units and labels are those of docs/metrics.md. No label has a value that a user
 * chooses: steps, results, error codes and accelerators are closed sets.
 */
public enum Metric {
    VERSION("vse_version", Kind.GAUGE, "version"),
    STEP("vse_step_duration_seconds", Kind.HISTOGRAM, "step result"),
    JOBS("vse_jobs", Kind.GAUGE, "state"),
    ADMITTED("vse_jobs_admitted_total", Kind.COUNTER, ""),
    SETTLED("vse_jobs_settled_total", Kind.COUNTER, "exit"),
    FAILURES("vse_job_failures_total", Kind.COUNTER, "code"),
    REFUSALS("vse_job_refusals_total", Kind.COUNTER, "code"),
    VMS("vse_vms", Kind.GAUGE, ""),
    VM_STARTS("vse_vm_starts_total", Kind.COUNTER, "accelerator"),
    VM_ENDS("vse_vm_ends_total", Kind.COUNTER, "why"),
    VM_CPU("vse_vm_cpu_seconds_total", Kind.COUNTER, ""),
    CHECKPOINT_BYTES("vse_checkpoint_bytes", Kind.SUMMARY, ""),
    CHECKPOINT_STILL("vse_checkpoint_still_seconds", Kind.HISTOGRAM, ""),
    RESTORE_BYTES("vse_restore_bytes", Kind.SUMMARY, ""),
    RESTORE_TIME("vse_restore_duration_seconds", Kind.HISTOGRAM, ""),
    IMAGE_CACHE("vse_image_cache_total", Kind.COUNTER, "result"),
    IMAGE_FETCH_BYTES("vse_image_fetch_bytes", Kind.SUMMARY, ""),
    IMAGE_FETCH_TIME("vse_image_fetch_duration_seconds", Kind.HISTOGRAM, ""),
    CORES("vse_cores", Kind.GAUGE, ""),
    CORES_LEASED("vse_cores_leased", Kind.GAUGE, ""),
    MEMORY("vse_memory_bytes", Kind.GAUGE, ""),
    MEMORY_LEASED("vse_memory_leased_bytes", Kind.GAUGE, ""),
    UNSHIPPED("vse_ledger_unshipped_bytes", Kind.GAUGE, ""),
    UNSHIPPED_AGE("vse_ledger_unshipped_age_seconds", Kind.GAUGE, ""),
    HEAD_SILENT("vse_ledger_head_silent_seconds", Kind.GAUGE, ""),
    BEHIND("vse_ledger_database_behind", Kind.GAUGE, "");

    private final String prometheus;
    private final Kind kind;
    /** Separated by blanks. */
    private final String labels;

    Metric(String prometheus, Kind kind, String labels) {
        this.prometheus = prometheus;
        this.kind = kind;
        this.labels = labels;
    }

    /** How Prometheus calls it. */
    public String prometheus() {
        return prometheus;
    }

    public Kind kind() {
        return kind;
    }

    /** Names of its labels beside {@code node}, which each metric has. */
    public List<String> labels() {
        return labels.isEmpty() ? List.of() : List.of(labels.split(" "));
    }

    /** Its name in the registry, which adds what it knows of each kind again. */
    String registered() {
        String added = switch (kind) {
            case COUNTER -> "_total";
            case GAUGE -> "";
            case HISTOGRAM -> "_seconds";
            case SUMMARY -> "_bytes";
        };
        return prometheus.substring(0, prometheus.length() - added.length()).replace('_', '.');
    }

    /** What a metric is to Prometheus. */
    public enum Kind {
        /** Only grows, from 0 at the daemon's start. */
        COUNTER,
        /** What is so now. */
        GAUGE,
        /** {@code _bucket}, {@code _sum} and {@code _count}. */
        HISTOGRAM,
        /** {@code _sum} and {@code _count}. */
        SUMMARY
    }
}

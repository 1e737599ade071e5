package org.vse.job.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.failure.ErrorCode;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.lifecycle.StepWatch.End;
import org.vse.ledger.Ending;
import org.vse.ledger.JobKey;
import org.vse.ledger.LedgerEvent;
import org.vse.ledger.Machine;
import org.vse.ledger.Submitter;
import org.vse.ledger.VmEnd;

class NodeMetricsTest {
    private static final Instant NOW = Instant.parse("2026-11-21T08:00:00Z");
    private static final Submitter CAROL = new Submitter("carol", 4321, "batch");

    @TempDir
    Path dir;

    private final NodeMetrics metrics = new NodeMetrics("n1", "0.1.0");

    @AfterEach
    void close() {
        metrics.close();
    }

    private static JobKey key(String id) {
        return new JobKey("here", "local", id, 1);
    }

    private static List<LedgerEvent> oneOfEach(String id) {
        UUID opened = UUID.randomUUID();
        JobKey key = key(id);
        return List.of(
                new LedgerEvent.JobAdmitted(
                        UUID.randomUUID(), NOW, key, CAROL, "debian-12", "sha256:00", List.of("n1")),
                new LedgerEvent.ImageFetched(
                        UUID.randomUUID(), NOW, key, "n1", "debian-12", "sha256:00", 1000, Duration.ofSeconds(2)),
                new LedgerEvent.Checkpointed(UUID.randomUUID(), NOW, key, "n1", "set/1", 5000, Duration.ofMillis(250)),
                new LedgerEvent.Restored(UUID.randomUUID(), NOW, key, "n1", "set/1", 5000, Duration.ofSeconds(1)),
                new LedgerEvent.VmOpened(
                        opened,
                        NOW,
                        key,
                        CAROL,
                        new Machine("vm0", 0, "n1", List.of(0), 1, 1 << 20, "debian-12", "sha256:00", "TCG"),
                        NOW),
                new LedgerEvent.VmClosed(
                        UUID.randomUUID(),
                        NOW,
                        key,
                        opened,
                        new Ending(NOW.plusSeconds(9), VmEnd.FINISHED, 1_500_000_000L, 1L)),
                new LedgerEvent.JobRefused(UUID.randomUUID(), NOW, key, CAROL, ErrorCode.IMAGE_UNKNOWN),
                new LedgerEvent.JobFailed(UUID.randomUUID(), NOW, key, CAROL, ErrorCode.GUEST_DIED),
                new LedgerEvent.JobSettled(UUID.randomUUID(), NOW, key, CAROL, 0),
                new LedgerEvent.JobSettled(UUID.randomUUID(), NOW, key, CAROL, 7));
    }

    @Test
    void everyKindOfEventIsCountedInItsUnit() {
        oneOfEach("local-1").forEach(metrics::recorded);
        assertThat(metrics.text().lines())
                .contains(
                        "vse_version{node=\"n1\",version=\"0.1.0\"} 1.0",
                        "vse_jobs_admitted_total{node=\"n1\"} 1.0",
                        "vse_image_fetch_bytes_sum{node=\"n1\"} 1000.0",
                        "vse_image_fetch_duration_seconds_sum{node=\"n1\"} 2.0",
                        "vse_checkpoint_bytes_count{node=\"n1\"} 1",
                        "vse_checkpoint_bytes_sum{node=\"n1\"} 5000.0",
                        "vse_checkpoint_still_seconds_sum{node=\"n1\"} 0.25",
                        "vse_checkpoint_still_seconds_bucket{node=\"n1\",le=\"0.1\"} 0",
                        "vse_checkpoint_still_seconds_bucket{node=\"n1\",le=\"0.3\"} 1",
                        "vse_restore_bytes_sum{node=\"n1\"} 5000.0",
                        "vse_restore_duration_seconds_sum{node=\"n1\"} 1.0",
                        "vse_vm_starts_total{accelerator=\"tcg\",node=\"n1\"} 1.0",
                        "vse_vm_ends_total{node=\"n1\",why=\"finished\"} 1.0",
                        "vse_vm_cpu_seconds_total{node=\"n1\"} 1.5",
                        "vse_job_refusals_total{code=\"IMAGE_UNKNOWN\",node=\"n1\"} 1.0",
                        "vse_job_failures_total{code=\"GUEST_DIED\",node=\"n1\"} 1.0",
                        "vse_jobs_settled_total{exit=\"zero\",node=\"n1\"} 1.0",
                        "vse_jobs_settled_total{exit=\"other\",node=\"n1\"} 1.0");
    }

    @Test
    void anEventThatIsToldAgainCountsOnce() {
        List<LedgerEvent> events = oneOfEach("local-1");
        events.forEach(metrics::recorded);
        events.forEach(metrics::recorded);
        assertThat(metrics.text().lines())
                .contains("vse_jobs_admitted_total{node=\"n1\"} 1.0", "vse_checkpoint_bytes_sum{node=\"n1\"} 5000.0");
    }

    @Test
    void anEndThatTheHeadConcludedForALostNodeIsNotOfThisOne() {
        metrics.recorded(new LedgerEvent.VmClosed(
                UUID.randomUUID(),
                NOW,
                key("7"),
                UUID.randomUUID(),
                new Ending(NOW, VmEnd.LOST, null, null, null, null, "the node's last word")));
        assertThat(metrics.text()).doesNotContain("vse_vm_ends_total{");
    }

    @Test
    void stepsAreTimedAndAnImageThatCameIsAMiss() throws IOException {
        Job first = JobFixture.admitted(dir, "local-1");
        Job second = JobFixture.admitted(dir, "local-2");
        metrics.recorded(new LedgerEvent.ImageFetched(
                UUID.randomUUID(), NOW, key("local-1"), "n1", "test", "sha256:00", 1, Duration.ofMillis(1)));
        metrics.ended(first, "stage", End.DONE, Duration.ofMillis(1500));
        metrics.ended(second, "stage", End.DONE, Duration.ofMillis(10));
        metrics.ended(second, "create", End.FAILED, Duration.ofMillis(10));
        metrics.ended(second, "stage", End.UNDONE, Duration.ofMillis(20));
        first.close();
        second.close();
        assertThat(metrics.text().lines())
                .contains(
                        "vse_image_cache_total{node=\"n1\",result=\"miss\"} 1.0",
                        "vse_image_cache_total{node=\"n1\",result=\"hit\"} 1.0",
                        "vse_step_duration_seconds_sum{node=\"n1\",result=\"done\",step=\"stage\"} 1.51",
                        "vse_step_duration_seconds_count{node=\"n1\",result=\"undone\",step=\"stage\"} 1",
                        "vse_step_duration_seconds_bucket{node=\"n1\",result=\"done\",step=\"stage\",le=\"1.0\"} 1",
                        "vse_step_duration_seconds_count{node=\"n1\",result=\"failed\",step=\"create\"} 1");
    }

    @Test
    void whatIsSoIsAskedForEachTime() {
        List<String> leases = new ArrayList<>();
        metrics.gauge(Metric.CORES_LEASED, leases::size);
        metrics.gauge(Metric.JOBS, "queued", () -> {
            throw new IllegalStateException("as asked");
        });
        leases.add("local-1");
        assertThat(metrics.text().lines())
                .contains("vse_cores_leased{node=\"n1\"} 1.0", "vse_jobs{node=\"n1\",state=\"queued\"} NaN");
    }

    @Test
    void namesKindsAndLabelsAreThoseOfTheEnumAndNobodysJobIsInThem() throws IOException {
        oneOfEach("job-of-carol").forEach(metrics::recorded);
        Job job = JobFixture.admitted(dir, "job-of-carol");
        metrics.ended(job, "run", End.DONE, Duration.ofSeconds(1));
        job.close();
        for (Metric metric : Metric.values()) {
            if (metric.kind() == Metric.Kind.GAUGE && metric != Metric.VERSION) {
                if (metric.labels().isEmpty()) {
                    metrics.gauge(metric, () -> 1);
                } else {
                    metrics.gauge(metric, "queued", () -> 1);
                }
            }
        }
        String text = metrics.text();
        assertThat(text).doesNotContain("carol").doesNotContain("batch").doesNotContain("4321");
        for (Metric metric : Metric.values()) {
            String kind = metric.kind().name().toLowerCase(java.util.Locale.ROOT);
            assertThat(text.lines()).contains("# TYPE " + metric.prometheus() + " " + kind);
            Set<String> labels = new TreeSet<>(metric.labels());
            labels.add("node");
            Pattern one = Pattern.compile("(?m)^" + metric.prometheus() + "(?:_sum)?\\{([^}]*)}");
            assertThat(one.matcher(text).results().map(NodeMetricsTest::labels))
                    .as(metric.prometheus())
                    .isNotEmpty()
                    .allMatch(labels::equals);
        }
        Set<String> known = new TreeSet<>();
        for (Metric metric : Metric.values()) {
            known.add(metric.prometheus());
            if (metric.kind() == Metric.Kind.HISTOGRAM || metric.kind() == Metric.Kind.SUMMARY) {
                known.add(metric.prometheus() + "_max");
            }
        }
        assertThat(text.lines().filter(line -> line.startsWith("# TYPE ")).map(line -> line.split(" ")[2]))
                .containsExactlyInAnyOrderElementsOf(known);
    }

    private static Set<String> labels(MatchResult found) {
        return new TreeSet<>(Pattern.compile("([a-z]+)=\"")
                .matcher(found.group(1))
                .results()
                .map(label -> label.group(1))
                .toList());
    }
}

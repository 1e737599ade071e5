package org.vse.job.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.DoubleSupplier;
import java.util.stream.LongStream;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.StepWatch;
import org.vse.ledger.LedgerEvent;

/**
 * The metrics of one node since its daemon began. What happens is counted from the ledger's events and the ends of steps;
 * what is so is asked for when somebody reads. May be used by several threads.
 */
public final class NodeMetrics implements StepWatch, AutoCloseable {
    /** What the text of {@link #text} is, as Prometheus wants to be told. */
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    /** From the tenth of a second that a share takes to the days that a job runs. */
    private static final Duration[] BUCKETS = LongStream.of(
                    100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 10_000_000, 100_000_000)
            .mapToObj(Duration::ofMillis)
            .toArray(Duration[]::new);

    private static final String STAGE = "stage";
    /** Events that are told again soon, when a job is taken down a second time, are among so many last ones. */
    private static final int REMEMBERED = 10_000;

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Set<UUID> counted = Collections.synchronizedSet(Collections.newSetFromMap(new Recent<>()));
    /** Attempts whose image came to this node. */
    private final Set<String> fetched = Collections.synchronizedSet(Collections.newSetFromMap(new Recent<>()));

    private final Counting counting = new Counting();

    /**
     * Begins with every number at 0.
     *
     * @param node a label of every metric
     */
    public NodeMetrics(String node, String version) {
        registry.config().commonTags("node", node);
        gauge(Metric.VERSION, Tags.of("version", version), () -> 1);
        counter(Metric.ADMITTED);
        counter(Metric.VM_CPU);
        counter(Metric.SETTLED, "exit", "zero");
        counter(Metric.SETTLED, "exit", "other");
        counter(Metric.IMAGE_CACHE, "result", "hit");
        counter(Metric.IMAGE_CACHE, "result", "miss");
        timer(Metric.CHECKPOINT_STILL, Tags.empty());
        timer(Metric.RESTORE_TIME, Tags.empty());
        timer(Metric.IMAGE_FETCH_TIME, Tags.empty());
        bytes(Metric.CHECKPOINT_BYTES);
        bytes(Metric.RESTORE_BYTES);
        bytes(Metric.IMAGE_FETCH_BYTES);
    }

    /** Asks for a number whenever somebody reads; one that throws is not a number. */
    public void gauge(Metric metric, DoubleSupplier now) {
        gauge(metric, Tags.empty(), now);
    }

    /** The same of a metric that has one label. */
    public void gauge(Metric metric, String label, DoubleSupplier now) {
        gauge(metric, Tags.of(metric.labels().get(0), label), now);
    }

    private void gauge(Metric metric, Tags tags, DoubleSupplier now) {
        Gauge.builder(metric.registered(), now::getAsDouble)
                .tags(tags)
                .strongReference(true)
                .register(registry);
    }

    /** Counts an event of this node's ledger; one that is told again counts once. */
    public void recorded(LedgerEvent event) {
        if (counted.add(event.id())) {
            event.in(counting);
        }
    }

    @Override
    public void ended(Job job, String step, End end, Duration took) {
        timer(Metric.STEP, Tags.of("step", step, "result", word(end))).record(took);
        if (step.equals(STAGE) && end != End.UNDONE) {
            boolean came = fetched.remove(attempt(
                    job.record().scheduler(), job.record().id(), job.record().attempt()));
            if (end == End.DONE) {
                counter(Metric.IMAGE_CACHE, "result", came ? "miss" : "hit").increment();
            }
        }
    }

    /** Everything, in the text format of Prometheus, {@link #CONTENT_TYPE}. */
    public String text() {
        return registry.scrape();
    }

    @Override
    public void close() {
        registry.close();
    }

    private Counter counter(Metric metric, String... labels) {
        return registry.counter(metric.registered(), labels);
    }

    private Timer timer(Metric metric, Tags tags) {
        return Timer.builder(metric.registered())
                .tags(tags)
                .serviceLevelObjectives(BUCKETS)
                .register(registry);
    }

    private DistributionSummary bytes(Metric metric) {
        return DistributionSummary.builder(metric.registered())
                .baseUnit("bytes")
                .register(registry);
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String attempt(String scheduler, String id, int attempt) {
        return scheduler + '\0' + id + '\0' + attempt;
    }

    private final class Counting implements LedgerEvent.Cases<Boolean> {
        @Override
        public Boolean admitted(LedgerEvent.JobAdmitted event) {
            counter(Metric.ADMITTED).increment();
            return true;
        }

        @Override
        public Boolean fetched(LedgerEvent.ImageFetched event) {
            fetched.add(attempt(
                    event.job().scheduler(), event.job().id(), event.job().attempt()));
            bytes(Metric.IMAGE_FETCH_BYTES).record((double) event.bytes());
            timer(Metric.IMAGE_FETCH_TIME, Tags.empty()).record(event.took());
            return true;
        }

        @Override
        public Boolean checkpointed(LedgerEvent.Checkpointed event) {
            bytes(Metric.CHECKPOINT_BYTES).record((double) event.bytes());
            timer(Metric.CHECKPOINT_STILL, Tags.empty()).record(event.paused());
            return true;
        }

        @Override
        public Boolean restored(LedgerEvent.Restored event) {
            bytes(Metric.RESTORE_BYTES).record((double) event.bytes());
            timer(Metric.RESTORE_TIME, Tags.empty()).record(event.took());
            return true;
        }

        @Override
        public Boolean opened(LedgerEvent.VmOpened event) {
            counter(
                            Metric.VM_STARTS,
                            "accelerator",
                            event.machine().accelerator().toLowerCase(Locale.ROOT))
                    .increment();
            return true;
        }

        @Override
        public Boolean closed(LedgerEvent.VmClosed event) {
            if (event.ending().evidence() != null) {
                // The head has concluded it for a node that was lost.
                return false;
            }
            counter(Metric.VM_ENDS, "why", word(event.ending().why())).increment();
            Long cpuNanos = event.ending().cpuNanos();
            counter(Metric.VM_CPU).increment(cpuNanos == null ? 0 : cpuNanos / 1e9);
            return true;
        }

        @Override
        public Boolean refused(LedgerEvent.JobRefused event) {
            counter(Metric.REFUSALS, "code", event.code().name()).increment();
            return true;
        }

        @Override
        public Boolean failed(LedgerEvent.JobFailed event) {
            counter(Metric.FAILURES, "code", event.code().name()).increment();
            return true;
        }

        @Override
        public Boolean settled(LedgerEvent.JobSettled event) {
            counter(Metric.SETTLED, "exit", event.exitCode() == 0 ? "zero" : "other")
                    .increment();
            return true;
        }
    }

    /** The last {@link #REMEMBERED} keys. */
    private static final class Recent<K> extends LinkedHashMap<K, Boolean> {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, Boolean> eldest) {
            return size() > REMEMBERED;
        }
    }
}

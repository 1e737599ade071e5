package org.vse.test.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.vse.job.metrics.Metric;
import org.vse.job.metrics.Metric.Kind;

/** docs/metrics.md has every metric with its kind and labels, and no other; the dashboard asks for none that there is not. */
class MetricsDocumentTest {
    private static final Pattern ROW = Pattern.compile("\\| `(vse_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) ?\\| [^|]+ \\|");
    private static final Pattern NAME = Pattern.compile("vse_[a-z_]+");

    @Test
    void everyMetricWithItsKindAndLabelsAndNoOther() throws IOException {
        List<String> documented = Files.readAllLines(Path.of("../docs/metrics.md")).stream()
                .map(ROW::matcher)
                .filter(Matcher::matches)
                .map(row -> row.group(1) + " " + row.group(2) + " "
                        + row.group(3).replace("`", "").replace(",", "").strip())
                .toList();
        assertThat(documented)
                .isEqualTo(Arrays.stream(Metric.values())
                        .map(metric -> metric.prometheus() + " "
                                + metric.kind().name().toLowerCase(Locale.ROOT) + " "
                                + String.join(" ", metric.labels()))
                        .toList());
    }

    @Test
    void theDashboardAsksForWhatThereIsAndForAllOfIt() throws IOException {
        JsonNode dashboard = new ObjectMapper().readTree(Files.readString(Path.of("../docs/grafana/vse.json")));
        Set<String> asked = dashboard.findValuesAsText("expr").stream()
                .flatMap(expression -> NAME.matcher(expression).results().map(found -> found.group()))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> known = Arrays.stream(Metric.values())
                .flatMap(MetricsDocumentTest::series)
                .collect(Collectors.toSet());
        assertThat(known).containsAll(asked);
        assertThat(Metric.values())
                .allSatisfy(metric -> assertThat(asked)
                        .as(metric.prometheus())
                        .containsAnyElementsOf(series(metric).toList()));
        assertThat(dashboard.path("templating").toString()).contains("label_values(vse_cores, node)");
    }

    private static Stream<String> series(Metric metric) {
        String name = metric.prometheus();
        return metric.kind() == Kind.HISTOGRAM
                ? Stream.of(name + "_bucket", name + "_sum", name + "_count")
                : metric.kind() == Kind.SUMMARY ? Stream.of(name + "_sum", name + "_count") : Stream.of(name);
    }
}

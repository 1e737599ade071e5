package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The reports in {@code docs/examples} are those of a ledger that a real cluster has written: {@code cluster-run.ledger} is
 * what {@code vse ledger export} printed after a system test.
 */
class ReportExamplesTest {
    private static final Path EXAMPLES = Path.of("../docs/examples");
    private static final String REWRITE = "mvn package -pl ledger -am -Dtest=ReportExamplesTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Dvse.examples.rewrite=true";

    @TempDir
    Path directory;

    @Test
    void everyReportIsWhatTheDocumentsShow() throws IOException {
        Map<String, String> reports = reports();
        if (Boolean.getBoolean("vse.examples.rewrite")) {
            for (Map.Entry<String, String> report : reports.entrySet()) {
                Files.writeString(EXAMPLES.resolve(report.getKey()), report.getValue());
            }
        }
        try (Stream<Path> files = Files.list(EXAMPLES)) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("report-")))
                    .as(REWRITE)
                    .containsExactlyInAnyOrderElementsOf(reports.keySet());
        }
        for (Map.Entry<String, String> report : reports.entrySet()) {
            assertThat(Files.readString(EXAMPLES.resolve(report.getKey())))
                    .as(REWRITE)
                    .isEqualTo(report.getValue());
        }
    }

    @Test
    void aCheckpointAndWhatWasRestoredAreInThem() throws IOException {
        Map<String, String> reports = reports();
        assertThat(reports.get("report-vms.txt")).contains("CHECKPOINTED");
        assertThat(reports.get("report-vms.html"))
                .contains("\"kind\":\"CHECKPOINTED\"")
                .contains("\"kind\":\"RESTORED\"");
    }

    /** By name of their file. */
    private Map<String, String> reports() throws IOException {
        List<LedgerEvent> events = new ArrayList<>();
        try (InputStream archive =
                Objects.requireNonNull(ReportExamplesTest.class.getResourceAsStream("cluster-run.ledger"))) {
            LedgerArchive.read(archive, 1_000, events::addAll);
        }
        Instant now =
                events.stream().map(LedgerEvent::at).max(Instant::compareTo).orElseThrow();
        Map<String, String> reports = new LinkedHashMap<>();
        try (Ledger ledger = Ledger.open(directory.resolve("ledger"))) {
            ledger.add(events);
            VmIntervalQuery all = VmIntervalQuery.all();
            VmReport vms = new VmReport(ledger.intervals(all), ledger.marks(all), false, null, null, now);
            reports.put("report-vms.txt", asked("vms", vms.render(ReportFormat.TABLE, ZoneOffset.UTC)));
            reports.put("report-vms.html", vms.render(ReportFormat.HTML, ZoneOffset.UTC));
            for (Grouping grouping : Grouping.values()) {
                String table = new UsageReport(grouping, ledger.usage(grouping, all, now), false, null, null, now)
                        .render(ReportFormat.TABLE, ZoneOffset.UTC);
                reports.put("report-" + grouping.word() + ".txt", asked(grouping.word(), table));
            }
        }
        return reports;
    }

    private static String asked(String what, String answer) {
        return "$ vse report " + what + "\n" + answer;
    }
}

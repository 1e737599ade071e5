package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vse.ledger.Events.ALICE;
import static org.vse.ledger.Events.T0;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vse.failure.VseException;

class VmReportTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");
    private static final Instant NOW = T0.plusSeconds(7200);

    private final LedgerEvent.VmOpened first = Events.opened("local-7", T0);
    private final LedgerEvent.VmClosed end = Events.closed(first, Duration.ofHours(1));
    private final LedgerEvent.VmOpened second = Events.opened(
            "12[3].hpc",
            new Submitter("bob", 1001, null),
            new Machine("vse-12-1", 1, "node-17", List.of(), 4, 1536L << 20, "rocky", "sha256:0123456789abcdef", "KVM"),
            T0.plusSeconds(60));
    private final VmReport report =
            new VmReport(List.of(Events.interval(first, end), Events.running(second)), null, null, NOW);

    @Test
    void aTableIsAlignedAndInLocalTime() {
        assertThat(report.render(ReportFormat.TABLE, BERLIN)).isEqualTo("""
                JobID      Attempt  User   Queue  VM        Node     Cores  VCPUs  Memory  Image      Digest        Start                End                   Elapsed  CoreTime  TotalCPU  MaxRSS  State
                local-7          1  alice  batch  vse-7-0   n1       1,0        2    512M  debian-12  abababababab  2026-11-21 09:00:00  2026-11-21 10:00:00  01:00:00  02:00:00  00:00:05    300M  FINISHED
                12[3].hpc        1  bob    -      vse-12-1  node-17  -          4    1.5G  rocky      0123456789ab  2026-11-21 09:01:00  -                    01:59:00  07:56:00         -       -  RUNNING
                """);
    }

    @Test
    void csvIsInUtcSecondsAndBytes() {
        assertThat(report.render(ReportFormat.CSV, BERLIN).split("\r\n"))
                .containsExactly(
                        "JobID,Attempt,User,Queue,VM,Node,Cores,VCPUs,Memory,Image,Digest,Start,End,Elapsed,CoreTime,TotalCPU,MaxRSS,State,"
                                + "Cluster,Scheduler,ArrayIndex,Group,Account,Role,NUMANodes,Accelerator,BytesIn,BytesOut,Evidence",
                        "local-7,1,alice,batch,vse-7-0,n1,\"1,0\",2,536870912,debian-12," + Events.DIGEST
                                + ",2026-11-21T08:00:00.123456Z,2026-11-21T09:00:00.123456Z,3600,7200,5,314572800,FINISHED,"
                                + "hpc1,local,,,,first,,TCG,,,",
                        "12[3].hpc,1,bob,,vse-12-1,node-17,,4,1610612736,rocky,sha256:0123456789abcdef,"
                                + "2026-11-21T08:01:00.123456Z,,7140,28560,,,RUNNING,hpc1,local,,,,other,,KVM,,,");
    }

    @Test
    void jsonComesBackAsItWas() throws IOException {
        String json = report.render(ReportFormat.JSON, BERLIN);
        assertThat(VmReport.parse(json, null, null, NOW)).isEqualTo(report);
        JsonNode vms = new ObjectMapper().readTree(json).required("vms");
        assertThat(vms.get(0).required("coreSeconds").doubleValue()).isEqualTo(7200.0);
        assertThat(vms.get(1).required("ended").isNull()).isTrue();
        assertThat(vms.get(1).required("elapsedSeconds").doubleValue()).isEqualTo(7140.0);
    }

    @Test
    void onlyTheWindowCounts() {
        var window = new VmReport(report.intervals(), T0.plusSeconds(1800), T0.plusSeconds(5400), NOW);
        assertThat(window.render(ReportFormat.CSV, BERLIN).lines().skip(1))
                .satisfiesExactly(
                        line -> assertThat(line).contains(",1800,3600,5,"),
                        line -> assertThat(line).contains(",3600,14400,,"));
        var future = new VmReport(report.intervals(), T0, NOW.plusSeconds(9999), NOW);
        assertThat(future.render(ReportFormat.CSV, BERLIN)).contains(",7140,28560,");
    }

    @Test
    void aNameBreaksNeitherLineNorTerminal() {
        var hostile = Events.running(Events.opened(
                "7",
                new Submitter("eve\u001b[2J\n\u202e", 1, "漢字"),
                Events.machine("n\"1,", 0, List.of(0, 1, 2, 5)),
                T0));
        var one = new VmReport(List.of(hostile, report.intervals().get(0)), null, null, NOW);
        String table = one.render(ReportFormat.TABLE, BERLIN);
        assertThat(table.lines()).hasSize(3);
        assertThat(table).contains("eve\\u001b[2J\\n\\u202e  漢字   ").contains("0-2,5");
        assertThat(one.render(ReportFormat.CSV, BERLIN))
                .contains("\"eve\u001b[2J\n\u202e\",漢字")
                .contains("\"n\"\"1,\"");
        assertThat(VmReport.parse(one.render(ReportFormat.JSON, BERLIN), null, null, NOW))
                .isEqualTo(one);
    }

    @Test
    void longTimesHaveDays() {
        var run = Events.opened("7", T0);
        var days = Events.interval(run, Events.closed(run, Duration.ofHours(49).plusSeconds(5)));
        assertThat(new VmReport(List.of(days), null, null, T0.plus(Duration.ofDays(9)))
                        .render(ReportFormat.TABLE, BERLIN))
                .contains("  2-01:00:05  4-02:00:10  ");
    }

    @Test
    void anEmptyReportHasItsTitles() {
        var none = new VmReport(List.of(), null, null, NOW);
        assertThat(none.render(ReportFormat.TABLE, BERLIN)).startsWith("JobID").hasLineCount(1);
        assertThat(none.render(ReportFormat.JSON, BERLIN)).isEqualTo("{\"vms\":[]}");
    }

    @Test
    void whatIsNoReportIsRefused() {
        for (String text : List.of("", "{}", "{\"vms\":[{}]}", "nonsense")) {
            assertThatThrownBy(() -> VmReport.parse(text, null, null, NOW))
                    .as(text)
                    .isInstanceOf(VseException.class);
        }
    }

    @Test
    void coresOfTwoProcessorsOnOneCoreCountOnce() {
        var shared = Events.running(Events.opened("7", ALICE, Events.machine("n1", 0, List.of(3, 3)), T0));
        assertThat(shared.coreTime(T0, T0.plusSeconds(10))).isEqualTo(Duration.ofSeconds(10));
        assertThat(shared.elapsed(T0.plusSeconds(20), T0.plusSeconds(10))).isZero();
    }
}

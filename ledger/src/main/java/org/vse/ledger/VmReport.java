package org.vse.ledger;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vse.failure.VseException;

/**
 * The report {@code vms}: where each machine ran, when, on which cores, from which image.
 *
 * <p>Elapsed and CoreTime (Elapsed times cores) are of the part inside {@code [since, until)} and before {@code now};
 * Start, End, TotalCPU and MaxRSS are of the whole run. Titles and notations are those of sacct(1).
 *
 * @param intervals by start
 * @param marks checkpoints and other moments of their jobs, by time
 * @param more older intervals were left out
 * @param since null for from the beginning
 * @param until null for up to the present
 * @param now how long a run without an end has lasted until
 */
public record VmReport(
        List<VmInterval> intervals,
        List<JobMark> marks,
        boolean more,
        @Nullable Instant since,
        @Nullable Instant until,
        Instant now)
        implements Report {
    public VmReport {
        intervals = List.copyOf(intervals);
        marks = List.copyOf(marks);
    }

    /** Without marks; nothing is left out. */
    public VmReport(List<VmInterval> intervals, @Nullable Instant since, @Nullable Instant until, Instant now) {
        this(intervals, List.of(), false, since, until, now);
    }

    /**
     * Reads the intervals of a report back that was rendered as {@link ReportFormat#JSON}.
     *
     * @throws VseException INTERNAL when the text is not such a report
     */
    public static VmReport parse(String json, @Nullable Instant since, @Nullable Instant until, Instant now) {
        return IntervalJson.read(json, since, until, now);
    }

    @Override
    public boolean isEmpty() {
        return intervals.isEmpty();
    }

    @Override
    public String render(ReportFormat format, ZoneId zone) {
        List<VmReportRow> rows = intervals.stream()
                .map(vm -> new VmReportRow(vm, from(), to(), zone))
                .toList();
        return switch (format) {
            case TABLE -> VmReportRow.forPeople(rows).aligned();
            case CSV -> VmReportRow.forPrograms(rows).csv();
            case JSON -> document(rows).toString();
            case HTML -> HtmlPage.of("VMs on nodes", document(rows), since, until, now, zone);
        };
    }

    private ObjectNode document(List<VmReportRow> rows) {
        return IntervalJson.document(rows.stream().map(VmReport::json).toList(), marks, more);
    }

    private static ObjectNode json(VmReportRow row) {
        ObjectNode json = IntervalJson.write(row.vm());
        json.put("elapsedSeconds", row.elapsed().toMillis() / 1e3);
        json.put("coreSeconds", row.coreTime().toMillis() / 1e3);
        return json;
    }

    private Instant from() {
        return since == null ? Instant.MIN : since;
    }

    private Instant to() {
        return until == null || until.isAfter(now) ? now : until;
    }
}

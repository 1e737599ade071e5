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
 * @param since null for from the beginning
 * @param until null for up to the present
 * @param now how long a run without an end has lasted until
 */
public record VmReport(
        List<VmInterval> intervals,
        @Nullable Instant since,
        @Nullable Instant until,
        Instant now) {
    public VmReport {
        intervals = List.copyOf(intervals);
    }

    /**
     * Reads the intervals of a report back that was rendered as {@link ReportFormat#JSON}.
     *
     * @throws VseException INTERNAL when the text is not such a report
     */
    public static VmReport parse(String json, @Nullable Instant since, @Nullable Instant until, Instant now) {
        return new VmReport(IntervalJson.read(json), since, until, now);
    }

    /** @param zone of the times of {@link ReportFormat#TABLE}; the other formats are in UTC */
    public String render(ReportFormat format, ZoneId zone) {
        List<VmReportRow> rows = intervals.stream()
                .map(vm -> new VmReportRow(vm, from(), to(), zone))
                .toList();
        return switch (format) {
            case TABLE -> VmReportRow.table(rows, VmReportRow.Column::shown).aligned();
            case CSV -> VmReportRow.table(rows, VmReportRow.Column::raw).csv();
            case JSON -> IntervalJson.document(rows.stream().map(VmReport::json).toList());
        };
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

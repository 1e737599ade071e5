package org.vse.ledger;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What machines took, summed by node, job, user, account or image.
 *
 * <p>Core and memory hours are of the parts of runs inside {@code [since, until)} and before {@code now}. CPU hours are those
 * of the machines that ended inside: of others they are not known. So the sums of all groups are the same in each report of
 * the same time, and those of adjacent times add up.
 *
 * @param rows the largest core time first
 * @param more groups were left out
 * @param since null for from the beginning
 * @param until null for up to the present
 */
public record UsageReport(
        Grouping grouping,
        List<Usage> rows,
        boolean more,
        @Nullable Instant since,
        @Nullable Instant until,
        Instant now)
        implements Report {
    static final Comparator<Usage> LARGEST_FIRST =
            Comparator.comparingLong(Usage::coreMicros).reversed().thenComparing(usage -> String.valueOf(usage.key()));

    private static final JsonMapper MAPPER = new JsonMapper();
    private static final DateTimeFormatter LOCAL = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);
    private static final long HOUR_MICROS = 3_600_000_000L;
    private static final List<String> SUMS =
            List.of("VMs", "Running", "CoreHours", "CPUHours", "CPU%", "GiBHours", "First");

    public UsageReport {
        rows = List.copyOf(rows);
    }

    /** All rows together; empty rows when there are none. */
    public Usage total() {
        Usage none = new Usage(List.of(), 0, 0, 0, 0, 0, Instant.MAX);
        return rows.stream().reduce(none, Usage::plus);
    }

    @Override
    public boolean isEmpty() {
        return rows.isEmpty();
    }

    @Override
    public String render(ReportFormat format, ZoneId zone) {
        return switch (format) {
            case TABLE -> table(zone).aligned();
            case CSV -> csv().csv();
            case JSON -> document().toString();
            case HTML -> HtmlPage.of("Usage by " + grouping.titles().get(0), page(zone), since, until, now, zone);
        };
    }

    private List<String> titles() {
        List<String> titles = new ArrayList<>();
        for (String title : grouping.titles()) {
            titles.add(Character.toUpperCase(title.charAt(0)) + title.substring(1));
        }
        return titles;
    }

    private ReportTable table(ZoneId zone) {
        List<String> columns = titles();
        int keys = columns.size();
        columns.addAll(SUMS);
        List<List<String>> lines = new ArrayList<>();
        rows.forEach(row -> lines.add(shown(row, row.key(), zone)));
        if (rows.size() > 1) {
            List<@Nullable String> key = new ArrayList<>();
            key.add(more ? "total of these" : "total");
            while (key.size() < keys) {
                key.add("");
            }
            lines.add(shown(total(), key, zone));
        }
        return new ReportTable(columns, numeric(keys), lines);
    }

    private static List<Boolean> numeric(int keys) {
        List<Boolean> numeric = new ArrayList<>();
        for (int i = 0; i < keys; i++) {
            numeric.add(false);
        }
        numeric.addAll(List.of(true, true, true, true, true, true, false));
        return numeric;
    }

    private List<String> shown(Usage row, List<@Nullable String> key, ZoneId zone) {
        List<String> cells = new ArrayList<>();
        for (int i = 0; i < key.size(); i++) {
            String value = key.get(i);
            boolean isDigest = value != null && grouping == Grouping.IMAGES && i == 1;
            cells.add(value == null ? "-" : isDigest ? VmReportRow.shortened(value) : value);
        }
        cells.add(Long.toString(row.vms()));
        cells.add(Long.toString(row.running()));
        cells.add(hours(row.coreMicros(), 2));
        cells.add(hours(row.cpuMicros(), 2));
        cells.add(row.coreMicros() == 0 ? "-" : Long.toString(Math.round(100.0 * row.cpuMicros() / row.coreMicros())));
        cells.add(gibHours(row, 2));
        cells.add(row.vms() == 0 ? "-" : LOCAL.format(row.first().atZone(zone)));
        return cells;
    }

    private ReportTable csv() {
        List<String> columns = titles();
        int keys = columns.size();
        columns.addAll(List.of("VMs", "Running", "CoreSeconds", "CPUSeconds", "MemoryGiBSeconds", "First"));
        List<List<String>> lines = new ArrayList<>();
        for (Usage row : rows) {
            List<String> cells = new ArrayList<>();
            row.key().forEach(value -> cells.add(value == null ? "" : value));
            cells.add(Long.toString(row.vms()));
            cells.add(Long.toString(row.running()));
            cells.add(seconds(row.coreMicros()).toPlainString());
            cells.add(seconds(row.cpuMicros()).toPlainString());
            cells.add(gibSeconds(row).toPlainString());
            cells.add(row.first().toString());
            lines.add(cells);
        }
        return new ReportTable(columns, numeric(keys).subList(0, columns.size()), lines);
    }

    private ObjectNode document() {
        ObjectNode document = MAPPER.createObjectNode();
        ArrayNode list = document.putArray(grouping.word());
        for (Usage row : rows) {
            ObjectNode to = list.addObject();
            for (int i = 0; i < row.key().size(); i++) {
                to.put(grouping.titles().get(i), row.key().get(i));
            }
            sums(to, row).put("first", row.first().toString());
        }
        sums(document.putObject("total"), total());
        if (more) {
            document.put("more", true);
        }
        return document;
    }

    private static ObjectNode sums(ObjectNode to, Usage row) {
        return to.put("vms", row.vms())
                .put("running", row.running())
                .put("coreSeconds", seconds(row.coreMicros()))
                .put("cpuSeconds", seconds(row.cpuMicros()))
                .put("memoryMibMillis", row.memoryMibMillis())
                .put("memoryGibSeconds", gibSeconds(row));
    }

    /** What the page shows: cells as people read them, and how long each bar is. */
    private ObjectNode page(ZoneId zone) {
        ObjectNode page = MAPPER.createObjectNode();
        ReportTable table = table(zone);
        ArrayNode columns = page.putArray("columns");
        table.columns().forEach(columns::add);
        page.put("keys", grouping.titles().size());
        page.put("more", more);
        ArrayNode lines = page.putArray("rows");
        table.rows().forEach(row -> row.forEach(lines.addArray()::add));
        ArrayNode bars = page.putArray("bars");
        rows.forEach(row -> bars.add(row.coreMicros() / (double) HOUR_MICROS));
        return page;
    }

    private static BigDecimal seconds(long micros) {
        BigDecimal exact = BigDecimal.valueOf(micros, 6).stripTrailingZeros();
        return exact.scale() < 0 ? exact.setScale(0, RoundingMode.UNNECESSARY) : exact;
    }

    private static BigDecimal gibSeconds(Usage row) {
        return BigDecimal.valueOf(row.memoryMibMillis()).divide(BigDecimal.valueOf(1_024_000), 3, RoundingMode.HALF_UP);
    }

    private static String gibHours(Usage row, int digits) {
        return BigDecimal.valueOf(row.memoryMibMillis())
                .divide(BigDecimal.valueOf(1024L * 3_600_000L), digits, RoundingMode.HALF_UP)
                .toPlainString();
    }

    private static String hours(long micros, int digits) {
        return BigDecimal.valueOf(micros)
                .divide(BigDecimal.valueOf(HOUR_MICROS), digits, RoundingMode.HALF_UP)
                .toPlainString();
    }
}

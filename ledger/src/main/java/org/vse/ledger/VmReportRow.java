package org.vse.ledger;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One interval of a report and the columns that show it.
 *
 * @param from begin of the time that counts
 * @param to its end
 * @param zone of the times that are shown
 */
record VmReportRow(VmInterval vm, Instant from, Instant to, ZoneId zone) {
    private static final DateTimeFormatter LOCAL = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);
    private static final String UNKNOWN = "-";

    private static final List<Column> COLUMNS = List.of(
            Column.text("JobID", row -> row.vm.job().id()),
            Column.number("Attempt", row -> row.vm.job().attempt(), String::valueOf),
            Column.text("User", row -> row.vm.submitter().user()),
            Column.text("Queue", row -> row.vm.submitter().queue()),
            Column.text("VM", row -> row.vm.machine().name()),
            Column.text("Node", row -> row.vm.machine().node()),
            new Column("Cores", false, VmReportRow::coreRanges, VmReportRow::coreList),
            Column.number("VCPUs", row -> row.vm.machine().vcpus(), String::valueOf),
            Column.number("Memory", row -> row.vm.machine().memoryBytes(), VmReportRow::size),
            Column.text("Image", row -> row.vm.machine().image()),
            new Column(
                    "Digest",
                    false,
                    row -> shortened(row.vm.machine().digest()),
                    row -> row.vm.machine().digest()),
            new Column(
                    "Start",
                    false,
                    row -> row.local(row.vm.started()),
                    row -> row.vm.started().toString()),
            new Column("End", false, row -> row.ending(row::shownEnd), row -> row.ending(Ending::ended)),
            Column.time("Elapsed", VmReportRow::elapsed),
            Column.time("CoreTime", VmReportRow::coreTime),
            Column.time("TotalCPU", VmReportRow::cpuTime),
            Column.number("MaxRSS", VmReportRow::peakMemory, VmReportRow::size),
            Column.text("State", row -> row.vm.running() ? "RUNNING" : row.ending(Ending::why)));

    /** What programs get besides. */
    private static final List<Column> MORE = List.of(
            Column.text("Cluster", row -> row.vm.job().cluster()),
            Column.text("Scheduler", row -> row.vm.job().scheduler()),
            Column.number("ArrayIndex", row -> row.vm.submitter().arrayIndex(), String::valueOf),
            Column.text("Group", row -> row.vm.submitter().group()),
            Column.text("Account", row -> row.vm.submitter().account()),
            Column.text("Role", row -> row.vm.machine().role()),
            Column.text(
                    "NUMANodes",
                    row -> row.vm.machine().numaNodes().stream()
                            .map(String::valueOf)
                            .collect(Collectors.joining(","))),
            Column.text("Accelerator", row -> row.vm.machine().accelerator()),
            Column.number("BytesIn", row -> row.ended(Ending::bytesIn), String::valueOf),
            Column.number("BytesOut", row -> row.ended(Ending::bytesOut), String::valueOf),
            Column.text("Evidence", row -> row.ended(Ending::evidence)));

    static ReportTable forPeople(List<VmReportRow> rows) {
        return table(COLUMNS, rows, Column::shown);
    }

    static ReportTable forPrograms(List<VmReportRow> rows) {
        return table(Stream.concat(COLUMNS.stream(), MORE.stream()).toList(), rows, Column::raw);
    }

    private static ReportTable table(
            List<Column> columns, List<VmReportRow> rows, BiFunction<Column, VmReportRow, String> cell) {
        return new ReportTable(
                columns.stream().map(Column::title).toList(),
                columns.stream().map(Column::numeric).toList(),
                rows.stream()
                        .map(row -> columns.stream()
                                .map(column -> cell.apply(column, row))
                                .toList())
                        .toList());
    }

    Duration elapsed() {
        return vm.elapsed(from, to);
    }

    Duration coreTime() {
        return vm.coreTime(from, to);
    }

    private @Nullable Duration cpuTime() {
        Ending ending = vm.ending();
        Long nanos = ending == null ? null : ending.cpuNanos();
        return nanos == null ? null : Duration.ofNanos(nanos);
    }

    private @Nullable Long peakMemory() {
        Ending ending = vm.ending();
        return ending == null ? null : ending.peakMemoryBytes();
    }

    private <T> @Nullable T ended(Function<Ending, @Nullable T> what) {
        Ending ending = vm.ending();
        return ending == null ? null : what.apply(ending);
    }

    private @Nullable String ending(Function<Ending, Object> what) {
        Ending ending = vm.ending();
        return ending == null ? null : what.apply(ending).toString();
    }

    /** An end that was concluded is marked. */
    private String shownEnd(Ending ending) {
        return local(ending.ended()) + (ending.evidence() == null ? "" : " ?");
    }

    private String local(Instant instant) {
        return LOCAL.format(instant.atZone(zone));
    }

    private @Nullable String coreList() {
        List<Integer> cores = vm.machine().cores();
        return cores.isEmpty() ? null : cores.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** {@code 4,0-3}: in the order of the virtual processors, ascending neighbours joined. */
    private @Nullable String coreRanges() {
        StringBuilder text = new StringBuilder();
        List<Integer> cores = vm.machine().cores();
        for (int first = 0; first < cores.size(); ) {
            int last = first;
            while (last + 1 < cores.size() && cores.get(last + 1) == cores.get(last) + 1) {
                last++;
            }
            text.append(first == 0 ? "" : ",").append(cores.get(first));
            if (last > first) {
                text.append('-').append(cores.get(last));
            }
            first = last + 1;
        }
        return text.isEmpty() ? null : text.toString();
    }

    /** {@code [D-]HH:MM:SS}, as sacct(1) writes it. */
    private static String clock(Duration time) {
        String days = time.toDays() == 0 ? "" : time.toDays() + "-";
        return String.format(
                Locale.ROOT, "%s%02d:%02d:%02d", days, time.toHoursPart(), time.toMinutesPart(), time.toSecondsPart());
    }

    private static String seconds(Duration time) {
        return BigDecimal.valueOf(time.toMillis(), 3).stripTrailingZeros().toPlainString();
    }

    /** {@code 1.5G}: binary units, one decimal where it says something. */
    static String size(Number value) {
        double size = value.doubleValue();
        int unit = 0;
        while (size >= 1024 && unit < 4) {
            size /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f", size).replace(".0", "")
                + List.of("", "K", "M", "G", "T").get(unit);
    }

    /** Twelve digits of a digest, without its algorithm. */
    static String shortened(String digest) {
        String digits = digest.substring(digest.indexOf(':') + 1);
        return digits.substring(0, Math.min(12, digits.length()));
    }

    /**
     * A column.
     *
     * @param forPeople a cell as it is shown, null when unknown
     * @param forPrograms the same in full precision and plain units
     */
    record Column(
            String title,
            boolean numeric,
            Function<VmReportRow, @Nullable String> forPeople,
            Function<VmReportRow, @Nullable String> forPrograms) {
        static Column text(String title, Function<VmReportRow, @Nullable String> value) {
            return new Column(title, false, value, value);
        }

        static <N extends Number> Column number(
                String title, Function<VmReportRow, @Nullable N> value, Function<Number, String> shown) {
            return new Column(
                    title, true, row -> map(value.apply(row), shown), row -> map(value.apply(row), String::valueOf));
        }

        static Column time(String title, Function<VmReportRow, @Nullable Duration> value) {
            return new Column(
                    title,
                    true,
                    row -> map(value.apply(row), VmReportRow::clock),
                    row -> map(value.apply(row), VmReportRow::seconds));
        }

        String shown(VmReportRow row) {
            return Objects.requireNonNullElse(forPeople.apply(row), UNKNOWN);
        }

        String raw(VmReportRow row) {
            return Objects.requireNonNullElse(forPrograms.apply(row), "");
        }

        private static <T> @Nullable String map(@Nullable T value, Function<? super T, String> text) {
            return value == null ? null : text.apply(value);
        }
    }
}

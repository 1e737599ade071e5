package org.vse.ledger.charge;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What {@code sacct --parsable2 --allocations --duplicates --format=…} of Slurm prints (sacct(1)): a line of titles, then
 * fields between bars. Duplicates are the attempts of requeued jobs. Times are local, or seconds since 1970 with
 * {@code SLURM_TIME_FORMAT=%s}.
 */
public final class Sacct {
    /** The fields to ask for. */
    public static final String FIELDS = "JobIDRaw,User,Account,Partition,State,Start,End,AllocCPUS";

    private Sacct() {}

    static void read(String line, String titles, int number, ZoneId zone, List<Charge> to) {
        if (number == 1 || line.isBlank()) {
            if (number == 1 && !Arrays.asList(line.split("\\|", -1)).containsAll(List.of(FIELDS.split(",")))) {
                throw new IllegalArgumentException("expected the titles " + FIELDS);
            }
            return;
        }
        List<String> names = List.of(titles.split("\\|", -1));
        List<String> values = List.of(line.split("\\|", -1));
        if (values.size() != names.size()) {
            throw new IllegalArgumentException(names.size() + " fields expected");
        }
        Row row = new Row(names, values);
        Optional<Instant> start = time(row.of("Start"), zone);
        // Steps of a job, "7.batch", are parts of its allocation; what never began was charged nothing.
        if (start.isEmpty() || row.of("JobIDRaw").contains(".")) {
            return;
        }
        to.add(new Charge(
                row.of("JobIDRaw"),
                1,
                row.of("User"),
                orNull(row.of("Account")),
                orNull(row.of("Partition")),
                start.get(),
                time(row.of("End"), zone).orElse(null),
                Integer.parseInt(row.of("AllocCPUS")),
                row.of("State").startsWith("REQUEUED")));
    }

    private static Optional<Instant> time(String text, ZoneId zone) {
        if (text.equals("Unknown") || text.equals("None") || text.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                text.matches("[0-9]+")
                        ? Instant.ofEpochSecond(Long.parseLong(text))
                        : LocalDateTime.parse(text).atZone(zone).toInstant());
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }

    private record Row(List<String> names, List<String> values) {
        String of(String name) {
            return values.get(names.indexOf(name));
        }
    }
}

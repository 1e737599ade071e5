package org.vse.job.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Points in time as people type them. */
final class Moments {
    private static final Pattern AGO = Pattern.compile("([0-9]{1,6})([smhd])");

    private Moments() {}

    /**
     * Reads {@code 2026-11-21}, {@code 2026-11-21T09:00} (both local time), {@code 2026-11-21T09:00:00Z}, or an age:
     * {@code 30m}, {@code 12h}, {@code 7d}.
     *
     * @throws VseException USAGE
     */
    static Instant parse(String text, Instant now, ZoneId zone) {
        Matcher ago = AGO.matcher(text);
        if (ago.matches()) {
            long count = Long.parseLong(ago.group(1));
            return now.minus(
                    switch (ago.group(2)) {
                        case "s" -> Duration.ofSeconds(count);
                        case "m" -> Duration.ofMinutes(count);
                        case "h" -> Duration.ofHours(count);
                        default -> Duration.ofDays(count);
                    });
        }
        List<Function<String, Instant>> forms = List.of(
                Instant::parse,
                t -> OffsetDateTime.parse(t).toInstant(),
                t -> LocalDateTime.parse(t).atZone(zone).toInstant(),
                t -> LocalDate.parse(t).atStartOfDay(zone).toInstant());
        return forms.stream()
                .flatMap(form -> read(form, text).stream())
                .findFirst()
                .orElseThrow(() -> VseException.of(ErrorCode.USAGE, "'" + text + "' is not a point in time")
                        .fact("allowed", "2026-11-21, 2026-11-21T09:00, 2026-11-21T09:00:00Z, 30m, 12h, 7d"));
    }

    private static Optional<Instant> read(Function<String, Instant> form, String text) {
        try {
            return Optional.of(form.apply(text));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}

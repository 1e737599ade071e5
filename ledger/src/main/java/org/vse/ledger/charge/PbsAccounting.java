package org.vse.ledger.charge;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The accounting logs of OpenPBS and TORQUE: {@code DATE TIME;TYPE;ID;KEY=VALUE KEY=VALUE…}. Types E, the end of a job, and R,
 * the end of an attempt that is run again, tell what was taken. TORQUE tells nothing of such an attempt but its start, S, and
 * charges nothing for it.
 */
final class PbsAccounting {
    private static final Pattern LINE =
            Pattern.compile("([0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2});([A-Za-z]+);([^;]*);(.*)");
    private static final Pattern FIELD =
            Pattern.compile("(?:^| )([A-Za-z_][A-Za-z_.]*)=(.*?)(?= [A-Za-z_][A-Za-z_.]*=|$)");
    private static final DateTimeFormatter NOTED = DateTimeFormatter.ofPattern("MM/dd/uuuu HH:mm:ss", Locale.ROOT);

    private PbsAccounting() {}

    static void read(String line, ZoneId zone, List<Charge> to) {
        if (line.isBlank()) {
            return;
        }
        Matcher matcher = LINE.matcher(line.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected DATE TIME;TYPE;ID;…");
        }
        String type = matcher.group(2);
        Map<String, String> fields = fields(matcher.group(4));
        // The record of an array itself has no place; its members have records of their own.
        if (!List.of("S", "R", "E").contains(type) || !fields.containsKey("exec_host")) {
            return;
        }
        boolean begins = type.equals("S");
        Charge charge = new Charge(
                matcher.group(3),
                Math.max(1, Integer.parseInt(fields.getOrDefault("run_count", "1"))),
                required(fields, "user"),
                fields.get("account"),
                fields.get("queue"),
                Instant.ofEpochSecond(Long.parseLong(required(fields, "start"))),
                begins ? null : end(matcher.group(1), zone, fields),
                begins ? 0 : cores(fields),
                !type.equals("E"));
        to.removeIf(begun -> isOpen(begun)
                && begun.job().equals(charge.job())
                && begun.started().equals(charge.started()));
        to.add(charge);
    }

    private static boolean isOpen(Charge charge) {
        return charge.ended() == null;
    }

    private static Instant end(String noted, ZoneId zone, Map<String, String> fields) {
        String end = fields.get("end");
        return end == null
                ? LocalDateTime.parse(noted, NOTED).atZone(zone).toInstant()
                : Instant.ofEpochSecond(Long.parseLong(end));
    }

    /** OpenPBS counts cores, TORQUE execution slots; an old TORQUE only lists them. */
    private static int cores(Map<String, String> fields) {
        String count = fields.getOrDefault("Resource_List.ncpus", fields.get("total_execution_slots"));
        if (count != null) {
            return Integer.parseInt(count);
        }
        int cores = 0;
        for (String place : required(fields, "exec_host").split("\\+")) {
            Matcher range = Pattern.compile(".*/([0-9]+)(?:-([0-9]+))?").matcher(place);
            if (!range.matches()) {
                throw new IllegalArgumentException("exec_host: " + place);
            }
            cores += range.group(2) == null
                    ? 1
                    : Integer.parseInt(range.group(2)) - Integer.parseInt(range.group(1)) + 1;
        }
        return cores;
    }

    private static Map<String, String> fields(String text) {
        Map<String, String> fields = new LinkedHashMap<>();
        Matcher matcher = FIELD.matcher(text);
        while (matcher.find()) {
            fields.putIfAbsent(matcher.group(1), unquoted(matcher.group(2)));
        }
        return fields;
    }

    /** OpenPBS writes an account between quotes. */
    private static String unquoted(String value) {
        return value.length() > 1 && value.startsWith("\"") && value.endsWith("\"")
                ? value.substring(1, value.length() - 1)
                : value;
    }

    private static String required(Map<String, String> fields, String name) {
        @Nullable String value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("there is no " + name);
        }
        return value;
    }
}

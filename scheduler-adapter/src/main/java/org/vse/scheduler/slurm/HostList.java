package org.vse.scheduler.slurm;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Slurm's short form of many names and numbers: {@code n[1-3,7],gpu-[01-02]} and {@code 0-3,8} (slurm(1), sinfo(1)). */
final class HostList {
    /** More nodes than any job has. */
    private static final int MOST = 100_000;

    private static final Pattern RANGE = Pattern.compile("([0-9]{1,9})(?:-([0-9]{1,9}))?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]+");

    private HostList() {}

    /**
     * The names in their order.
     *
     * @throws VseException INTERNAL for what is not a host list
     */
    static List<String> names(String list) {
        List<String> names = new ArrayList<>();
        for (String part : parts(list)) {
            int open = part.indexOf('[');
            if (open < 0) {
                add(names, part, list);
                continue;
            }
            int close = part.indexOf(']', open);
            if (close < 0) {
                throw malformed(list);
            }
            for (String number : numerals(part.substring(open + 1, close), list)) {
                add(names, part.substring(0, open) + number + part.substring(close + 1), list);
            }
        }
        return List.copyOf(names);
    }

    /** The numbers in their order. */
    static List<Integer> numbers(String list) {
        return numerals(list, list).stream().map(Integer::valueOf).toList();
    }

    private static List<String> parts(String list) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int begin = 0;
        for (int i = 0; i < list.length(); i++) {
            char c = list.charAt(i);
            if (c == '[') {
                depth++;
            } else if (c == ']') {
                depth--;
            } else if (c == ',' && depth == 0) {
                parts.add(list.substring(begin, i));
                begin = i + 1;
            }
        }
        parts.add(list.substring(begin));
        return parts;
    }

    private static List<String> numerals(String ranges, String list) {
        List<String> numerals = new ArrayList<>();
        for (String range : ranges.split(",", -1)) {
            Matcher matcher = RANGE.matcher(range);
            if (!matcher.matches()) {
                throw malformed(list);
            }
            String first = matcher.group(1);
            int from = Integer.parseInt(first);
            int to = matcher.group(2) == null ? from : Integer.parseInt(matcher.group(2));
            if (to < from || to - from >= MOST - numerals.size()) {
                throw malformed(list);
            }
            for (int number = from; number <= to; number++) {
                String digits = Integer.toString(number);
                numerals.add("0".repeat(Math.max(0, first.length() - digits.length())) + digits);
            }
        }
        return numerals;
    }

    private static void add(List<String> names, String name, String list) {
        if (!NAME.matcher(name).matches() || names.size() == MOST) {
            throw malformed(list);
        }
        names.add(name);
    }

    private static VseException malformed(String list) {
        return VseException.of(ErrorCode.INTERNAL, "what Slurm says is not a host list")
                .fact("found", "'" + list.substring(0, Math.min(200, list.length())) + "'");
    }
}

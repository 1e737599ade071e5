package org.vse.scheduler;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.SourcePosition;
import org.vse.failure.VseException;
import org.vse.policy.HeaderLine;
import org.vse.policy.JobScript;
import org.vse.scheduler.ResourceRequest.Resource;

/**
 * Reads {@code #PBS} lines as qsub does: {@code -N} and of {@code -l} the resources nodes, select, ncpus, mem and walltime.
 * All other options and resources are the batch system's business and are passed over.
 *
 * <p>What is read must be right: a malformed value, a resource that is given twice and a combination that says two things
 * are errors with a position. Nodes or chunks of different sizes ({@code +}) are refused.
 */
public final class PbsResources {
    private static final String TOKEN = "#PBS";
    private static final Set<String> READ = Set.of("nodes", "select", "ncpus", "mem", "walltime");
    private static final int MOST = 1_000_000;
    private static final Pattern NUMBER = Pattern.compile("[0-9]+");
    private static final Pattern MEMORY = Pattern.compile("([0-9]{1,18})([kmgtp]?)([bw]?)");
    private static final Pattern WALLTIME = Pattern.compile("(?:(?:([0-9]{1,9}):)?([0-9]{1,9}):)?([0-9]{1,9})");
    private static final Pattern NAME = Pattern.compile("[!-~]{1,236}");

    private final Map<String, Text> resources = new LinkedHashMap<>();
    private final Map<Resource, SourcePosition> provenance = new EnumMap<>(Resource.class);
    private @Nullable Text name;

    private PbsResources() {}

    /** A piece of a line; {@code start} is its index in the line. */
    private record Text(HeaderLine line, int start, String text) {
        Text part(int from, int to) {
            return new Text(line, start + from, text.substring(from, to));
        }

        Text unquoted() {
            boolean quoted = text.length() > 1
                    && (text.charAt(0) == '"' || text.charAt(0) == '\'')
                    && text.indexOf(text.charAt(0), 1) == text.length() - 1;
            return quoted ? part(1, text.length() - 1) : this;
        }

        SourcePosition position() {
            return line.position(start);
        }

        VseException bad(ErrorCode code, String what) {
            return VseException.of(code, what)
                    .at(position().toString())
                    .fact("line", line.marked(start, start + text.length()));
        }
    }

    /** @throws VseException DIRECTIVE_SYNTAX, _BAD_VALUE, _OUT_OF_RANGE, _DUPLICATE or _CONFLICT with file, line and column */
    public static ResourceRequest read(JobScript script) {
        PbsResources reader = new PbsResources();
        for (HeaderLine line : script.header()) {
            String text = line.text();
            boolean ours = text.startsWith(TOKEN)
                    && (text.length() == TOKEN.length() || Character.isWhitespace(text.charAt(TOKEN.length())));
            if (ours) {
                reader.options(words(line));
            }
        }
        return reader.request();
    }

    /**
     * Blanks separate words, quotes keep them together, {@code #} at the start of a word ends the line. A quotation mark that
     * is never closed is a character like others.
     */
    private static List<Text> words(HeaderLine line) {
        List<Text> words = new ArrayList<>();
        String text = line.text();
        int start = TOKEN.length();
        while (start < text.length() && text.charAt(start) != '#') {
            if (Character.isWhitespace(text.charAt(start))) {
                start++;
                continue;
            }
            int end = start;
            while (end < text.length() && !Character.isWhitespace(text.charAt(end))) {
                char c = text.charAt(end);
                int closing = c == '"' || c == '\'' ? text.indexOf(c, end + 1) : -1;
                end = Math.max(end, closing) + 1;
            }
            words.add(new Text(line, start, text.substring(start, end)));
            start = end;
        }
        return words;
    }

    private void options(List<Text> words) {
        for (int i = 0; i < words.size(); i++) {
            Text word = words.get(i);
            boolean read = word.text().startsWith("-l") || word.text().startsWith("-N");
            if (!read) {
                continue;
            }
            boolean attached = word.text().length() > 2;
            if (!attached && i + 1 == words.size()) {
                throw word.bad(ErrorCode.DIRECTIVE_SYNTAX, "'" + word.text() + "' without a value")
                        .next("write the value after it");
            }
            Text value = (attached ? word.part(2, word.text().length()) : words.get(++i)).unquoted();
            if (word.text().startsWith("-l")) {
                resources(value);
            } else {
                name(value);
            }
        }
    }

    private void name(Text value) {
        if (name != null) {
            throw duplicate("-N", name, value);
        }
        if (!NAME.matcher(value.text()).matches()) {
            throw value.bad(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + value.text() + "' is not a job's name")
                    .fact("allowed", "1 to 236 visible ASCII characters without blanks")
                    .next("choose another name");
        }
        name = value;
        provenance.put(Resource.NAME, value.position());
    }

    private void resources(Text list) {
        given(split(list, ','), READ).forEach((key, value) -> {
            Text first = resources.putIfAbsent(key, value);
            if (first != null) {
                throw duplicate(key, first, value);
            }
        });
    }

    /** The values of those {@code key=value} items whose key is one of these. */
    private static Map<String, Text> given(List<Text> items, Set<String> keys) {
        Map<String, Text> given = new LinkedHashMap<>();
        for (Text item : items) {
            int equals = item.text().indexOf('=');
            String key = equals < 0 ? item.text() : item.text().substring(0, equals);
            if (!keys.contains(key)) {
                continue;
            }
            if (equals < 0 || equals == item.text().length() - 1) {
                throw item.bad(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + key + "' has no value")
                        .next("write '" + key + "=VALUE'");
            }
            Text value = item.part(equals + 1, item.text().length());
            Text first = given.putIfAbsent(key, value);
            if (first != null) {
                throw duplicate(key, first, value);
            }
        }
        return given;
    }

    private ResourceRequest request() {
        Optional<Text> nodes = Optional.ofNullable(resources.get("nodes"));
        Optional<Text> select = Optional.ofNullable(resources.get("select"));
        Optional<Text> ncpus = Optional.ofNullable(resources.get("ncpus"));
        Optional<Text> mem = Optional.ofNullable(resources.get("mem"));
        for (String other : List.of("nodes", "ncpus", "mem")) {
            Text given = resources.get(other);
            if (select.isPresent() && given != null) {
                throw conflict("select", select.get(), other, given);
            }
        }
        int count = 1;
        OptionalInt cores = OptionalInt.empty();
        OptionalLong memory = OptionalLong.empty();
        Optional<Text> chunk = select.or(() -> nodes);
        if (chunk.isPresent()) {
            List<Text> parts = parts(chunk.get());
            count = number(parts.get(0));
            provenance.put(Resource.NODES, parts.get(0).position());
            String coresKey = select.isPresent() ? "ncpus" : "ppn";
            Map<String, Text> given = given(parts.subList(1, parts.size()), Set.of(coresKey, "mem"));
            if (given.containsKey(coresKey)) {
                cores = OptionalInt.of(cores(given.get(coresKey)));
            } else if (select.isPresent()) {
                cores = OptionalInt.of(1);
            }
            if (select.isPresent() && given.containsKey("mem")) {
                memory = OptionalLong.of(memory(given.get("mem"), count));
            }
        }
        if (ncpus.isPresent()) {
            if (provenance.containsKey(Resource.CORES) || count > 1) {
                throw conflict("nodes", nodes.orElseThrow(), "ncpus", ncpus.get());
            }
            cores = OptionalInt.of(cores(ncpus.get()));
        }
        if (mem.isPresent()) {
            memory = OptionalLong.of(memory(mem.get(), 1));
        }
        Optional<Duration> walltime =
                Optional.ofNullable(resources.get("walltime")).map(this::walltime);
        return new ResourceRequest(
                count, cores, memory, walltime, Optional.ofNullable(name).map(Text::text), provenance);
    }

    /** Count, then properties and resources of one node specification or chunk. */
    private static List<Text> parts(Text chunk) {
        int plus = chunk.text().indexOf('+');
        if (plus >= 0) {
            throw chunk.part(plus, chunk.text().length())
                    .bad(ErrorCode.DIRECTIVE_BAD_VALUE, "nodes of different sizes are not supported")
                    .next("ask for nodes that are all alike");
        }
        return split(chunk, ':');
    }

    private static List<Text> split(Text list, char separator) {
        List<Text> parts = new ArrayList<>();
        int start = 0;
        for (int i = 0; i <= list.text().length(); i++) {
            if (i == list.text().length() || list.text().charAt(i) == separator) {
                parts.add(list.part(start, i));
                start = i + 1;
            }
        }
        return parts;
    }

    private int cores(Text value) {
        provenance.put(Resource.CORES, value.position());
        return number(value);
    }

    private static int number(Text value) {
        if (!NUMBER.matcher(value.text()).matches()) {
            throw value.bad(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + value.text() + "' is not a whole number")
                    .next("write a number; names of nodes are not supported");
        }
        BigInteger number = new BigInteger(value.text().length() > 20 ? "9".repeat(20) : value.text());
        if (number.signum() == 0 || number.compareTo(BigInteger.valueOf(MOST)) > 0) {
            throw value.bad(ErrorCode.DIRECTIVE_OUT_OF_RANGE, "'" + value.text() + "' is out of range")
                    .fact("allowed", "1 to " + MOST)
                    .next("write a number in that range");
        }
        return number.intValueExact();
    }

    /** PBS sizes: bytes (b) or words of 8 bytes (w), with powers of 1024 as k, m, g, t, p; any case. */
    private long memory(Text value, int times) {
        Matcher size = MEMORY.matcher(value.text().toLowerCase(Locale.ROOT));
        if (!size.matches()) {
            throw value.bad(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + value.text() + "' is not a size of PBS")
                    .fact("allowed", "a whole number and b, kb, mb, gb or tb")
                    .next("write for example '2gb'");
        }
        BigInteger bytes = new BigInteger(size.group(1))
                .shiftLeft(size.group(2).isEmpty() ? 0 : 10 * ("kmgtp".indexOf(size.group(2)) + 1))
                .shiftLeft(size.group(3).equals("w") ? 3 : 0)
                .multiply(BigInteger.valueOf(times));
        if (bytes.signum() == 0 || bytes.bitLength() > 62) {
            throw value.bad(ErrorCode.DIRECTIVE_OUT_OF_RANGE, "'" + value.text() + "' is out of range")
                    .fact("allowed", "1b to 4096pb")
                    .next("write a size in that range");
        }
        provenance.put(Resource.MEMORY, value.position());
        return bytes.longValueExact();
    }

    private Duration walltime(Text value) {
        Matcher time = WALLTIME.matcher(value.text());
        if (!time.matches()) {
            throw value.bad(ErrorCode.DIRECTIVE_BAD_VALUE, "'" + value.text() + "' is not a walltime")
                    .fact("allowed", "HH:MM:SS, MM:SS or seconds")
                    .next("write for example '01:30:00'");
        }
        Duration walltime =
                Duration.ofHours(unit(time, 1)).plusMinutes(unit(time, 2)).plusSeconds(unit(time, 3));
        if (walltime.isZero()) {
            throw value.bad(ErrorCode.DIRECTIVE_OUT_OF_RANGE, "'" + value.text() + "' leaves the job no time")
                    .next("write a positive walltime");
        }
        provenance.put(Resource.WALLTIME, value.position());
        return walltime;
    }

    private static long unit(Matcher time, int group) {
        return time.group(group) == null ? 0 : Long.parseLong(time.group(group));
    }

    private static VseException duplicate(String key, Text first, Text second) {
        return second.bad(ErrorCode.DIRECTIVE_DUPLICATE, "'" + key + "' is given twice")
                .fact("first", "'" + first.text() + "' at " + first.position())
                .fact("second", "'" + second.text() + "' at " + second.position())
                .next("remove one of the two");
    }

    private static VseException conflict(String oneKey, Text one, String otherKey, Text other) {
        boolean ordered = one.position().compareTo(other.position()) <= 0;
        return (ordered ? other : one)
                .bad(ErrorCode.DIRECTIVE_CONFLICT, "'" + oneKey + "' and '" + otherKey + "' say two things")
                .fact(oneKey, "'" + one.text() + "' at " + one.position())
                .fact(otherKey, "'" + other.text() + "' at " + other.position())
                .next("keep one of the two");
    }
}

package org.vse.scheduler.pbs;

import java.math.BigInteger;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.JobFacts.NodeShare;
import org.vse.scheduler.Source;

/** Forms of values, as both PBS write them. What is not in the form is empty: whoever asks knows whose mistake that is. */
public final class PbsForms {
    /** In the guests, the file that has one line with a machine's name for each of its cores, like PBS_NODEFILE. */
    public static final String MACHINES = "/run/vse/nodes";

    /** What a job ends with whose machines were saved: the same as under Slurm. */
    public static final int SAVED = 85;

    /** More cores than any job has of one node. */
    private static final int MOST_CORES = 1_000_000;

    /** A number and a server, in an array with a place between them; {@code 7[]} is the array itself and never runs. */
    private static final Pattern JOB =
            Pattern.compile("[0-9]{1,18}(?:\\[([0-9]{1,9})\\])?(?:\\.[A-Za-z0-9._+-]{1,255})?");

    /** Never only digits, which commands take for a uid, and never what they take for an option. */
    private static final Pattern USER = Pattern.compile("[A-Za-z_][A-Za-z0-9_.@\\\\-]{0,254}\\$?");

    private static final Pattern UID = Pattern.compile("([0-9]{1,9})\n");
    private static final Pattern TIME = Pattern.compile("(?:(?:([0-9]{1,9}):)?([0-9]{1,9}):)?([0-9]{1,9})");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,18})([kmgtp]?)([bw]?)");
    private static final Pattern SCRIPT = Pattern.compile("/[^\\x00-\\x20\\x7f]*\\.SC");

    private PbsForms() {}

    /** True for the id of what can run: a job, or a member of an array. */
    public static boolean isJob(String id) {
        return JOB.matcher(id).matches();
    }

    public static OptionalInt arrayIndex(String id) {
        Matcher matcher = JOB.matcher(id);
        return matcher.matches() && matcher.group(1) != null
                ? OptionalInt.of(Integer.parseInt(matcher.group(1)))
                : OptionalInt.empty();
    }

    /** Asks who a user is: hooks are told names only. Empty for what is no user's name. */
    public static Optional<Source> whoIs(String user) {
        return USER.matcher(user).matches()
                ? Optional.of(new Source.Answer(List.of("id", "-u", user), Map.of()))
                : Optional.empty();
    }

    /** The answer to {@link #whoIs}. */
    public static OptionalInt uid(String answer) {
        Matcher matcher = UID.matcher(answer);
        return matcher.matches() ? OptionalInt.of(Integer.parseInt(matcher.group(1))) : OptionalInt.empty();
    }

    /** {@code HH:MM:SS} or seconds; positive. */
    public static Optional<Duration> time(String text) {
        Matcher matcher = TIME.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        Duration time =
                Duration.ofHours(unit(matcher, 1)).plusMinutes(unit(matcher, 2)).plusSeconds(unit(matcher, 3));
        return Optional.of(time).filter(positive -> !positive.isZero());
    }

    /** {@code 64mb} and its like; words have 8 bytes. Positive. */
    public static OptionalLong bytes(String text) {
        Matcher matcher = SIZE.matcher(text.toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            return OptionalLong.empty();
        }
        BigInteger bytes = new BigInteger(matcher.group(1))
                .shiftLeft(matcher.group(2).isEmpty() ? 0 : 10 * ("kmgtp".indexOf(matcher.group(2)) + 1))
                .shiftLeft(matcher.group(3).equals("w") ? 3 : 0);
        return bytes.signum() == 0 || bytes.bitLength() > 62
                ? OptionalLong.empty()
                : OptionalLong.of(bytes.longValueExact());
    }

    /**
     * What a job has of its nodes, the first first. Slots are counted only: they are no core ids, and each job of a node may
     * have a slot 0.
     *
     * @param list pieces with {@code +} between them; a node may be in several
     * @param piece its first group is the node
     * @param count cores of a matched piece; 0 for a piece that makes no sense
     * @return none when a piece is not one, or a node has no cores
     */
    public static List<NodeShare> shares(String list, Pattern piece, ToIntFunction<Matcher> count) {
        Map<String, Integer> cores = new LinkedHashMap<>();
        for (String text : list.split("\\+", -1)) {
            Matcher matcher = piece.matcher(text);
            int here = matcher.matches() ? count.applyAsInt(matcher) : 0;
            if (here < 1 || here > MOST_CORES) {
                return List.of();
            }
            int together = cores.getOrDefault(matcher.group(1), 0) + here;
            if (together > MOST_CORES) {
                return List.of();
            }
            cores.put(matcher.group(1), together);
        }
        return cores.entrySet().stream()
                .map(node -> new NodeShare(node.getKey(), node.getValue(), List.of()))
                .toList();
    }

    /** True for a path at which a mom spools a script. */
    public static boolean isSpooled(String path) {
        return SCRIPT.matcher(path).matches();
    }

    /**
     * The line on a job shell's standard input: where its script is spooled, with the brackets of an array's member quoted as
     * a shell needs it. Empty for a shell at a terminal.
     */
    public static Optional<String> spooled(String input) {
        return Optional.of(input.endsWith("\n") ? input.substring(0, input.length() - 1) : input)
                .map(line -> line.replaceAll("\\\\([\\[\\]])", "$1"))
                .filter(line -> !line.isEmpty());
    }

    /**
     * The script of a job whose shell is about to start, as its mom spooled it; empty for a shell at a terminal.
     *
     * @param notACall what to throw at a path that no mom spools a script at
     * @throws VseException USAGE for any task but the script
     */
    public static Optional<String> launched(HookCall call, Function<String, VseException> notACall) {
        String task = call.environment().getOrDefault("PBS_TASKNUM", "");
        // What starts the script starts each other task of the job too.
        if (!task.equals("1")) {
            throw VseException.of(ErrorCode.USAGE, "a task of the job does not run in its machines")
                    .fact("task", "'" + task + "'")
                    .next("start it in the script: mpirun, or ssh to a machine in $PBS_NODEFILE");
        }
        Optional<String> script = spooled(call.input());
        if (script.isPresent() && !isSpooled(script.get())) {
            throw notACall.apply(script.get());
        }
        return script;
    }

    private static long unit(Matcher time, int group) {
        return time.group(group) == null ? 0 : Long.parseLong(time.group(group));
    }
}

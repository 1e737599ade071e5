package org.vse.scheduler.slurm;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.scheduler.JobFacts;

/**
 * What {@code scontrol show job -d ID} prints (scontrol(1)).
 *
 * <p>The text has values that a user chose: names, paths, comments. Slurm does not mark where they end, so a value could
 * pretend to be another field. A field that is read here must therefore be there exactly once; a job whose own words
 * contain one of them is refused.
 */
record Scontrol(String text) {
    private static final Pattern OWNER = Pattern.compile("([A-Za-z0-9_.@\\\\-]+)\\(([0-9]{1,10})\\)");
    private static final Pattern LIMIT = Pattern.compile("(?:([0-9]{1,5})-)?([0-9]{2,3}):([0-9]{2}):([0-9]{2})");
    private static final Pattern SHARE =
            Pattern.compile("(?m)^     Nodes=(\\S+) CPU_IDs=([0-9,-]+) Mem=([0-9]+)(?: GRES=.*)?$");
    private static final Pattern MEMBER = Pattern.compile("JobId=[0-9]+ ArrayJobId=[0-9]+ ArrayTaskId=");
    private static final long MIB = 1L << 20;

    /** What is said about one job: asked for the first job of an array, scontrol tells of all its members. */
    static Scontrol of(String answer, String id) {
        List<String> all = List.of(answer.split("\n\n(?=JobId=)", -1));
        if (all.size() > 1 && !MEMBER.matcher(all.get(0)).lookingAt()) {
            throw pretended("JobId");
        }
        List<String> records = all.stream()
                .filter(record -> record.startsWith("JobId=" + id + " "))
                .toList();
        if (records.size() > 1) {
            throw pretended("JobId");
        }
        return new Scontrol(records.isEmpty() ? "" : records.get(0));
    }

    JobFacts.Owner owner() {
        Matcher matcher = OWNER.matcher(word("UserId"));
        if (!matcher.matches()) {
            throw unread("UserId");
        }
        return new JobFacts.Owner(matcher.group(1), Integer.parseInt(matcher.group(2)));
    }

    String partition() {
        return word("Partition");
    }

    Optional<String> account() {
        return Optional.of(word("Account")).filter(account -> !account.equals("(null)"));
    }

    /** 1 for the first run of the job. */
    int attempt() {
        return number("Restarts") + 1;
    }

    /** Empty for a job without a limit. */
    Optional<Duration> limit() {
        String limit = word("TimeLimit");
        if (limit.equals("UNLIMITED")) {
            return Optional.empty();
        }
        Matcher matcher = LIMIT.matcher(limit);
        if (!matcher.matches()) {
            throw unread("TimeLimit");
        }
        long days = matcher.group(1) == null ? 0 : Long.parseLong(matcher.group(1));
        return Optional.of(Duration.ofDays(days)
                .plusHours(Long.parseLong(matcher.group(2)))
                .plusMinutes(Long.parseLong(matcher.group(3)))
                .plusSeconds(Long.parseLong(matcher.group(4))));
    }

    /** Empty unless the job is a member of an array. */
    OptionalInt arrayIndex() {
        return count("ArrayTaskId") == 0 ? OptionalInt.empty() : OptionalInt.of(number("ArrayTaskId"));
    }

    String workDirectory() {
        String directory = line("WorkDir");
        if (!directory.startsWith("/")) {
            throw unread("WorkDir");
        }
        return directory;
    }

    /** The path that was given to sbatch, to its first blank: arguments follow; for messages only. */
    String command() {
        Matcher matcher = Pattern.compile("(?m)^   Command=(/[^ \\x00-\\x1f]*)").matcher(text);
        return matcher.find() ? matcher.group(1) : "slurm_script";
    }

    /** What the job has of each node, in the order of its nodes. */
    List<JobFacts.NodeShare> nodes() {
        Map<String, JobFacts.NodeShare> shares = new HashMap<>();
        List<String> names = HostList.names(word("NodeList"));
        Matcher matcher = SHARE.matcher(text);
        int count = 0;
        while (matcher.find()) {
            List<Integer> cores = HostList.numbers(matcher.group(2));
            for (String node : HostList.names(matcher.group(1))) {
                shares.put(node, new JobFacts.NodeShare(node, cores.size(), cores));
                count++;
            }
        }
        if (count != names.size() || !shares.keySet().equals(Set.copyOf(names))) {
            throw count > names.size() ? pretended("CPU_IDs") : unread("CPU_IDs");
        }
        return names.stream()
                .flatMap(name -> Optional.ofNullable(shares.get(name)).stream())
                .toList();
    }

    /** Memory of the whole job; empty where Slurm does not count memory. */
    OptionalLong memoryBytes() {
        long sum = 0;
        Matcher matcher = SHARE.matcher(text);
        while (matcher.find()) {
            int nodes = HostList.names(matcher.group(1)).size();
            sum = Math.addExact(sum, Math.multiplyExact(Long.parseLong(matcher.group(3)), nodes));
        }
        return sum == 0 ? OptionalLong.empty() : OptionalLong.of(Math.multiplyExact(sum, MIB));
    }

    private int number(String key) {
        String word = word(key);
        if (!word.matches("[0-9]{1,9}")) {
            throw unread(key);
        }
        return Integer.parseInt(word);
    }

    private String word(String key) {
        String rest = line(key);
        int end = rest.indexOf(' ');
        return end < 0 ? rest : rest.substring(0, end);
    }

    /** What follows {@code KEY=} to the end of its line. */
    private String line(String key) {
        if (count(key) != 1) {
            throw unread(key);
        }
        Matcher matcher = pattern(key).matcher(text);
        if (!matcher.find()) {
            throw unread(key);
        }
        int end = text.indexOf('\n', matcher.end());
        return text.substring(matcher.end(), end < 0 ? text.length() : end);
    }

    private long count(String key) {
        return pattern(key).matcher(text).results().count();
    }

    private static Pattern pattern(String key) {
        return Pattern.compile("(?<![^\\s])" + key + "=");
    }

    private VseException unread(String key) {
        if (count(key) > 1) {
            return pretended(key);
        }
        return VseException.of(ErrorCode.INTERNAL, "what Slurm says about the job cannot be read")
                .fact("field", key)
                .next("scontrol show job -d JOB");
    }

    private static VseException pretended(String key) {
        return VseException.of(
                        ErrorCode.NOT_PERMITTED, "a name, path or comment of the job pretends to be its '" + key + "'")
                .fact("reason", "'" + key + "=' must not be part of any of them")
                .next("submit the job without it");
    }
}

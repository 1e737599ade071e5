package org.vse.scheduler.torque;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.scheduler.JobFacts;
import org.vse.scheduler.pbs.PbsForms;

/**
 * What {@code qstat -f ID} prints (qstat(1B) of TORQUE): attributes of one job, one on a line, folded after which a line
 * begins with a tab.
 *
 * <p>The text has values that a user chose, with newlines where the user wants them. So only what every started job has is
 * read, and it must be there exactly once.
 */
record Qstat(String id, String text) {
    private static final Pattern COUNT = Pattern.compile("[1-9][0-9]{0,5}");
    private static final String SLOTS = "[0-9]{1,5}(?:-[0-9]{1,5})?";

    /** {@code tnode1/0-1}: two slots of a node. */
    private static final Pattern HOST =
            Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]*)/(" + SLOTS + "(?:," + SLOTS + ")*)");

    static Qstat of(String id, String answer) {
        Qstat qstat = new Qstat(id, answer.replace("\n\t", ""));
        if (!qstat.line("Job Id: ").equals(id)) {
            throw qstat.unread("Job Id");
        }
        return qstat;
    }

    /** 1 for the first run of the job: the server counts before it sends a job to its node. */
    int attempt() {
        String count = line("    start_count = ");
        if (!COUNT.matcher(count).matches()) {
            throw unread("start_count");
        }
        return Integer.parseInt(count);
    }

    /** What the job has of each node, its mother superior's first. */
    List<JobFacts.NodeShare> nodes() {
        List<JobFacts.NodeShare> nodes = PbsForms.shares(line("    exec_host = "), HOST, host -> slots(host.group(2)));
        if (nodes.isEmpty()) {
            throw unread("exec_host");
        }
        return nodes;
    }

    /** How many there are in {@code 0-1,3}; 0 when a range runs backwards. */
    private static int slots(String ranges) {
        long slots = 0;
        for (String range : ranges.split(",", -1)) {
            int dash = range.indexOf('-');
            int from = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
            int to = Integer.parseInt(range.substring(dash + 1));
            if (to < from) {
                return 0;
            }
            slots += to - from + 1;
        }
        return (int) Math.min(Integer.MAX_VALUE, slots);
    }

    /** What follows {@code beginning} in the only line that begins so. */
    private String line(String beginning) {
        Matcher matcher = Pattern.compile("(?m)(?d)^" + Pattern.quote(beginning) + "(.*)$")
                .matcher(text);
        String name = beginning.replaceAll("[ =:]+$", "").strip();
        if (!matcher.find()) {
            throw unread(name);
        }
        String line = matcher.group(1);
        if (matcher.find()) {
            throw VseException.of(
                            ErrorCode.NOT_PERMITTED, "a name or variable of the job pretends to be its '" + name + "'")
                    .fact("reason", "no line of any of them may begin with '" + name + "'")
                    .next("submit the job without it");
        }
        return line;
    }

    private VseException unread(String name) {
        return VseException.of(ErrorCode.INTERNAL, "what TORQUE says about the job cannot be read")
                .fact("field", name)
                .next("qstat -f " + id);
    }
}

package org.vse.scheduler.gridengine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.scheduler.JobFacts.NodeShare;

/**
 * What sge_execd writes down for the shepherd of a job in {@code active_jobs/JOB.TASK}: {@code config}, lines of
 * {@code name=value}. Some values are the user's words; a name that is there twice is therefore refused.
 *
 * @param config the file's text
 */
record Shepherd(String config) {
    /** More cores than any job has of one node. */
    private static final int MOST_CORES = 1_000_000;

    private static final Pattern HOST = Pattern.compile("([A-Za-z0-9._-]{1,255}) ([0-9]{1,9}) \\S+ (\\S+)");
    private static final Pattern CORES = Pattern.compile("[0-9]{1,6}(?: [0-9]{1,6})*");

    /** A value that has to be there. */
    String required(String name) {
        return value(name)
                .orElseThrow(
                        () -> VseException.of(ErrorCode.INTERNAL, "what Grid Engine says about the job cannot be read")
                                .fact("field", name)
                                .next("look into active_jobs of this node's sge_execd"));
    }

    /** Empty when the field is not there, or says nothing. */
    Optional<String> value(String name) {
        List<String> values = config.lines()
                .filter(line -> line.startsWith(name + "="))
                .map(line -> line.substring(name.length() + 1))
                .toList();
        if (values.size() > 1) {
            throw VseException.of(
                            ErrorCode.NOT_PERMITTED,
                            "a name, path or argument of the job pretends to be its '" + name + "'")
                    .fact("reason", "'" + name + "=' must not begin a line of any of them")
                    .next("submit the job without it");
        }
        return values.stream()
                .filter(value -> !value.isEmpty() && !value.equalsIgnoreCase("none"))
                .findFirst();
    }

    /**
     * What the job has of each host, the first host first.
     *
     * @param hostfile sge_pe(5), {@code $pe_hostfile}; a host may be in several lines
     * @param bound what the shepherd of the first host says about cores: {@code SGE_BINDING}, which means something only when
     *     the job asked for a binding
     */
    List<NodeShare> nodes(String hostfile, String bound) {
        Map<String, Integer> slots = new LinkedHashMap<>();
        for (String line : hostfile.lines().toList()) {
            Matcher matcher = HOST.matcher(line);
            int here = matcher.matches() ? Integer.parseInt(matcher.group(2)) : 0;
            if (here < 1 || slots.merge(matcher.group(1), here, (a, b) -> Math.min(a + b, MOST_CORES)) >= MOST_CORES) {
                throw VseException.of(ErrorCode.INTERNAL, "Grid Engine's list of the job's hosts cannot be read")
                        .fact("line", "'" + line + "'")
                        .next("look into active_jobs of this node's sge_execd");
            }
        }
        List<NodeShare> nodes = new ArrayList<>();
        slots.forEach((host, count) ->
                nodes.add(new NodeShare(host, count, nodes.isEmpty() ? cores(bound, count) : List.of())));
        return nodes;
    }

    /** The cores that Grid Engine has named, when they are as many as the job has slots. */
    private List<Integer> cores(String bound, int count) {
        boolean binds =
                value("binding").filter(kind -> kind.contains("explicit:")).isPresent();
        if (!binds || !CORES.matcher(bound).matches()) {
            return List.of();
        }
        List<Integer> cores = new ArrayList<>();
        for (String core : bound.split(" ")) {
            cores.add(Integer.parseInt(core));
        }
        return cores.size() == count && cores.stream().distinct().count() == count ? cores : List.of();
    }
}

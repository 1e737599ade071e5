package org.vse.scheduler.slurm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.Kind;
import org.vse.failure.VseException;
import org.vse.scheduler.AttemptId;
import org.vse.scheduler.Dialect;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.HookPoint;
import org.vse.scheduler.JobFacts;
import org.vse.scheduler.Source;
import org.vse.scheduler.VirtualNode;

/**
 * Slurm (slurm.conf(5), "Prolog and Epilog Scripts"). The Prolog is told the job's id and little else, so the rest is asked
 * for with scontrol(1). Prolog and Epilog always exit 0: everything else drains the node. What went wrong there is said and
 * paid for by the launcher, which the gate has put in front of the script.
 */
public final class Slurm implements Dialect {
    /** What slurm.conf(5) is told to start a job again for: RequeueExit. */
    private static final int REQUEUE = 85;

    /** How the second line of a script ends that the gate has put the launcher in front of. */
    public static final String LAUNCHER_MARK = " # VSE launcher";

    private static final String LAUNCHER_SHELL = "#!/bin/sh\nexec ";
    private static final int OWN_FAILURE = 125;
    private static final String JOB = "SLURM_JOB_ID";
    private static final String RESTARTS = "SLURM_JOB_RESTART_COUNT";
    private static final String RESTARTS_FOR_SCRIPTS = "SLURM_RESTART_COUNT";
    private static final String NODE_COUNT = "SLURM_JOB_NUM_NODES";
    private static final String CONFIGURATION = "SLURM_CONF";
    private static final String CORES = "SLURM_JOB_CPUS_PER_NODE";
    private static final Pattern REPEATED = Pattern.compile("([0-9]{1,6})(?:\\(x([0-9]{1,5})\\))?");
    private static final Pattern ID = Pattern.compile("[1-9][0-9]{0,9}");
    private static final Pattern COUNT = Pattern.compile("[0-9]{1,6}");
    private static final Set<String> PASSED = Set.of(
            JOB,
            RESTARTS,
            CONFIGURATION,
            CORES,
            "SLURM_CLUSTER_NAME",
            "SLURM_JOB_PARTITION",
            "SLURM_JOB_UID",
            "SLURM_JOB_USER",
            "SLURM_NODELIST",
            "SLURMD_NODENAME");

    @Override
    public String word() {
        return "slurm";
    }

    @Override
    public boolean passes(String variable) {
        return PASSED.contains(variable);
    }

    @Override
    public boolean readsInput(HookPoint point) {
        return false;
    }

    @Override
    public AttemptId attempt(HookCall call) {
        // A script has the variable only once its job was restarted; before 22.05 Prolog and Epilog have none.
        boolean starter = call.point() == HookPoint.STARTER;
        String variable = starter ? RESTARTS_FOR_SCRIPTS : RESTARTS;
        String restarts = call.environment().getOrDefault(variable, starter ? "0" : "");
        if (restarts.isEmpty()) {
            return new AttemptId(id(call), OptionalInt.empty());
        }
        if (!COUNT.matcher(restarts).matches()) {
            throw notACall(call, variable);
        }
        return new AttemptId(id(call), OptionalInt.of(Integer.parseInt(restarts) + 1));
    }

    @Override
    public List<Source> sources(HookCall call) {
        return List.of(show(call), script(call));
    }

    @Override
    public JobFacts facts(HookCall call, Map<Source, String> contents) {
        Scontrol job = Scontrol.of(contents.getOrDefault(show(call), ""), id(call));
        String spooled = contents.getOrDefault(script(call), "");
        JobFacts facts = new JobFacts(
                id(call),
                job.attempt(),
                job.owner(),
                job.partition(),
                job.account(),
                job.nodes(),
                Optional.of(JobFacts.Script.of(job.command(), author(spooled), spooled)),
                job.arrayIndex(),
                job.limit(),
                job.memoryBytes(),
                job.workDirectory());
        String uid = call.environment().getOrDefault("SLURM_JOB_UID", "");
        if (!uid.equals(Integer.toString(facts.owner().uid()))) {
            throw notACall(call, "SLURM_JOB_UID");
        }
        requireSame(call, "SLURM_JOB_PARTITION", List.of(facts.queue()), List::of);
        requireSame(
                call,
                "SLURM_NODELIST",
                facts.nodes().stream().map(JobFacts.NodeShare::node).toList(),
                HostList::names);
        requireSame(
                call,
                CORES,
                facts.nodes().stream()
                        .map(share -> Integer.toString(share.count()))
                        .toList(),
                Slurm::each);
        return facts;
    }

    /** What slurmd itself has told the hook and what scontrol prints among a user's words must be the same. */
    private static void requireSame(
            HookCall call, String variable, List<String> printed, Function<String, List<String>> parts) {
        String told = call.environment().get(variable);
        if (told != null && !parts.apply(told).equals(printed)) {
            throw notACall(call, variable);
        }
    }

    /** {@code 2(x3),1}: the numbers of four nodes. */
    private static List<String> each(String counts) {
        List<String> each = new ArrayList<>();
        for (String part : counts.split(",", -1)) {
            Matcher matcher = REPEATED.matcher(part);
            if (!matcher.matches()) {
                return List.of();
            }
            int times = matcher.group(2) == null ? 1 : Integer.parseInt(matcher.group(2));
            each.addAll(Collections.nCopies(times, matcher.group(1)));
        }
        return each;
    }

    @Override
    public Launch launch(HookCall call) {
        if (call.arguments().isEmpty()) {
            throw notACall(call, "script");
        }
        return new Launch(
                Optional.of(call.arguments().get(0)),
                call.arguments().subList(1, call.arguments().size()));
    }

    @Override
    public Map<String, String> environment(Map<String, String> environment, List<VirtualNode> machines) {
        String names = machines.stream().map(VirtualNode::name).collect(Collectors.joining(","));
        String cores = counts(machines);
        String count = Integer.toString(machines.size());
        String first = Integer.toString(machines.get(0).cores());
        Map<String, String> seen = new TreeMap<>(environment);
        boolean asManyAsNodes = count.equals(environment.get(NODE_COUNT));
        seen.replace("SLURM_JOB_NODELIST", names);
        seen.replace("SLURM_NODELIST", names);
        seen.replace(NODE_COUNT, count);
        seen.replace("SLURM_NNODES", count);
        seen.replace("SLURMD_NODENAME", machines.get(0).name());
        seen.replace(CORES, cores);
        seen.replace("SLURM_CPUS_ON_NODE", first);
        if (!asManyAsNodes) {
            seen.replace("SLURM_TASKS_PER_NODE", cores);
        }
        return seen;
    }

    @Override
    public int goesOnLater() {
        return REQUEUE;
    }

    @Override
    public boolean epilogueStartsAgain() {
        return false;
    }

    @Override
    public boolean suspensionIsFree() {
        return true;
    }

    @Override
    public int exitCode(HookPoint point, Kind kind) {
        return point == HookPoint.STARTER ? OWN_FAILURE : 0;
    }

    /** The script without the two lines that the gate has put in front of it. */
    private static String author(String spooled) {
        if (!spooled.startsWith(LAUNCHER_SHELL)) {
            return spooled;
        }
        int end = spooled.indexOf('\n', LAUNCHER_SHELL.length());
        return end >= 0 && spooled.substring(0, end).endsWith(LAUNCHER_MARK) ? spooled.substring(end + 1) : spooled;
    }

    private static Source show(HookCall call) {
        return new Source.Answer(List.of("scontrol", "show", "job", "-d", id(call)), configuration(call));
    }

    private static Source script(HookCall call) {
        return new Source.Answer(List.of("scontrol", "write", "batch_script", id(call), "-"), configuration(call));
    }

    private static Map<String, String> configuration(HookCall call) {
        String path = call.environment().get(CONFIGURATION);
        return path == null ? Map.of() : Map.of(CONFIGURATION, path);
    }

    private static String id(HookCall call) {
        String id = call.environment().getOrDefault(JOB, "");
        if (!ID.matcher(id).matches()) {
            throw notACall(call, JOB);
        }
        return id;
    }

    /** {@code 2(x3),1} for three machines of two cores and one of one. */
    private static String counts(List<VirtualNode> machines) {
        StringBuilder counts = new StringBuilder();
        for (int begin = 0, end; begin < machines.size(); begin = end) {
            int cores = machines.get(begin).cores();
            end = begin;
            while (end < machines.size() && machines.get(end).cores() == cores) {
                end++;
            }
            counts.append(counts.isEmpty() ? "" : ",").append(cores);
            if (end - begin > 1) {
                counts.append("(x").append(end - begin).append(')');
            }
        }
        return counts.toString();
    }

    private static VseException notACall(HookCall call, String what) {
        return VseException.of(ErrorCode.USAGE, "this is no " + call.point() + " of Slurm: '" + what + "' is wrong")
                .fact("found", "'" + call.environment().getOrDefault(what, "") + "'")
                .next("let Slurm call it: vse install --scheduler slurm");
    }
}

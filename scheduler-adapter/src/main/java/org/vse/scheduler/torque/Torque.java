package org.vse.scheduler.torque;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
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
import org.vse.scheduler.pbs.PbsForms;

/**
 * TORQUE (Administrator Guide, "Job preparation: prologue and epilogue scripts"; pbs_mom(8), {@code $job_starter}). A
 * prologue is told the job in its arguments; nodes and attempt only the server knows.
 *
 * <p>A prologue always exits 0, and what went wrong is said by the starter. 1 ends the job without a word to its user, 2 and
 * more start it again without end, each may take the node down ({@code down_on_error}), and a prologue that a signal killed
 * counts as one that went well: so the starter has to judge in any case.
 */
public final class Torque implements Dialect {
    private static final int OWN_FAILURE = 125;
    private static final String JOB = "PBS_JOBID";
    private static final String WORK_DIRECTORY = "PBS_O_WORKDIR";
    private static final Set<String> PASSED = Set.of(JOB, WORK_DIRECTORY);

    /** An argument of a prologue. */
    private record Argument(String name, int place) {
        static final Argument ID = new Argument("id", 0);
        static final Argument USER = new Argument("user", 1);
        static final Argument NAME = new Argument("name", 3);
        static final Argument RESOURCES = new Argument("resources", 4);
        static final Argument QUEUE = new Argument("queue", 5);
        static final Argument ACCOUNT = new Argument("account", 6);
        static final Argument SCRIPT = new Argument("script", 7);
    }

    @Override
    public String word() {
        return "torque";
    }

    @Override
    public boolean passes(String variable) {
        return PASSED.contains(variable);
    }

    @Override
    public boolean readsInput(HookPoint point) {
        return point == HookPoint.STARTER;
    }

    @Override
    public AttemptId attempt(HookCall call) {
        // No hook is told how often the job was started.
        return new AttemptId(id(call), OptionalInt.empty());
    }

    @Override
    public List<Source> sources(HookCall call) {
        List<Source> sources = new ArrayList<>(List.of(qstat(call), owner(call)));
        script(call).ifPresent(sources::add);
        return sources;
    }

    @Override
    public JobFacts facts(HookCall call, Map<Source, String> contents) {
        String id = id(call);
        Qstat job = Qstat.of(id, contents.getOrDefault(qstat(call), ""));
        return new JobFacts(
                id,
                job.attempt(),
                new JobFacts.Owner(required(call, Argument.USER), uid(call, contents)),
                required(call, Argument.QUEUE),
                Optional.of(argument(call, Argument.ACCOUNT)).filter(account -> !account.isBlank()),
                job.nodes(),
                script(call)
                        .map(source -> contents.getOrDefault(source, ""))
                        .map(text -> JobFacts.Script.of(required(call, Argument.NAME), text, text)),
                PbsForms.arrayIndex(id),
                walltime(call),
                memoryBytes(call),
                workDirectory(call));
    }

    @Override
    public Launch launch(HookCall call) {
        return new Launch(PbsForms.launched(call, path -> notACall(call, "script", path)), List.of());
    }

    @Override
    public Map<String, String> environment(Map<String, String> environment, List<VirtualNode> machines) {
        Map<String, String> seen = new TreeMap<>(environment);
        seen.replace("PBS_NODEFILE", PbsForms.MACHINES);
        seen.replace("PBS_NUM_NODES", Integer.toString(machines.size()));
        seen.replace("PBS_NUM_PPN", Integer.toString(machines.get(0).cores()));
        seen.replace(
                "PBS_NP",
                Integer.toString(machines.stream().mapToInt(VirtualNode::cores).sum()));
        return seen;
    }

    @Override
    public int goesOnLater() {
        return PbsForms.SAVED;
    }

    @Override
    public boolean epilogueStartsAgain() {
        return false;
    }

    @Override
    public boolean suspensionIsFree() {
        return false;
    }

    @Override
    public int exitCode(HookPoint point, Kind kind) {
        return point == HookPoint.STARTER ? OWN_FAILURE : 0;
    }

    private static Source qstat(HookCall call) {
        return new Source.Answer(List.of("qstat", "-f", id(call)), Map.of());
    }

    private static Source owner(HookCall call) {
        String user = required(call, Argument.USER);
        return PbsForms.whoIs(user).orElseThrow(() -> notACall(call, "user", user));
    }

    /** Empty for a job that brought none. */
    private static Optional<Source> script(HookCall call) {
        String path = argument(call, Argument.SCRIPT);
        if (!path.isEmpty() && !PbsForms.isSpooled(path)) {
            throw notACall(call, "script", path);
        }
        return Optional.of(path).filter(given -> !given.isEmpty()).map(Source.File::new);
    }

    private static int uid(HookCall call, Map<Source, String> contents) {
        return PbsForms.uid(contents.getOrDefault(owner(call), ""))
                .orElseThrow(() -> notACall(call, "user", required(call, Argument.USER)));
    }

    private static Optional<Duration> walltime(HookCall call) {
        return resource(call, "walltime")
                .map(text -> PbsForms.time(text).orElseThrow(() -> notACall(call, "walltime", text)));
    }

    private static OptionalLong memoryBytes(HookCall call) {
        Optional<String> memory = resource(call, "mem");
        return memory.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(PbsForms.bytes(memory.get()).orElseThrow(() -> notACall(call, "mem", memory.get())));
    }

    /** One of {@code nodes=1:ppn=2,walltime=00:01:00}: a name that is there twice is refused, as a value may have commas. */
    private static Optional<String> resource(HookCall call, String name) {
        List<String> values = Arrays.stream(argument(call, Argument.RESOURCES).split(",", -1))
                .filter(resource -> resource.startsWith(name + "="))
                .map(resource -> resource.substring(name.length() + 1))
                .toList();
        if (values.size() > 1) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "a resource of the job pretends to be its '" + name + "'")
                    .fact("resources", "'" + argument(call, Argument.RESOURCES) + "'")
                    .next("submit the job without it");
        }
        return values.stream().findFirst();
    }

    private static String workDirectory(HookCall call) {
        String path = call.environment().getOrDefault(WORK_DIRECTORY, "");
        if (!path.startsWith("/") || path.chars().anyMatch(Character::isISOControl)) {
            throw notACall(call, WORK_DIRECTORY, path);
        }
        return path;
    }

    private static String id(HookCall call) {
        String id = call.point() == HookPoint.STARTER
                ? call.environment().getOrDefault(JOB, "")
                : required(call, Argument.ID);
        if (!PbsForms.isJob(id)) {
            throw notACall(call, "id", id);
        }
        return id;
    }

    private static String required(HookCall call, Argument argument) {
        String value = argument(call, argument);
        if (value.isBlank()) {
            throw notACall(call, argument.name(), value);
        }
        return value;
    }

    private static String argument(HookCall call, Argument argument) {
        String value =
                argument.place() < call.arguments().size() ? call.arguments().get(argument.place()) : "";
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw notACall(call, argument.name(), value);
        }
        return value;
    }

    private static VseException notACall(HookCall call, String what, String found) {
        return VseException.of(ErrorCode.USAGE, "this is no " + call.point() + " of TORQUE: '" + what + "' is wrong")
                .fact("found", "'" + found + "'")
                .next("let pbs_mom call it: docs/schedulers/torque.md");
    }
}

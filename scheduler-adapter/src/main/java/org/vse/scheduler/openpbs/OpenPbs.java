package org.vse.scheduler.openpbs;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.vse.failure.Kind;
import org.vse.scheduler.AttemptId;
import org.vse.scheduler.Dialect;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.HookPoint;
import org.vse.scheduler.JobFacts;
import org.vse.scheduler.Source;
import org.vse.scheduler.VirtualNode;
import org.vse.scheduler.pbs.PbsForms;

/**
 * OpenPBS (PBS Hooks Guide, execution event hooks). A hook has the whole job in its event and passes on what is needed, see
 * {@link Event}; the classic prologue is told neither nodes nor queue and is not run where there are hooks.
 *
 * <p>A prologue ends with {@value #DELETE} for a job that is to be deleted, with {@value #REQUEUE} for one that another node
 * or a later time may run: OpenPBS holds a job that was started 20 times.
 */
public final class OpenPbs implements Dialect {
    private static final int DELETE = 1;
    private static final int REQUEUE = 2;
    private static final int OWN_FAILURE = 125;
    private static final String JOB = "PBS_JOBID";
    private static final String RUNS = "run_count";
    private static final String NODES = "exec_host2";
    private static final String WALLTIME = "Resource_List.walltime";
    private static final String MEMORY = "Resource_List.mem";
    private static final String CORES_HERE = "NCPUS";
    private static final String THREADS = "OMP_NUM_THREADS";

    private static final Pattern COUNT = Pattern.compile("[1-9][0-9]{0,5}");

    /** {@code node1:15002/0*2}: two cores of a node, for the job that is its slot 0. */
    private static final Pattern CHUNK =
            Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]*)(?::[0-9]{1,5})?/[0-9]{1,9}(?:\\*([0-9]{1,6}))?");

    @Override
    public String word() {
        return "openpbs";
    }

    @Override
    public boolean passes(String variable) {
        return variable.equals(JOB);
    }

    @Override
    public boolean readsInput(HookPoint point) {
        return true;
    }

    @Override
    public AttemptId attempt(HookCall call) {
        if (call.point() == HookPoint.STARTER) {
            // What sets the launcher up puts the run in front; a signal that it passes on comes without.
            return new AttemptId(
                    job(call, call.environment().getOrDefault(JOB, "")),
                    call.arguments().isEmpty()
                            ? OptionalInt.empty()
                            : OptionalInt.of(run(call, call.arguments().get(0))));
        }
        Event event = Event.of(call);
        return new AttemptId(job(call, event.text("id")), OptionalInt.of(run(call, event.text(RUNS))));
    }

    @Override
    public List<Source> sources(HookCall call) {
        Event event = Event.of(call);
        return List.of(owner(event), script(event));
    }

    @Override
    public JobFacts facts(HookCall call, Map<Source, String> contents) {
        Event event = Event.of(call);
        String id = job(call, event.text("id"));
        String spooled = contents.getOrDefault(script(event), "");
        return new JobFacts(
                id,
                run(call, event.text(RUNS)),
                new JobFacts.Owner(event.text("euser"), uid(event, contents)),
                event.text("queue"),
                event.find("Account_Name"),
                nodes(event),
                Optional.of(JobFacts.Script.of(event.text("Job_Name"), spooled, spooled)),
                PbsForms.arrayIndex(id),
                walltime(event),
                memoryBytes(event),
                workDirectory(event));
    }

    @Override
    public Launch launch(HookCall call) {
        return new Launch(PbsForms.launched(call, path -> Event.notACall(call, "script", path)), List.of());
    }

    @Override
    public Map<String, String> environment(Map<String, String> environment, List<VirtualNode> machines) {
        String cores = Integer.toString(machines.get(0).cores());
        Map<String, String> seen = new TreeMap<>(environment);
        boolean asManyAsCores = environment.getOrDefault(CORES_HERE, "").equals(environment.get(THREADS));
        seen.replace("PBS_NODEFILE", PbsForms.MACHINES);
        seen.replace(CORES_HERE, cores);
        if (asManyAsCores) {
            seen.replace(THREADS, cores);
        }
        return seen;
    }

    @Override
    public int goesOnLater() {
        return PbsForms.SAVED;
    }

    @Override
    public boolean epilogueStartsAgain() {
        return true;
    }

    @Override
    public boolean suspensionIsFree() {
        return true;
    }

    @Override
    public int exitCode(HookPoint point, Kind kind) {
        return switch (point) {
            case PROLOGUE -> kind == Kind.SITE || kind == Kind.CAPACITY ? REQUEUE : DELETE;
            case STARTER -> OWN_FAILURE;
            case EPILOGUE -> 0;
        };
    }

    private static Source owner(Event event) {
        return PbsForms.whoIs(event.text("euser")).orElseThrow(() -> event.wrong("euser"));
    }

    /** The mom's file; an array's member and a job with a long id have a {@code hashname} that is not their id. */
    private static Source script(Event event) {
        String name = event.text("hashname");
        String path = event.text("PBS_HOME") + "/mom_priv/jobs/" + name + ".SC";
        if (name.contains("/") || !PbsForms.isSpooled(path)) {
            throw event.wrong("hashname");
        }
        return new Source.File(path);
    }

    private static int uid(Event event, Map<Source, String> contents) {
        return PbsForms.uid(contents.getOrDefault(owner(event), "")).orElseThrow(() -> event.wrong("euser"));
    }

    private static List<JobFacts.NodeShare> nodes(Event event) {
        List<JobFacts.NodeShare> nodes = PbsForms.shares(
                event.text(NODES), CHUNK, chunk -> chunk.group(2) == null ? 1 : Integer.parseInt(chunk.group(2)));
        if (nodes.isEmpty()) {
            throw event.wrong(NODES);
        }
        return nodes;
    }

    private static Optional<Duration> walltime(Event event) {
        return event.find(WALLTIME).map(text -> PbsForms.time(text).orElseThrow(() -> event.wrong(WALLTIME)));
    }

    private static OptionalLong memoryBytes(Event event) {
        Optional<String> memory = event.find(MEMORY);
        return memory.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(PbsForms.bytes(memory.get()).orElseThrow(() -> event.wrong(MEMORY)));
    }

    private static String workDirectory(Event event) {
        String name = "Variable_List.PBS_O_WORKDIR";
        return event.find(name).filter(path -> path.startsWith("/")).orElseThrow(() -> event.wrong(name));
    }

    private static String job(HookCall call, String id) {
        if (!PbsForms.isJob(id)) {
            throw Event.notACall(call, "id", id);
        }
        return id;
    }

    private static int run(HookCall call, String count) {
        if (!COUNT.matcher(count).matches()) {
            throw Event.notACall(call, RUNS, count);
        }
        return Integer.parseInt(count);
    }
}

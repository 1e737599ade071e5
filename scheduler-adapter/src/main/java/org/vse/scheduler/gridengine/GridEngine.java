package org.vse.scheduler.gridengine;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.failure.ErrorCode;
import org.vse.failure.Kind;
import org.vse.failure.VseException;
import org.vse.scheduler.AttemptId;
import org.vse.scheduler.Dialect;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.HookPoint;
import org.vse.scheduler.JobFacts;
import org.vse.scheduler.JobFacts.NodeShare;
import org.vse.scheduler.Source;
import org.vse.scheduler.VirtualNode;

/**
 * Grid Engine (queue_conf(5), {@code prolog}, {@code epilog}, {@code starter_method}). sge_execd sets the variables that are
 * read here after those of the user, and has written down what it knows for the job's shepherd; only what the job asked for
 * is asked with qstat(1). {@code SGE_STARTED}, when this start of the job began,
 * in seconds since 2020-01-01 UTC, is the hooks' own.
 *
 * <p>A prolog that exits with 100 ends up as an error of the job, with 99 the job is started again; all other codes make it
 * an error of the queue on that host, which then takes no more jobs.
 */
public final class GridEngine implements Dialect {
    /** The job is rescheduled (sge_diagnostics, sge_conf(5), FORBID_RESCHEDULE). */
    private static final int REQUEUE = 99;

    /** In the guests, the machines in the form of PE_HOSTFILE. */
    private static final String MACHINES = "/run/vse/pe_hostfile";

    private static final int OWN_FAILURE = 125;
    private static final int JOB_ERROR = 100;
    private static final int AGAIN = 99;
    private static final String JOB = "JOB_ID";
    private static final String TASK = "SGE_TASK_ID";
    private static final String RESTARTS = "RESTARTED";
    private static final String STARTED = "SGE_STARTED";
    private static final String DIRECTORY = "SGE_JOB_SPOOL_DIR";
    private static final String SCRIPT = "JOB_SCRIPT";
    private static final String CORES = "SGE_BINDING";
    private static final String NO_TASK = "undefined";
    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,9}");
    private static final Pattern COUNT = Pattern.compile("[0-9]{1,9}");
    private static final Pattern SPOOL = Pattern.compile("/[A-Za-z0-9._/+-]{1,1000}/active_jobs/([0-9]+\\.[0-9]+)");
    private static final Pattern SPOOLED = Pattern.compile("/[A-Za-z0-9._/+-]{1,1000}/job_scripts/[0-9]+");
    private static final Pattern USER = Pattern.compile("[A-Za-z_][A-Za-z0-9_.@-]{0,254}\\$?");
    private static final Pattern UID = Pattern.compile("([0-9]{1,9})\n");
    private static final Pattern TIME = Pattern.compile("(?:(?:([0-9]{1,9}):)?([0-9]{1,9}):)?([0-9]{1,9})");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([kKmMgGtT]?)");
    private static final String UNITS = "KMGT";
    private static final Set<String> PASSED =
            Set.of(JOB, TASK, RESTARTS, STARTED, DIRECTORY, SCRIPT, CORES, "SGE_ROOT", "SGE_CELL");

    @Override
    public String word() {
        return "gridengine";
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
        String restarted = variable(call, RESTARTS);
        if (restarted.equals("0")) {
            return new AttemptId(id(call), OptionalInt.of(1));
        }
        // RESTARTED says that there was an attempt, not how many: later ones are told apart and ordered by when they
        // began.
        String started = variable(call, STARTED);
        if (!restarted.equals("1") || !COUNT.matcher(started).matches()) {
            throw notACall(call, restarted.equals("1") ? STARTED : RESTARTS);
        }
        return new AttemptId(id(call), OptionalInt.of(Integer.parseInt(started) + 2));
    }

    @Override
    public List<Source> sources(HookCall call) {
        Source config = file(call, "config");
        Source hosts = file(call, "pe_hostfile");
        return script(call)
                .map(script -> List.of(config, hosts, script, qstat(call), owner(call)))
                .orElseGet(() -> List.of(config, hosts, qstat(call), owner(call)));
    }

    @Override
    public JobFacts facts(HookCall call, Map<Source, String> contents) {
        Shepherd job = new Shepherd(contents.getOrDefault(file(call, "config"), ""));
        if (!id(job).equals(id(call))) {
            throw notACall(call, JOB);
        }
        String owner = job.required("job_owner");
        if (call.arguments().isEmpty() || !call.arguments().get(0).equals(owner)) {
            throw notACall(call, "job_owner");
        }
        List<NodeShare> nodes = job.nodes(contents.getOrDefault(file(call, "pe_hostfile"), ""), variable(call, CORES));
        if (nodes.isEmpty()) {
            throw notACall(call, DIRECTORY);
        }
        int slots = nodes.stream().mapToInt(NodeShare::count).sum();
        String asked = contents.getOrDefault(qstat(call), "");
        return new JobFacts(
                id(call),
                attempt(call).attempt().orElse(1),
                new JobFacts.Owner(owner, uid(call, contents)),
                job.required("queue"),
                job.value("acct_project").or(() -> job.value("account").filter(account -> !account.equals("sge"))),
                nodes,
                script(call, job, contents),
                task(call),
                walltime(asked),
                memory(job, asked, slots),
                directory(call, job));
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
        Map<String, String> seen = new TreeMap<>(environment);
        seen.replace("PE_HOSTFILE", MACHINES);
        seen.replace("NHOSTS", Integer.toString(machines.size()));
        seen.replace(
                "NSLOTS",
                Integer.toString(machines.stream().mapToInt(VirtualNode::cores).sum()));
        seen.replace("HOSTNAME", machines.get(0).name());
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
        return false;
    }

    @Override
    public int exitCode(HookPoint point, Kind kind) {
        return switch (point) {
            case PROLOGUE -> kind == Kind.USER || kind == Kind.INTERNAL ? JOB_ERROR : AGAIN;
            case STARTER -> OWN_FAILURE;
            case EPILOGUE -> 0;
        };
    }

    /** A file of the directory that sge_execd has made for the job, where its user can write nothing but messages. */
    private static Source file(HookCall call, String name) {
        String directory = variable(call, DIRECTORY);
        Matcher matcher = SPOOL.matcher(directory);
        String task = task(call).isPresent() ? variable(call, TASK) : "1";
        if (!matcher.matches() || !matcher.group(1).equals(number(call) + "." + task)) {
            throw notACall(call, DIRECTORY);
        }
        return new Source.File(directory + "/" + name);
    }

    private static Source qstat(HookCall call) {
        Map<String, String> environment = new LinkedHashMap<>();
        for (String name : List.of("SGE_ROOT", "SGE_CELL")) {
            String value = variable(call, name);
            if (!value.isEmpty()) {
                environment.put(name, value);
            }
        }
        return new Source.Answer(List.of("qstat", "-j", number(call)), environment);
    }

    private static Source owner(HookCall call) {
        String user = call.arguments().isEmpty() ? "" : call.arguments().get(0);
        if (!USER.matcher(user).matches()) {
            throw notACall(call, "job_owner");
        }
        return new Source.Answer(List.of("id", "-u", user), Map.of());
    }

    private static int uid(HookCall call, Map<Source, String> contents) {
        Matcher matcher = UID.matcher(contents.getOrDefault(owner(call), ""));
        if (!matcher.matches()) {
            throw notACall(call, "job_owner");
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** Empty for a job that brought none: a command, or a session at a terminal. */
    private static Optional<Source> script(HookCall call) {
        return Optional.of(variable(call, SCRIPT))
                .filter(path -> SPOOLED.matcher(path).matches())
                .map(Source.File::new);
    }

    private static Optional<JobFacts.Script> script(HookCall call, Shepherd job, Map<Source, String> contents) {
        Optional<Source> script = script(call);
        if (script.isEmpty()) {
            return Optional.empty();
        }
        if (!job.required("script_file").equals(variable(call, SCRIPT))) {
            throw notACall(call, SCRIPT);
        }
        String text = contents.getOrDefault(script.get(), "");
        return Optional.of(JobFacts.Script.of(
                field(contents.getOrDefault(qstat(call), ""), "script_file").orElse("job script"), text, text));
    }

    private static String directory(HookCall call, Shepherd job) {
        String directory = job.required("cwd");
        if (!directory.startsWith("/") || directory.chars().anyMatch(Character::isISOControl)) {
            throw notACall(call, "cwd");
        }
        return directory;
    }

    private static Optional<Duration> walltime(String asked) {
        return resource(asked, "h_rt")
                .map(TIME::matcher)
                .filter(Matcher::matches)
                .map(time -> Duration.ofHours(unit(time, 1))
                        .plusMinutes(unit(time, 2))
                        .plusSeconds(unit(time, 3)))
                .filter(time -> !time.isZero());
    }

    /** What a job asks for is for each slot; the least of what bounds it. */
    private static OptionalLong memory(Shepherd job, String asked, int slots) {
        long least = Long.MAX_VALUE;
        for (Optional<String> bound : List.of(job.value("h_vmem"), resource(asked, "mem_free"))) {
            least = Math.min(least, bound.flatMap(GridEngine::bytes).orElse(Long.MAX_VALUE));
        }
        return least == Long.MAX_VALUE
                ? OptionalLong.empty()
                : OptionalLong.of(Math.multiplyExact(least, (long) slots));
    }

    /** {@code 512M}: powers of 1024 for capitals, of 1000 for small letters. */
    private static Optional<Long> bytes(String text) {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String unit = matcher.group(2);
        int power = unit.isEmpty() ? 0 : UNITS.indexOf(Character.toUpperCase(unit.charAt(0))) + 1;
        double factor = Math.pow(!unit.isEmpty() && Character.isLowerCase(unit.charAt(0)) ? 1000 : 1024, power);
        double bytes = Long.parseLong(matcher.group(1)) * factor;
        return bytes < 1 || bytes > 1L << 50 ? Optional.empty() : Optional.of((long) bytes);
    }

    /** One of {@code hard resource_list: h_rt=300,h_vmem=1G}. */
    private static Optional<String> resource(String asked, String name) {
        return field(asked, "hard resource_list")
                .flatMap(list -> Arrays.stream(list.split(",", -1))
                        .filter(resource -> resource.startsWith(name + "="))
                        .map(resource -> resource.substring(name.length() + 1))
                        .findFirst());
    }

    /** A line of {@code qstat -j}; twice the same is a user's word that pretends to be it. */
    private static Optional<String> field(String asked, String name) {
        List<String> values = asked.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .toList();
        if (values.size() > 1) {
            throw VseException.of(
                            ErrorCode.NOT_PERMITTED,
                            "a name, path or variable of the job pretends to be its '" + name + "'")
                    .fact("reason", "'" + name + ":' must not begin a line of any of them")
                    .next("submit the job without it");
        }
        return values.stream().filter(value -> !value.isEmpty()).findFirst();
    }

    private static long unit(Matcher time, int group) {
        return time.group(group) == null ? 0 : Long.parseLong(time.group(group));
    }

    /** {@code 12}, or {@code 12.3} for a member of an array. */
    private static String id(HookCall call) {
        return task(call).isPresent() ? number(call) + "." + variable(call, TASK) : number(call);
    }

    private static String id(Shepherd job) {
        String task = job.required("ja_task_id");
        return task.equals("0") ? job.required("job_id") : job.required("job_id") + "." + task;
    }

    private static String number(HookCall call) {
        String number = variable(call, JOB);
        if (!NUMBER.matcher(number).matches()) {
            throw notACall(call, JOB);
        }
        return number;
    }

    private static OptionalInt task(HookCall call) {
        String task = variable(call, TASK);
        if (task.equals(NO_TASK)) {
            return OptionalInt.empty();
        }
        if (!NUMBER.matcher(task).matches() || task.length() > 9) {
            throw notACall(call, TASK);
        }
        return OptionalInt.of(Integer.parseInt(task));
    }

    private static String variable(HookCall call, String name) {
        return call.environment().getOrDefault(name, "");
    }

    private static VseException notACall(HookCall call, String what) {
        return VseException.of(
                        ErrorCode.USAGE, "this is no " + call.point() + " of Grid Engine: '" + what + "' is wrong")
                .fact("found", "'" + variable(call, what) + "'")
                .next("let Grid Engine call it: vse install --scheduler gridengine");
    }
}

package org.vse.provisioner.guest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.guest.GuestControl.GuestResult;

/**
 * The one script of a guest. Once started it needs nobody on the host but QEMU: it is the child of a runner in the guest,
 * its output leaves by the machine's ports {@value #STDOUT_PORT} and {@value #STDERR_PORT}, its start and its end are
 * told on the port {@value ControlRecords#PORT} and kept in the guest's memory.
 *
 * <p>The script's {@code $0} is {@code /run/vse/job/script/NAME} with the name that it has for its user.
 */
public final class GuestJob {
    /** Port of the script's standard output. */
    public static final String STDOUT_PORT = "org.vse.stdout";
    /** Port of the script's standard error. */
    public static final String STDERR_PORT = "org.vse.stderr";

    private static final int ALREADY_STARTED = 75;
    private static final int MAX_OUTPUT_BYTES = 64 << 10;

    private final Duration timeout;

    /** @param timeout for each call into the guest */
    public GuestJob(Duration timeout) {
        this.timeout = timeout;
    }

    /**
     * Delivers the script and starts it. Returns when it goes on by itself; its start and its end are seen in
     * {@link ControlRecords}.
     *
     * @throws VseException JOB_STATE when a script was started in this guest before, GUEST_SETUP_FAILED when the image or
     *     the machine lacks something; in both cases nothing runs that did not run before
     */
    public void start(GuestControl guest, ScriptLaunch launch) {
        byte[] script = launch.script().map(JobScript::text).orElse(new byte[0]);
        List<String> argv = new ArrayList<>(List.of("vse-start"));
        argv.add(launch.terminal().isPresent() ? "terminal" : "batch");
        argv.add(Integer.toString(launch.uid()));
        argv.add(Integer.toString(launch.gid()));
        argv.add(
                launch.groups().size() == 1
                        ? "-"
                        : launch.groups().stream().skip(1).map(String::valueOf).collect(Collectors.joining(",")));
        argv.add(Integer.toString(
                launch.terminal().map(ScriptLaunch.Terminal::rows).orElse(0)));
        argv.add(Integer.toString(
                launch.terminal().map(ScriptLaunch.Terminal::columns).orElse(0)));
        argv.add(launch.script().map(JobScript::name).orElse(""));
        argv.add(launch.cwd());
        argv.add("%03o".formatted(launch.umask()));
        argv.add(launch.shell());
        argv.add(launch.script().flatMap(JobScript::interpreter).orElse(""));
        argv.add(GuestScripts.RUNNER);
        argv.add(GuestScripts.ENTER);
        Map<String, String> environment = environment(launch);
        argv.add(Integer.toString(environment.size()));
        environment.forEach((name, value) -> argv.add(name + "=" + value));
        argv.addAll(launch.arguments());
        GuestResult result = GuestShell.runTelling(guest, GuestScripts.START, argv, script, timeout, MAX_OUTPUT_BYTES);
        if (result.exitCode() == ALREADY_STARTED) {
            throw VseException.of(ErrorCode.JOB_STATE, "a script was already started in this guest");
        }
        requireSuccess(result, "starting the script in the guest failed");
    }

    /**
     * Sends a signal to every process of the script, as batch systems do.
     *
     * @return false when there was no such process any more or not yet
     */
    public boolean signal(GuestControl guest, JobSignal signal) {
        GuestResult result = requireSuccess(
                shell(guest, GuestScripts.SIGNAL, signal.name()), "sending a signal to the script failed");
        String count = result.stdout().strip();
        if (!count.matches("[0-9]{1,9}")) {
            throw unexpected("the number of processes", result.stdout());
        }
        return !count.equals("0");
    }

    /** Gives the terminal a new size; its foreground processes get SIGWINCH. */
    public void resize(GuestControl guest, int rows, int columns) {
        ScriptLaunch.Terminal.requireSize(rows, columns);
        List<String> argv = List.of(
                "/bin/stty", "-F", "/dev/hvc0", "rows", Integer.toString(rows), "columns", Integer.toString(columns));
        requireSuccess(
                guest.exec(argv, new byte[0], timeout, MAX_OUTPUT_BYTES), "setting the size of the terminal failed");
    }

    /** What became of the script, from the guest's own files: for a host that was not there when it happened. */
    public JobStatus status(GuestControl guest) {
        GuestResult result =
                requireSuccess(shell(guest, GuestScripts.STATUS), "asking the guest what became of the script failed");
        String line = result.stdout().endsWith("\n")
                ? result.stdout().substring(0, result.stdout().length() - 1)
                : result.stdout();
        if (line.equals("none")) {
            return new JobStatus.NotStarted();
        }
        if (line.equals("running")) {
            return new JobStatus.Running();
        }
        if (line.equals("lost")) {
            return new JobStatus.Lost("runner");
        }
        return ControlRecords.end(line);
    }

    private GuestResult shell(GuestControl guest, String script, String... arguments) {
        List<String> argv = new ArrayList<>(List.of("vse"));
        argv.addAll(List.of(arguments));
        return GuestShell.run(guest, script, argv, new byte[0], timeout, MAX_OUTPUT_BYTES);
    }

    private static Map<String, String> environment(ScriptLaunch launch) {
        Map<String, String> environment = new TreeMap<>(launch.environment());
        launch.terminal().ifPresent(terminal -> environment.put("TERM", terminal.type()));
        return environment;
    }

    private static GuestResult requireSuccess(GuestResult result, String what) {
        if (result.exitCode() != 0) {
            throw VseException.of(ErrorCode.GUEST_SETUP_FAILED, what)
                    .fact("exit code", result.exitCode())
                    .fact("said", Excerpt.lines(result.stderr(), 8));
        }
        return result;
    }

    private static VseException unexpected(String expected, String found) {
        return VseException.of(ErrorCode.GUEST_PROTOCOL, "a program in the guest said something else than expected")
                .fact("expected", expected)
                .fact("found", Excerpt.of(found));
    }
}

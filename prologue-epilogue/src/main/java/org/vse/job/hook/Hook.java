package org.vse.job.hook;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;
import org.vse.scheduler.BatchSystem;
import org.vse.scheduler.Dialect;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.HookPoint;

/**
 * {@code vse hook POINT --scheduler NAME [--run DIRECTORY] [-- ARGUMENT…]}: one call of a batch system.
 *
 * <p>Where the daemon is comes from the command line only: the environment of a hook may be the user's. What is wrong is
 * said on standard error; the exit code is what the batch system must be told.
 */
public final class Hook {
    private static final Path RUN = Path.of("/run/vse");

    /** Staging an image on a slow network takes longest. The daemon has a bound of its own. */
    private static final Duration PROLOGUE = Duration.ofMinutes(20);

    private static final Duration EPILOGUE = Duration.ofMinutes(3);
    private static final int MAX_INPUT = 1 << 16;
    private static final int USAGE = 2;

    private final Map<String, String> environment;
    private final Path directory;
    private final InputStream in;
    private final OutputStream out;
    private final OutputStream err;
    private final Path descriptors;
    private final Signals signals;

    /** How signals to this process are taken up. */
    @FunctionalInterface
    public interface Signals {
        /** Hands the named signals to {@code handler} instead of ending the process. */
        void handle(List<String> names, Consumer<String> handler);
    }

    /**
     * Takes what a hook's process has.
     *
     * @param directory working directory, absolute
     * @param out gets a script's bytes as they are
     * @param err likewise, and what this hook says
     * @param descriptors directory of this process's descriptors, {@code /proc/self/fd}
     */
    public Hook(
            Map<String, String> environment,
            Path directory,
            InputStream in,
            OutputStream out,
            OutputStream err,
            Path descriptors,
            Signals signals) {
        this.environment = Map.copyOf(environment);
        this.directory = directory;
        this.in = in;
        this.out = out;
        this.err = err;
        this.descriptors = descriptors;
        this.signals = signals;
    }

    /**
     * What the command line says.
     *
     * @param arguments the batch system's own
     */
    private record Line(HookPoint point, BatchSystem system, Path run, List<String> arguments) {
        static Line of(List<String> words) {
            HookPoint point =
                    words.isEmpty() ? null : HookPoint.of(words.get(0)).orElse(null);
            if (point == null) {
                throw usage("there is no hook '" + (words.isEmpty() ? "" : words.get(0)) + "'");
            }
            BatchSystem system = null;
            Path run = RUN;
            int at = 1;
            while (at < words.size() && !words.get(at).equals("--")) {
                String value = at + 1 < words.size() ? words.get(at + 1) : "";
                switch (words.get(at)) {
                    case "--scheduler" ->
                        system = BatchSystem.of(value)
                                .orElseThrow(() -> usage("'" + value + "' is not a batch system with hooks"));
                    case "--run" -> run = Path.of(value).toAbsolutePath();
                    default -> throw usage("a hook has no option '" + words.get(at) + "'");
                }
                at += 2;
            }
            if (system == null) {
                throw usage("which batch system calls is not said");
            }
            return new Line(point, system, run, words.subList(Math.min(words.size(), at + 1), words.size()));
        }

        private static VseException usage(String what) {
            return VseException.of(ErrorCode.USAGE, what)
                    .fact(
                            "allowed",
                            "vse hook prologue|starter|epilogue --scheduler " + String.join("|", BatchSystem.words())
                                    + " [--run DIRECTORY] [-- ARGUMENT…]");
        }
    }

    /** Makes the call and returns the exit code of this process. */
    public int run(List<String> words) {
        Line line;
        try {
            line = Line.of(words);
        } catch (VseException e) {
            say(e.render());
            return USAGE;
        }
        Dialect dialect = line.system().dialect();
        try {
            HookCall call = new HookCall(line.point(), line.arguments(), environment, input(dialect, line.point()));
            VsedClient client = new VsedClient(line.run().resolve("vsed.sock"));
            return switch (line.point()) {
                case PROLOGUE -> prologue(client, dialect, call.reduced(dialect));
                case STARTER ->
                    new Starter(
                                    client,
                                    dialect,
                                    call,
                                    directory,
                                    new Starter.Sink(out, new SpoolFile(descriptors.resolve("1"))),
                                    new Starter.Sink(err, new SpoolFile(descriptors.resolve("2"))),
                                    this::say,
                                    signals)
                            .run();
                case EPILOGUE -> epilogue(client, dialect, call.reduced(dialect));
            };
        } catch (VseException e) {
            say(e.render());
            if (line.point() == HookPoint.EPILOGUE && e.code() == ErrorCode.DAEMON_UNREACHABLE) {
                leaveWord(line, dialect);
            }
            return dialect.exitCode(line.point(), e.kind());
        } catch (RuntimeException e) {
            say(VseException.of(ErrorCode.INTERNAL, "the hook failed: " + e).render());
            return dialect.exitCode(line.point(), ErrorCode.INTERNAL.kind());
        } catch (IOException e) {
            say(VseException.of(ErrorCode.INTERNAL, "reading or writing failed: " + e)
                    .render());
            return dialect.exitCode(line.point(), ErrorCode.INTERNAL.kind());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return dialect.exitCode(line.point(), ErrorCode.STEP_INTERRUPTED.kind());
        }
    }

    /** Nobody takes the call: the next daemon finds the word, and takes down a job that has ended meanwhile. */
    private void leaveWord(Line line, Dialect dialect) {
        try {
            HookCall call = new HookCall(line.point(), line.arguments(), environment, "");
            EndedJobs.leave(line.run(), dialect.word(), dialect.attempt(call.reduced(dialect)));
        } catch (IOException | VseException e) {
            say("vse: that the job has ended could not be kept for vsed: " + e.getMessage());
        }
    }

    private static int prologue(VsedClient client, Dialect dialect, HookCall call) {
        client.call(request(dialect, call, Map.of()).withPatience(PROLOGUE));
        return 0;
    }

    private int epilogue(VsedClient client, Dialect dialect, HookCall call) {
        JsonObject answer = client.call(request(dialect, call, Map.of()).withPatience(EPILOGUE));
        if (!"true".equals(answer.shown("ended"))) {
            say("vse: something of job " + dialect.attempt(call).job()
                    + " is still being undone; vsed goes on with it");
        }
        if (dialect.epilogueStartsAgain() && "true".equals(answer.shown("saved"))) {
            new PrintStream(out, true, StandardCharsets.UTF_8).println("saved");
        }
        return 0;
    }

    private String input(Dialect dialect, HookPoint point) throws IOException {
        return dialect.readsInput(point) ? new String(in.readNBytes(MAX_INPUT), StandardCharsets.UTF_8) : "";
    }

    /** The call as the daemon takes it. */
    static Request request(Dialect dialect, HookCall call, Map<String, String> more) {
        return request(call.point().word(), dialect, call, more);
    }

    static Request request(String what, Dialect dialect, HookCall call, Map<String, String> more) {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("scheduler", dialect.word());
        body.put("arguments", call.arguments());
        body.put("environment", call.environment());
        body.put("input", call.input());
        body.putAll(more);
        return Request.post(Target.of("v1", "hooks", what), Json.write(body));
    }

    private void say(String text) {
        PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        stream.println(text);
    }
}

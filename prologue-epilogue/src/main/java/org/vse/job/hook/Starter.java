package org.vse.job.hook;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Answer;
import org.vse.job.client.DaemonReturn;
import org.vse.job.client.Failures;
import org.vse.job.client.JobEnvironment;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.OutputCopy;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;
import org.vse.scheduler.Dialect;
import org.vse.scheduler.HookCall;

/**
 * Stands where the batch system believes the script to be: hands it to the job's machines, copies its output byte for byte,
 * passes signals on, and ends with its exit code. A daemon that goes away and comes back loses nothing.
 *
 * <p>STOP cannot be handled: what batch systems send before it, TSTP, pauses the machines, and CONT lets them go on.
 */
final class Starter {
    private static final List<String> SIGNALS = List.of("TERM", "INT", "HUP", "USR1", "USR2", "TSTP", "CONT");
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final int MAX_FRUITLESS = 5;

    private final VsedClient client;
    private final Dialect dialect;
    private final HookCall call;
    private final Path directory;
    private final Sink out;
    private final Sink err;
    private final Consumer<String> say;
    private final Hook.Signals signals;
    private final DaemonReturn comeback;

    /** Where a stream goes, and the file behind it. */
    record Sink(OutputStream stream, SpoolFile file) {}

    /** Signals that came before the script ran; null once it does. Guarded by this. */
    private @Nullable List<String> early = new ArrayList<>();

    private String job = "";
    private long next;
    private boolean settled;
    private boolean saved;
    /** Whether the job may go on in another attempt, which then asks what this one has written. */
    private boolean goesOn;

    private Optional<OutputPoint> point = Optional.empty();
    private Optional<JsonObject> restored = Optional.empty();
    private @Nullable OutputCopy stdout;
    private @Nullable OutputCopy stderr;
    private OptionalInt exitCode = OptionalInt.empty();
    private @Nullable VseException failure;

    Starter(
            VsedClient client,
            Dialect dialect,
            HookCall call,
            Path directory,
            Sink out,
            Sink err,
            Consumer<String> say,
            Hook.Signals signals) {
        this.client = client;
        this.dialect = dialect;
        this.call = call;
        this.directory = directory;
        this.out = out;
        this.err = err;
        this.say = say;
        this.signals = signals;
        this.comeback = new DaemonReturn(client, PATIENCE);
    }

    /** @throws VseException when the script was not started, or nobody can say how it ended */
    int run() throws IOException, InterruptedException {
        Dialect.Launch launch = dialect.launch(call);
        String sha256 =
                launch.script().isPresent() ? sha256(Path.of(launch.script().get())) : "";
        HookCall sent = new HookCall(
                call.point(), call.arguments(), JobEnvironment.of(call.environment(), false), call.input());
        Map<String, String> more = Map.of("cwd", directory.toString(), "scriptSha256", sha256);
        signals.handle(SIGNALS, this::signal);
        JsonObject begun = client.call(Hook.request(dialect, sent, more));
        job = begun.text("job")
                .orElseThrow(() -> VseException.of(ErrorCode.INTERNAL, "vsed did not say which job was started"));
        goesOn = "true".equals(begun.shown("goesOn"));
        point = begun.object("point").map(OutputPoint::of);
        follow();
        finishOutput();
        if (saved) {
            return goOnLater();
        }
        if (failure != null) {
            throw failure;
        }
        return exitCode.orElseThrow(
                () -> VseException.of(ErrorCode.INTERNAL, "job '" + job + "' ended and nobody knows how"));
    }

    /** The batch system is asked to start the job again; what its files have by now is known then. */
    private int goOnLater() throws IOException {
        keepPoint(true);
        return dialect.goesOnLater();
    }

    private void keepPoint(boolean orderly) throws IOException {
        OutputPoint now = new OutputPoint(
                Math.max(0, out.file().size()),
                Math.max(0, err.file().size()),
                stdout == null ? 0 : stdout.bytes(),
                stderr == null ? 0 : stderr.bytes(),
                orderly);
        Request keep = Request.post(Target.of("v1", "jobs", job, "output-point"), Json.write(now.members()));
        try {
            client.call(keep);
        } catch (VseException e) {
            if (e.code() != ErrorCode.DAEMON_UNREACHABLE) {
                throw e;
            }
            comeback.await(job);
            client.call(keep);
        }
    }

    private void follow() throws IOException {
        int fruitless = 0;
        while (!settled) {
            long before = next;
            try (Answer answer = client.open(
                    Request.get(Target.of("v1", "jobs", job, "events").with("from", next)))) {
                for (Optional<String> line = answer.line(); line.isPresent() && !settled; line = answer.line()) {
                    handle(Json.readObject(line.get()));
                }
            } catch (IllegalArgumentException e) {
                throw VseException.of(ErrorCode.INTERNAL, "vsed sent what is not an event")
                        .because(e);
            } catch (VseException e) {
                if (e.code() != ErrorCode.DAEMON_UNREACHABLE) {
                    throw e;
                }
            }
            if (settled) {
                return;
            }
            fruitless = next > before ? 0 : fruitless + 1;
            if (fruitless > MAX_FRUITLESS) {
                throw VseException.of(ErrorCode.DAEMON_UNREACHABLE, "vsed ended the events of the job before the job")
                        .fact("job", job)
                        .next("vse job show " + job);
            }
            comeback.await(job);
        }
    }

    private void handle(JsonObject event) throws IOException {
        next = event.number("n").orElse(next) + 1;
        switch (event.text("event").orElse("")) {
            case "restored" -> restored = event.object("bytes");
            case "running" -> begin();
            case "checkpointed" -> {
                saved = true;
                total(event.object("bytes"));
                settled = true;
            }
            case "notice" -> event.text("text").ifPresent(text -> say.accept("vse: " + text));
            case "ended" -> {
                event.number("exitCode").ifPresent(code -> exitCode = OptionalInt.of((int) code));
                total(event.object("bytes"));
                // The epilogue waits for the machines to go.
                settled = true;
            }
            case "failed" -> {
                failure = event.object("failure").map(Failures::read).orElse(null);
                settled = true;
            }
            case "settled" -> settled = true;
            default -> {
                // Progress only.
            }
        }
    }

    private void begin() throws IOException {
        if (stdout == null || stderr == null) {
            // Both are looked at before one is cut: they may be one file.
            OutputPoint.Begin first = beginning("stdout", out, OutputPoint::out, OutputPoint::outBytes);
            OutputPoint.Begin second = beginning("stderr", err, OutputPoint::err, OutputPoint::errBytes);
            cut(out, first);
            cut(err, second);
            stdout = copy("stdout", first.bytes(), out);
            stderr = copy("stderr", second.bytes(), err);
            if (goesOn) {
                keepPoint(false);
            }
            stdout.start();
            stderr.start();
        }
        List<String> waiting;
        synchronized (this) {
            waiting = early == null ? List.of() : early;
            early = null;
        }
        waiting.forEach(this::deliver);
    }

    private OutputCopy copy(String stream, long from, Sink sink) {
        return new OutputCopy(client, comeback::await, job, stream, from, sink.stream(), this::sinkBroken);
    }

    /** From which byte of the stream on the file is to get it. */
    private OutputPoint.Begin beginning(
            String stream,
            Sink sink,
            BiFunction<OutputPoint, Long, OutputPoint.Begin> of,
            ToLongFunction<OutputPoint> shown)
            throws IOException {
        if (restored.isEmpty()) {
            return new OutputPoint.Begin(0, OptionalLong.empty());
        }
        long had = restored.get().number(stream).orElse(0);
        if (point.isEmpty()) {
            return new OutputPoint.Begin(had, OptionalLong.empty());
        }
        OutputPoint.Begin begin = of.apply(point.get(), sink.file().size());
        if (begin.bytes() > had) {
            say.accept("vse: the job goes on from before the last " + (shown.applyAsLong(point.get()) - had)
                    + " bytes of this output, which come again");
            return new OutputPoint.Begin(had, OptionalLong.empty());
        }
        return begin;
    }

    private static void cut(Sink sink, OutputPoint.Begin begin) throws IOException {
        if (begin.cut().isPresent()) {
            sink.file().cut(begin.cut().getAsLong());
        }
    }

    private void total(Optional<JsonObject> bytes) throws IOException {
        if (stdout == null || stderr == null) {
            begin();
        }
        if (stdout != null && stderr != null) {
            stdout.total(bytes.map(b -> b.number("stdout")).orElse(OptionalLong.empty()));
            stderr.total(bytes.map(b -> b.number("stderr")).orElse(OptionalLong.empty()));
        }
    }

    private void finishOutput() throws IOException, InterruptedException {
        if (stdout != null && stderr != null) {
            total(Optional.empty());
            stdout.finish();
            stderr.finish();
        }
    }

    private void signal(String name) {
        synchronized (this) {
            if (early != null) {
                early.add(name);
                return;
            }
        }
        deliver(name);
    }

    private void deliver(String name) {
        try {
            switch (name) {
                case "TSTP" -> client.call(Hook.request("suspend", dialect, bare(), Map.of()));
                case "CONT" -> client.call(Hook.request("resume", dialect, bare(), Map.of()));
                default ->
                    client.call(
                            Request.post(Target.of("v1", "jobs", job, "signal"), Json.write(Map.of("signal", name))));
            }
        } catch (VseException e) {
            say.accept(e.render());
        }
    }

    private HookCall bare() {
        return new HookCall(call.point(), List.of(), call.reduced(dialect).environment(), "");
    }

    private void sinkBroken(IOException e) {
        say.accept("vse: the output cannot be written: " + e.getMessage() + ": cancelling the job");
        try {
            client.call(Request.post(Target.of("v1", "jobs", job, "cancel"), "{}"));
        } catch (VseException refused) {
            say.accept(refused.render());
        }
    }

    private static String sha256(Path script) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(script)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

package org.vse.job.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Answer;
import org.vse.job.client.Failures;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.OutputCopy;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;

/**
 * Submits one job and stays with it to its end, through restarts of the daemon: events by number and output by offset, so
 * that nothing is lost or shown twice.
 *
 * <p>The result is an exit code: the script's own; {@value #OWN_FAILURE} for a failure of VSE; 128 + signal when the user
 * ended the job by a signal before the script ran; {@value #PIPE_BROKEN} when nobody reads the output any more; {@value
 * #GOES_ON_LATER} when the job stopped with its VMs saved.
 */
final class JobAttachment {
    static final int OWN_FAILURE = 125;
    static final int PIPE_BROKEN = 141;
    /** EX_TEMPFAIL of sysexits.h. */
    static final int GOES_ON_LATER = 75;

    private static final int MAX_FRUITLESS = 5;
    private static final Map<String, Integer> NUMBERS = Map.of("HUP", 1, "INT", 2, "TERM", 15);

    /** What carries the job's bytes once its script runs. */
    interface Carrier {
        void start(String job);

        /** The script has ended; {@code bytes} is empty when it never did so properly. */
        void ended(Optional<JsonObject> bytes);

        /** Waits for the last byte. */
        void finish() throws InterruptedException;
    }

    private final VsedClient client;
    private final Comeback comeback;
    private final Io io;
    private final ProgressPrinter progress;
    private final Clock clock;
    private final Interrupts interrupts = new Interrupts();
    private final Carrier carrier;
    private final IntConsumer leave;
    private long next;
    private boolean settled;
    private Optional<JsonObject> from = Optional.empty();
    private OptionalInt exitCode = OptionalInt.empty();
    private OptionalInt overriding = OptionalInt.empty();
    private @Nullable String job;
    private @Nullable Answer events;
    private @Nullable VseException failure;
    private boolean started;

    /**
     * @param carrier the terminal of an interactive job, or {@code null} for output streams to {@code io}
     * @param leave ends this process at once, with an exit code
     */
    JobAttachment(
            VsedClient client,
            Comeback comeback,
            Io io,
            ProgressPrinter progress,
            Clock clock,
            @Nullable Carrier carrier,
            IntConsumer leave) {
        this.client = client;
        this.comeback = comeback;
        this.io = io;
        this.progress = progress;
        this.clock = clock;
        this.carrier = carrier == null ? new Streams() : carrier;
        this.leave = leave;
    }

    /** @throws VseException when the job could not be submitted or was lost sight of */
    int run(String submission) throws InterruptedException {
        follow(Request.post(Target.of("v1", "jobs"), submission));
        carrier.ended(Optional.empty());
        if (started) {
            carrier.finish();
        }
        progress.close();
        return result();
    }

    /** A signal to this process. */
    void signal(String name) {
        Interrupts.Action action = interrupts.on(name, System.nanoTime());
        String target;
        Answer waiting;
        synchronized (this) {
            target = job;
            waiting = events;
            if (action == Interrupts.Action.CANCEL && !started) {
                overriding = OptionalInt.of(128 + NUMBERS.getOrDefault(name, 0));
            }
        }
        if (target == null) {
            // Closing the connection cancels a job that has no number here yet.
            if (waiting == null || action == Interrupts.Action.LEAVE) {
                leave.accept(128 + NUMBERS.getOrDefault(name, 0));
            } else {
                waiting.close();
            }
            return;
        }
        switch (action) {
            case PASS_ON -> {
                io.say("vse: SIG" + name + " passed on to job " + target + "; again within 3 s cancels it");
                order(target, "signal", Json.write(Map.of("signal", name)));
            }
            case CANCEL -> cancel(target, "SIG" + name);
            case WAIT ->
                io.say("vse: SIG" + name + ": job " + target
                        + " is being torn down; again within 3 s leaves that to vsed");
            case LEAVE -> {
                io.say("vse: left; vsed goes on: vse job show " + target);
                leave.accept(128 + NUMBERS.getOrDefault(name, 0));
            }
        }
    }

    private void follow(Request first) throws InterruptedException {
        Request request = first;
        int fruitless = 0;
        while (!settled) {
            long before = next;
            try (Answer answer = client.open(request)) {
                attached(answer);
                for (Optional<String> line = answer.line(); line.isPresent() && !settled; line = answer.line()) {
                    handle(line.get());
                }
            } catch (VseException e) {
                if (e.code() != ErrorCode.DAEMON_UNREACHABLE || job() == null) {
                    if (overridden()) {
                        settled = true;
                        return;
                    }
                    throw e;
                }
            }
            if (settled) {
                return;
            }
            String id = job();
            fruitless = next > before ? 0 : fruitless + 1;
            if (id == null || fruitless > MAX_FRUITLESS) {
                throw VseException.of(ErrorCode.DAEMON_UNREACHABLE, "vsed ended the events of the job before the job")
                        .fact("job", id == null ? "not accepted" : id)
                        .next("vse job ls");
            }
            comeback.await(id);
            request = Request.get(Target.of("v1", "jobs", id, "events").with("from", next));
        }
    }

    private void handle(String line) {
        JsonObject event = event(line);
        long number = event.number("n").orElse(next);
        if (number < next) {
            return;
        }
        next = number + 1;
        switch (event.text("event").orElse("")) {
            case "accepted" -> accepted(event.text("job").orElseThrow(() -> notAnEvent(line)));
            case "restored" -> from = event.object("bytes");
            case "terminal", "running" -> begin();
            case "ended" -> {
                begin();
                interrupts.ending();
                exitCode = event.number("exitCode").stream()
                        .mapToInt(Math::toIntExact)
                        .findFirst();
                carrier.ended(event.object("bytes"));
            }
            case "checkpointed" -> {
                begin();
                interrupts.ending();
                exitCode = OptionalInt.of(GOES_ON_LATER);
                carrier.ended(event.object("bytes"));
            }
            case "failed" -> {
                interrupts.ending();
                failure = Failures.read(event.object("failure").orElseThrow(() -> notAnEvent(line)));
            }
            case "settled" -> settled = true;
            default -> {
                // Progress only.
            }
        }
        progress.on(event, clock.instant());
    }

    private void begin() {
        synchronized (this) {
            if (started) {
                return;
            }
            started = true;
        }
        interrupts.running();
        carrier.start(String.valueOf(job()));
    }

    private int result() {
        if (failure != null) {
            io.say(failure.render());
        }
        synchronized (this) {
            if (overriding.isPresent() && (exitCode.isEmpty() || started)) {
                return overriding.getAsInt();
            }
        }
        int code = exitCode.orElse(OWN_FAILURE);
        return failure != null && code == 0 ? OWN_FAILURE : code;
    }

    private void cancel(String target, String why) {
        interrupts.ending();
        io.say("vse: " + why + ": cancelling job " + target);
        order(target, "cancel", "{}");
    }

    private void order(String target, String what, String body) {
        try {
            client.call(Request.post(Target.of("v1", "jobs", target, what), body));
        } catch (VseException e) {
            io.say(e.render());
        }
    }

    private void sinkBroken(IOException e) {
        boolean pipe = String.valueOf(e.getMessage()).contains("Broken pipe");
        synchronized (this) {
            overriding = OptionalInt.of(pipe ? PIPE_BROKEN : OWN_FAILURE);
        }
        String target = String.valueOf(job());
        String why = pipe ? "nobody reads the output any more" : "the output cannot be written: " + e.getMessage();
        if (exitCode.isPresent()) {
            io.say("vse: " + why);
        } else {
            cancel(target, why);
        }
    }

    private synchronized void accepted(String id) {
        job = id;
    }

    private synchronized void attached(Answer answer) {
        events = answer;
    }

    private synchronized @Nullable String job() {
        return job;
    }

    private synchronized boolean overridden() {
        return overriding.isPresent();
    }

    private static JsonObject event(String line) {
        try {
            return Json.readObject(line);
        } catch (IllegalArgumentException e) {
            throw notAnEvent(line);
        }
    }

    private static VseException notAnEvent(String line) {
        return VseException.of(ErrorCode.INTERNAL, "vsed sent what is not an event")
                .fact("found", line.substring(0, Math.min(200, line.length())));
    }

    /** Standard output and standard error of a script, to those of this process. */
    private final class Streams implements Carrier {
        private @Nullable OutputCopy out;
        private @Nullable OutputCopy err;

        @Override
        public void start(String id) {
            out = copy(id, "stdout", io.out());
            err = copy(id, "stderr", io.err());
            out.start();
            err.start();
        }

        /** Whoever had the earlier part of the job has shown its output. */
        private OutputCopy copy(String id, String stream, OutputStream sink) {
            long shown = from.map(bytes -> bytes.number(stream).orElse(0)).orElse(0L);
            return new OutputCopy(client, comeback::await, id, stream, shown, sink, JobAttachment.this::sinkBroken);
        }

        @Override
        public void ended(Optional<JsonObject> bytes) {
            if (out != null && err != null) {
                out.total(bytes.map(b -> b.number("stdout")).orElse(OptionalLong.empty()));
                err.total(bytes.map(b -> b.number("stderr")).orElse(OptionalLong.empty()));
            }
        }

        @Override
        public void finish() throws InterruptedException {
            if (out != null && err != null) {
                out.finish();
                err.finish();
            }
        }
    }
}

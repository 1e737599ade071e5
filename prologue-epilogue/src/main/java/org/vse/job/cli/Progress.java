package org.vse.job.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.vse.job.client.JsonObject;

/**
 * The lines that tell a user how their job gets on: what is waited for and until when, how long each step took, how it
 * ended. A pure function of events and clock readings; not thread-safe.
 */
final class Progress {
    private static final Duration PERIOD = Duration.ofSeconds(5);

    private final Set<String> waitedFor = new HashSet<>();
    private final List<String> steps = new ArrayList<>();
    private final Instant begin;
    private @Nullable String step;
    private Instant stepBegin;
    private @Nullable String waiting;
    private @Nullable Instant until;
    private Instant lastLine;
    private @Nullable Instant running;
    private @Nullable Instant ended;
    private String result = "";
    private String job = "?";

    Progress(Instant now) {
        begin = now;
        stepBegin = now;
        lastLine = now;
    }

    /** The line for an event, if it is worth one. */
    Optional<String> on(JsonObject event, Instant now) {
        Optional<String> line = switch (event.text("event").orElse("")) {
            case "accepted" -> accepted(event.text("job").orElse("?"));
            case "step" -> step(event.text("step").orElse("?"), now);
            case "waiting" -> waiting(event, now);
            case "notice" -> event.text("text").map(text -> "vse: note: " + text);
            case "running" -> running(now);
            case "ended" -> ended("exit code " + event.number("exitCode").orElse(-1), now);
            case "checkpointed" -> saved(event, now);
            case "failed" -> ended("failed", now);
            case "settled" -> settled(now);
            default -> Optional.empty();
        };
        if (line.isPresent()) {
            lastLine = now;
        }
        return line;
    }

    /** While something is waited for: a line with the time that is left, at most every 5 s. */
    Optional<String> tick(Instant now) {
        if (waiting == null || Duration.between(lastLine, now).compareTo(PERIOD) < 0) {
            return Optional.empty();
        }
        lastLine = now;
        return Optional.of("vse: " + waiting + left(now));
    }

    private Optional<String> accepted(String id) {
        job = id;
        return Optional.of("vse: job " + id);
    }

    private Optional<String> step(String name, Instant now) {
        finishStep(now);
        step = name;
        stepBegin = now;
        return Optional.empty();
    }

    private Optional<String> waiting(JsonObject event, Instant now) {
        waiting = event.text("step").orElse("job") + ": waiting for "
                + event.text("for").orElse("?");
        until = event.text("until").flatMap(Progress::instant).orElse(null);
        return waitedFor.add(waiting) ? Optional.of("vse: " + waiting + left(now)) : Optional.empty();
    }

    private Optional<String> running(Instant now) {
        finishStep(now);
        running = now;
        String detail = steps.isEmpty() ? "" : " (" + String.join(", ", steps) + ")";
        return Optional.of("vse: running after " + seconds(begin, now) + detail);
    }

    private Optional<String> ended(String how, Instant now) {
        finishStep(now);
        if (ended == null) {
            ended = now;
            result = how + (running == null ? "" : " after " + seconds(running, now));
        }
        return Optional.empty();
    }

    private Optional<String> saved(JsonObject event, Instant now) {
        ended("stopped", now);
        return Optional.of("vse: saved as checkpoint " + event.number("number").orElse(0) + " of job " + job
                + "; to go on: #VSE resume=" + job);
    }

    private Optional<String> settled(Instant now) {
        waiting = null;
        return ended == null
                ? Optional.of("vse: torn down")
                : Optional.of("vse: " + result + ", torn down in " + seconds(ended, now));
    }

    private void finishStep(Instant now) {
        if (step != null) {
            steps.add(step + " " + seconds(stepBegin, now));
        }
        step = null;
        waiting = null;
        until = null;
    }

    private String left(Instant now) {
        return until == null
                ? ""
                : ", " + Math.max(0, Duration.between(now, until).toSeconds()) + " s left";
    }

    private static String seconds(Instant from, Instant to) {
        return String.format(Locale.ROOT, "%.1f s", Duration.between(from, to).toMillis() / 1000.0);
    }

    private static Optional<Instant> instant(String text) {
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}

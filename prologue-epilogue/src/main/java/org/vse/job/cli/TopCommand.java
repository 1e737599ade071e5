package org.vse.job.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.client.Json;
import org.vse.job.client.JsonObject;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What goes on now. */
@Command(
        name = "top",
        description = {
            "Shows this node's free cores and memory, its VMs, and the jobs with what each waits for; again and again.",
            "Once, as plain text, when standard output is not a terminal. Of other users' jobs only root sees anything."
        },
        footer = {"%nExamples:", "  vse top", "  vse top --interval 10", "  vse top | cat"})
final class TopCommand implements Callable<Integer> {
    private static final String CLEAR = "\u001b[H\u001b[2J";
    private static final Set<String> OVER = Set.of("SETTLED", "CHECKPOINTED", "FAILED");
    private static final List<String> COLUMNS =
            List.of("job", "user", "state", "step", "vms", "cores", "age", "waits for");

    private final Context context;

    @Option(names = "--interval", paramLabel = "SECONDS", description = "Between two looks; 2.", defaultValue = "2")
    private int interval;

    @Option(names = "--once", description = "Looks once.")
    private boolean once;

    TopCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException {
        if (interval < 1) {
            throw VseException.of(ErrorCode.USAGE, "'--interval' takes seconds from 1 on");
        }
        if (once || !context.io().outIsTerminal()) {
            context.io().print(look());
            return 0;
        }
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        try {
            clock.scheduleWithFixedDelay(this::refresh, 0, interval, TimeUnit.SECONDS)
                    .get();
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof VseException known) {
                throw known;
            }
            throw new IOException(e.getCause());
        } finally {
            clock.shutdownNow();
        }
    }

    private void refresh() {
        try {
            context.io().out().write((CLEAR + look() + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String look() throws IOException {
        JsonObject node = Json.readObject(context.client().text(Request.get(Target.of("v1", "node"))));
        JsonObject jobs = Json.readObject(context.client().text(Request.get(Target.of("v1", "jobs"))));
        return screen(node, jobs, context.clock().instant());
    }

    /** The text of one look. */
    static String screen(JsonObject node, JsonObject answer, Instant now) {
        List<JsonObject> cores = node.objects("cores");
        long free = cores.stream()
                .filter(core -> core.text("state").orElse("").equals("FREE"))
                .count();
        List<JsonObject> jobs = answer.objects("jobs").stream()
                .filter(job -> !OVER.contains(job.text("state").orElse("")))
                .toList();
        long vms = jobs.stream().mapToLong(job -> job.objects("vms").size()).sum();
        long queued = jobs.stream()
                .filter(job -> job.text("state").orElse("").equals("QUEUED"))
                .count();
        String head = String.format(
                Locale.ROOT,
                "%s: %d of %d cores free, %s of %s GiB free, %d VMs, %d jobs, %d of them waiting for a place",
                node.shown("node"),
                free,
                cores.size(),
                gib(node, "freeMemoryBytes"),
                gib(node, "memoryBytes"),
                vms,
                jobs.size(),
                queued);
        if (jobs.isEmpty()) {
            return head;
        }
        return head + "\n\n"
                + new Table(COLUMNS, jobs.stream().map(job -> row(job, now)).toList()).text();
    }

    private static List<String> row(JsonObject job, Instant now) {
        List<JsonObject> vms = job.objects("vms");
        String until = job.text("until").map(text -> " until " + text).orElse("");
        String waits = job.shown("waitingFor");
        return List.of(
                job.shown("id"),
                job.shown("user"),
                job.shown("state"),
                job.shown("step"),
                Integer.toString(vms.size()),
                String.join(" ", vms.stream().map(vm -> vm.shown("cores")).toList()),
                age(job.text("submitted").orElse(null), now),
                waits.isEmpty() ? "" : waits + until);
    }

    private static String gib(JsonObject node, String name) {
        return node.number(name).isPresent()
                ? String.format(Locale.ROOT, "%.1f", node.number(name).getAsLong() / (double) (1L << 30))
                : "?";
    }

    private static String age(@Nullable String since, Instant now) {
        if (since == null) {
            return "";
        }
        long seconds = Math.max(0, Duration.between(Instant.parse(since), now).toSeconds());
        return String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}

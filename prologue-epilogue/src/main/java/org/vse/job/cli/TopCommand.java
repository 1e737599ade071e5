package org.vse.job.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
            "Shows free cores and memory, VMs, and the jobs with what each waits for; again and again. On the head of",
            "a site, of all its nodes, and which of them do not answer; on another node, of this one.",
            "Once, as plain text, when standard output is not a terminal. Of other users' jobs only root sees anything."
        },
        footer = {"%nExamples:", "  vse top", "  vse top --interval 10", "  vse top | cat"})
final class TopCommand implements Callable<Integer> {
    private static final String CLEAR = "\u001b[H\u001b[2J";
    private static final List<String> NODES =
            List.of("node", "free cores", "cores", "free GiB", "GiB", "vms", "jobs", "");
    private static final List<String> JOBS =
            List.of("node", "job", "user", "state", "step", "vms", "cores", "age", "waits for");

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
        JsonObject site = Json.readObject(context.client().text(Request.get(Target.of("v1", "site"))));
        return screen(site, context.clock().instant());
    }

    /** The text of one look. */
    static String screen(JsonObject site, Instant now) {
        List<JsonObject> nodes = site.objects("nodes");
        List<String> parts = new ArrayList<>(List.of(head(nodes)));
        if (nodes.size() > 1) {
            parts.add(new Table(NODES, nodes.stream().map(TopCommand::node).toList()).text());
        }
        List<List<String>> jobs = nodes.stream()
                .flatMap(node -> node.objects("jobs").stream().map(job -> job(node, job, now)))
                .toList();
        if (!jobs.isEmpty()) {
            boolean one = nodes.size() == 1;
            parts.add(new Table(
                            one ? JOBS.subList(1, JOBS.size()) : JOBS,
                            one
                                    ? jobs.stream()
                                            .map(row -> row.subList(1, row.size()))
                                            .toList()
                                    : jobs)
                    .text());
        }
        return String.join("\n\n", parts);
    }

    private static String head(List<JsonObject> nodes) {
        List<JsonObject> jobs =
                nodes.stream().flatMap(node -> node.objects("jobs").stream()).toList();
        long queued = jobs.stream()
                .filter(job -> job.text("state").orElse("").equals("QUEUED"))
                .count();
        long silent = nodes.stream().filter(TopCommand::isSilent).count();
        return String.format(
                Locale.ROOT,
                "%s: %d of %d cores free, %s of %s GiB free, %d VMs, %d jobs, %d of them waiting for a place",
                nodes.size() == 1
                        ? nodes.get(0).shown("node")
                        : nodes.size() + " nodes" + (silent == 0 ? "" : ", " + silent + " of them silent"),
                sum(nodes, "freeCores"),
                sum(nodes, "cores"),
                gib(sum(nodes, "freeMemoryBytes")),
                gib(sum(nodes, "memoryBytes")),
                sum(nodes, "vms"),
                jobs.size(),
                queued);
    }

    private static boolean isSilent(JsonObject node) {
        return node.text("silent").isPresent();
    }

    private static List<String> node(JsonObject node) {
        return isSilent(node)
                ? List.of(node.shown("node"), "", "", "", "", "", "", node.shown("silent"))
                : List.of(
                        node.shown("node"),
                        node.shown("freeCores"),
                        node.shown("cores"),
                        gib(node.number("freeMemoryBytes").orElse(0)),
                        gib(node.number("memoryBytes").orElse(0)),
                        node.shown("vms"),
                        node.shown("jobCount"),
                        "");
    }

    private static List<String> job(JsonObject node, JsonObject job, Instant now) {
        List<JsonObject> vms = job.objects("vms");
        String until = job.text("until").map(text -> " until " + text).orElse("");
        String waits = job.shown("waitingFor");
        return List.of(
                node.shown("node"),
                job.shown("id"),
                job.shown("user"),
                job.shown("state"),
                job.shown("step"),
                Integer.toString(vms.size()),
                String.join(" ", vms.stream().map(vm -> vm.shown("cores")).toList()),
                age(job.text("submitted").orElse(null), now),
                waits.isEmpty() ? "" : waits + until);
    }

    private static long sum(List<JsonObject> nodes, String name) {
        return nodes.stream().mapToLong(node -> node.number(name).orElse(0)).sum();
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / (double) (1L << 30));
    }

    private static String age(@Nullable String since, Instant now) {
        if (since == null) {
            return "";
        }
        long seconds = Math.max(0, Duration.between(Instant.parse(since), now).toSeconds());
        return String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}

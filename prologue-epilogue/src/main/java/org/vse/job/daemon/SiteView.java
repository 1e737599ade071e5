package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobState;
import org.vse.job.peer.PeerClient;
import org.vse.scheduler.local.CoreLease;

/**
 * What goes on at the site: on the head, each node's word of itself, all asked at once; on another node its own. A node tells
 * its head, and no other, and a caller sees their own jobs of whatever node.
 */
final class SiteView implements AutoCloseable {
    /** Until a node counts as one that does not answer. */
    static final Duration PATIENCE = Duration.ofSeconds(3);

    /** Within this time nodes are asked once. */
    private static final Duration FRESH = Duration.ofSeconds(1);

    private static final List<String> STANDING = List.of("v1", "standing");
    private static final List<String> SITE = List.of("v1", "site");
    /** Of one node's jobs; its answer has to fit into a message. */
    private static final int MOST_JOBS = 1000;
    /** Threads that look up the addresses of nodes; the rest of a call waits on none. */
    private static final int ASKERS = 16;

    private static final Set<String> SHOWN =
            Set.of("id", "attempt", "user", "uid", "state", "step", "waitingFor", "until", "submitted", "vms");

    private final ObjectMapper json;
    private final JobTable table;
    private final LocalDesk desk;
    private final SiteLedger site;
    private final @Nullable PeerClient client;
    private final Supplier<List<String>> others;
    private final JobView views;
    private final ExecutorService askers = Executors.newFixedThreadPool(ASKERS, work -> {
        Thread thread = new Thread(work, "site-view");
        thread.setDaemon(true);
        return thread;
    });

    private @Nullable Asked last;

    /**
     * Takes this node and how it reaches the others.
     *
     * @param client null on a node that speaks to none
     * @param others names of nodes that the head asks, perhaps with its own
     */
    SiteView(
            ObjectMapper json,
            JobTable table,
            LocalDesk desk,
            SiteLedger site,
            @Nullable PeerClient client,
            Supplier<List<String>> others) {
        this.json = json;
        this.table = table;
        this.desk = desk;
        this.site = site;
        this.client = client;
        this.others = others;
        this.views = new JobView(json);
    }

    /** Answers {@code GET /v1/site} itself and leaves every other call to the API. */
    Consumer<Call> before(Consumer<Call> api) {
        return call -> {
            if (call.method().equals("GET") && call.path().equals(SITE)) {
                answer(call, site(call.peer()));
            } else {
                api.accept(call);
            }
        };
    }

    /** Answers {@code GET /v1/standing} of the head itself and leaves every other call of nodes to their API. */
    Consumer<Call> beforeNodes(Consumer<Call> api) {
        return call -> {
            if (call.method().equals("GET") && call.path().equals(STANDING)) {
                if (!site.isHead(String.valueOf(call.peer().node()))) {
                    throw VseException.of(ErrorCode.NOT_PERMITTED, "only the head is told what goes on here")
                            .next("set 'head' in the vsed.yaml of both nodes to the same name");
                }
                answer(call, standing());
            } else {
                api.accept(call);
            }
        };
    }

    private static void answer(Call call, ObjectNode value) {
        try {
            call.reply().json(200, value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** This node's word of itself: all of its living jobs, each on its first node only. */
    ObjectNode standing() {
        VsedConfig config = desk.config();
        List<CoreLease> leases = desk.leases();
        long leased = leases.stream()
                .flatMap(lease -> lease.cores().stream())
                .distinct()
                .count();
        long held = leases.stream().mapToLong(CoreLease::memoryBytes).sum();
        ObjectNode view = json.createObjectNode()
                .put("node", config.node())
                .put("cores", config.cores().size())
                .put("freeCores", config.cores().size() - leased)
                .put("memoryBytes", config.memory())
                .put("freeMemoryBytes", Math.max(0, config.memory() - held));
        List<Job> living =
                table.all().stream().filter(job -> !job.state().isFinal()).toList();
        view.put(
                "vms",
                living.stream()
                        .filter(job -> job.state().compareTo(JobState.CREATED) >= 0)
                        .mapToInt(job -> job.record().machinesOn(config.node()).size())
                        .sum());
        List<ObjectNode> jobs = new ArrayList<>();
        desk.pending()
                .forEach(pending -> jobs.add(views.pending(pending)
                        .put("uid", pending.admission().user().uid())));
        living.stream()
                .filter(job -> job.record().coordinator().equals(config.node()))
                .forEach(job ->
                        jobs.add(views.job(job).put("uid", job.record().user().uid())));
        ArrayNode shown = view.put("jobCount", jobs.size()).putArray("jobs");
        jobs.stream().limit(MOST_JOBS).forEach(job -> shown.add(job.retain(SHOWN)));
        return view;
    }

    /** What a caller sees of all nodes; there within {@link #PATIENCE} and a little, whoever does not answer. */
    ObjectNode site(Peer caller) {
        String here = desk.config().node();
        ObjectNode view = json.createObjectNode().put("asked", here);
        ArrayNode nodes = view.putArray("nodes");
        Map<String, CompletableFuture<JsonNode>> answers = answers();
        nodes.add(shown(here, CompletableFuture.completedFuture(standing()), caller));
        answers.forEach((node, answer) -> nodes.add(shown(node, answer, caller)));
        return view;
    }

    /** Of the other nodes; whoever asks soon after another gets the same, so that nobody makes the head ask without end. */
    private synchronized Map<String, CompletableFuture<JsonNode>> answers() {
        PeerClient asking = client;
        if (site.isHead() && asking != null && (last == null || System.nanoTime() - last.at() > FRESH.toNanos())) {
            Map<String, CompletableFuture<JsonNode>> answers = new LinkedHashMap<>();
            new TreeSet<>(others.get())
                    .stream()
                            .filter(node -> !node.equals(desk.config().node()))
                            .forEach(node -> answers.put(node, ask(asking, node)));
            last = new Asked(System.nanoTime(), answers);
        }
        return last == null ? Map.of() : last.answers();
    }

    private record Asked(long at, Map<String, CompletableFuture<JsonNode>> answers) {}

    private CompletableFuture<JsonNode> ask(PeerClient asking, String node) {
        return CompletableFuture.completedFuture(node)
                .thenComposeAsync(name -> asking.call(name, HttpMethod.GET, "/v1/standing", Map.of(), PATIENCE), askers)
                .orTimeout(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    private ObjectNode shown(String node, CompletableFuture<JsonNode> answer, Peer caller) {
        ObjectNode view = json.createObjectNode();
        try {
            JsonNode said = answer.join();
            for (String number : List.of("cores", "freeCores", "memoryBytes", "freeMemoryBytes", "vms", "jobCount")) {
                view.put(number, said.path(number).asLong());
            }
            ArrayNode jobs = view.putArray("jobs");
            for (JsonNode job : said.path("jobs")) {
                if (job.path("uid").isInt() && caller.mayTouch(job.path("uid").intValue())) {
                    jobs.add(job);
                }
            }
            view.putNull("silent");
        } catch (CompletionException e) {
            view.put("silent", reason(e));
        }
        return view.put("node", node);
    }

    private static String reason(CompletionException e) {
        Throwable cause = e.getCause();
        if (cause instanceof TimeoutException) {
            return "no answer within " + PATIENCE.toSeconds() + " s";
        }
        return cause instanceof VseException known ? known.what() : String.valueOf(cause);
    }

    @Override
    public void close() {
        askers.shutdownNow();
    }
}

package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.ToIntFunction;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.job.lifecycle.Job;
import org.vse.job.step.Node;

/** The API of docs/api.md: who may ask for what, and what is done. */
final class VsedApi {
    private final Node node;
    private final ObjectMapper json;
    private final JobTable table;
    private final LocalDesk desk;
    private final JobView views;
    private final JobCalls jobs;
    private final HookCalls hooks;
    private final CheckpointCalls checkpoints;
    private final LedgerCalls ledger;
    private final ImageUse use;
    private final ObjectNode health;
    private final CountDownLatch down;

    /**
     * Takes what calls act upon.
     *
     * @param health the answer to {@code /v1/health}
     * @param prune removes what is older than a time from the ledger, as far as this node may; how many runs
     * @param down counted down when the daemon is to end
     */
    VsedApi(
            Node node,
            ObjectMapper json,
            JobTable table,
            LocalDesk desk,
            CurrentPolicy policy,
            HostUsers users,
            ObjectNode health,
            ToIntFunction<Instant> prune,
            CountDownLatch down) {
        this.node = node;
        this.json = json;
        this.table = table;
        this.desk = desk;
        this.views = new JobView(json);
        this.jobs = new JobCalls(node, json, table, desk, policy, users);
        this.checkpoints = new CheckpointCalls(node, json, table);
        this.hooks = new HookCalls(
                json,
                new HookDesk(node, table, desk, policy, users, new NodeSources(node.commands()), HookDesk.FREEING));
        this.ledger = new LedgerCalls(node, users, prune);
        this.use = new ImageUse(table);
        this.use.waitingAt(desk);
        this.health = health;
        this.down = down;
    }

    /** Answers one call. */
    void answer(Call call) {
        try {
            route(call);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void route(Call call) throws IOException {
        List<String> path = call.path();
        String head = call.method() + " " + (path.size() > 1 ? path.get(1) : "");
        if (!path.get(0).equals("v1")) {
            throw call.unknown();
        }
        switch (head) {
            case "GET health" -> call.reply().json(200, health);
            case "GET vms" -> call.reply().json(200, vms(call));
            case "GET node" -> call.reply().json(200, new NodeView(json, table, desk).of(call.peer()));
            case "GET images" -> call.reply().json(200, images(call));
            case "GET report" -> ledger.report(call);
            case "GET ledger", "POST ledger" -> ledger.ledger(call);
            case "POST down" -> down(call);
            case "GET jobs", "POST jobs" -> jobs.answer(call);
            case "GET checkpoints", "POST checkpoints" -> checkpoints.answer(call);
            case "POST hooks" -> hooks.answer(call);
            default -> throw call.unknown();
        }
    }

    private ObjectNode vms(Call call) {
        ObjectNode answer = json.createObjectNode();
        ArrayNode vms = answer.putArray("vms");
        for (Job job : table.all()) {
            if (!job.state().isFinal()
                    && call.peer().mayTouch(job.record().user().uid())) {
                job.record().machines().forEach(machine -> vms.add(views.machine(job, machine)));
            }
        }
        return answer;
    }

    private ObjectNode images(Call call) {
        ObjectNode answer = json.createObjectNode();
        ArrayNode images = answer.putArray("images");
        for (Image image : node.images().list()) {
            ObjectNode view = images.addObject()
                    .put("name", image.reference())
                    .put("digest", image.digest())
                    .put("virtualBytes", image.virtualSizeBytes())
                    .put("created", image.created().toString());
            ArrayNode kernels = view.putArray("kernels");
            image.kernels().forEach(kernel -> kernels.add(kernel.name()));
        }
        if (call.peer().isAdmin()) {
            answer.set("inUse", json.valueToTree(use.now()));
        }
        return answer;
    }

    private void down(Call call) throws IOException {
        if (!call.peer().isAdmin()) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "only root may end the daemon");
        }
        if (call.body().path("cancelJobs").asBoolean(false)) {
            desk.active().forEach(desk::cancel);
            try {
                desk.runner().awaitIdle();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while jobs ended", e);
            }
        }
        call.reply().json(200, Map.of("jobs", desk.active()));
        down.countDown();
    }
}

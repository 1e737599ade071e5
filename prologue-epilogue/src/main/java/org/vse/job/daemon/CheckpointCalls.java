package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.step.Node;
import org.vse.provisioner.checkpoint.CheckpointStore;
import org.vse.provisioner.checkpoint.SetManifest;

/** The calls of docs/api.md about saved machines: {@code /v1/checkpoints}. A user sees their own, root all. */
final class CheckpointCalls {
    private static final Logger LOG = LoggerFactory.getLogger(CheckpointCalls.class);

    private final CheckpointStore store;
    private final ObjectMapper json;
    private final JobTable table;

    CheckpointCalls(Node node, ObjectMapper json, JobTable table) {
        this.store = node.checkpoints();
        this.json = json;
        this.table = table;
    }

    /** A set that can be believed, or why one cannot. */
    private record Found(String tag, int number, SetManifest manifest) {}

    void answer(Call call) throws IOException {
        List<String> path = call.path();
        switch (call.method() + " " + (path.size() - 2)) {
            case "GET 0" -> call.reply().json(200, list(call));
            case "GET 1" -> call.reply().json(200, inspect(call, path.get(2)));
            case "POST 0" ->
                call.reply()
                        .json(
                                200,
                                collect(
                                        call,
                                        Call.instant(call.text("before")),
                                        call.body().path("dryRun").asBoolean(false)));
            case "POST 2" -> {
                if (!path.get(3).equals("remove")) {
                    throw call.unknown();
                }
                call.reply().json(200, remove(call, path.get(2), call.integer("number", 0, Integer.MAX_VALUE)));
            }
            default -> throw call.unknown();
        }
    }

    private List<Found> found(Call call) {
        List<Found> found = new ArrayList<>();
        for (String tag : store.tags()) {
            for (int number : store.numbers(tag)) {
                try {
                    SetManifest manifest = store.open(tag, number).manifest();
                    if (call.peer().mayTouch(Math.toIntExact(manifest.uid()))) {
                        found.add(new Found(tag, number, manifest));
                    }
                } catch (VseException e) {
                    // Gone meanwhile, or not to be believed: nobody's to see. Whoever resumes from it is told.
                    LOG.info("checkpoint {} of '{}' is not listed: {}", number, tag, e.what());
                }
            }
        }
        found.sort(Comparator.comparing((Found each) -> each.manifest().taken()).reversed());
        return found;
    }

    private ObjectNode list(Call call) {
        ObjectNode answer = json.createObjectNode();
        ArrayNode sets = answer.putArray("checkpoints");
        found(call).forEach(each -> view(each, sets.addObject()));
        return answer;
    }

    private static ObjectNode view(Found found, ObjectNode into) {
        SetManifest manifest = found.manifest();
        return into.put("job", manifest.job())
                .put("scheduler", manifest.scheduler())
                .put("number", manifest.number())
                .put("taken", manifest.taken().toString())
                .put("attempt", manifest.attempt())
                .put("vms", manifest.vms().size())
                .put("bytes", manifest.bytes())
                .put("uid", manifest.uid());
    }

    private ObjectNode inspect(Call call, String job) {
        ObjectNode answer = json.createObjectNode();
        ArrayNode sets = answer.putArray("checkpoints");
        for (Found each : ofJob(call, job)) {
            ObjectNode view = view(each, sets.addObject());
            view.put("image", each.manifest().image())
                    .put("hypervisor", each.manifest().hypervisor())
                    .put("accelerator", each.manifest().cpu())
                    .put("runSeconds", each.manifest().runSeconds());
            view.set("machines", json.valueToTree(each.manifest().vms()));
            view.set("files", json.valueToTree(each.manifest().files()));
        }
        return answer;
    }

    private List<Found> ofJob(Call call, String job) {
        List<Found> of = found(call).stream()
                .filter(each -> each.manifest().job().equals(job))
                .toList();
        if (of.isEmpty()) {
            throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "there is no checkpoint of job '" + job + "'")
                    .next("vse checkpoint ls");
        }
        return of;
    }

    /** Whether the job is here; one that the batch system holds for later is not known to anybody here. */
    private boolean isWanted(String job) {
        return table.find(job).filter(known -> !known.state().isFinal()).isPresent();
    }

    /** Deletes what was saved before a time, unless its job is here. */
    private ObjectNode collect(Call call, Instant before, boolean dryRun) {
        ObjectNode answer = json.createObjectNode();
        ArrayNode sets = answer.putArray("checkpoints");
        for (Found each : found(call)) {
            SetManifest manifest = each.manifest();
            if (manifest.taken().isBefore(before) && !isWanted(manifest.job())) {
                if (!dryRun) {
                    store.remove(each.tag(), each.number());
                }
                view(each, sets.addObject());
            }
        }
        return answer;
    }

    /** @param number 0 for all */
    private Map<String, Object> remove(Call call, String job, int number) {
        if (isWanted(job)) {
            throw VseException.of(ErrorCode.JOB_STATE, "job '" + job + "' has not ended and may need its checkpoints")
                    .next("vse job cancel " + job);
        }
        List<Integer> removed = new ArrayList<>();
        for (Found each : ofJob(call, job)) {
            if (number == 0 || each.number() == number) {
                store.remove(each.tag(), each.number());
                removed.add(each.number());
            }
        }
        if (removed.isEmpty()) {
            throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "job '" + job + "' has no checkpoint " + number)
                    .next("vse checkpoint inspect " + job);
        }
        return Map.of("job", job, "removed", removed);
    }
}

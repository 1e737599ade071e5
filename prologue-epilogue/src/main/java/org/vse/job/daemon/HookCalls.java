package org.vse.job.daemon;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.policy.Continuation;
import org.vse.scheduler.BatchSystem;
import org.vse.scheduler.HookCall;
import org.vse.scheduler.HookPoint;

/** The calls of docs/api.md that the hooks of batch systems make. */
final class HookCalls {
    private final ObjectMapper json;
    private final HookDesk desk;

    HookCalls(ObjectMapper json, HookDesk desk) {
        this.json = json;
        this.desk = desk;
    }

    /** Answers a call below {@code /v1/hooks}. */
    void answer(Call call) throws IOException {
        String what = call.path().size() == 3 ? call.path().get(2) : "";
        switch (what) {
            case "prologue" -> prologue(call);
            case "starter" -> starter(call);
            case "epilogue" -> epilogue(call);
            case "suspend", "resume" -> machines(call, what.equals("resume"));
            default -> throw call.unknown();
        }
    }

    private void prologue(Call call) throws IOException {
        requireBatchSystem(call);
        Optional<Job> job = desk.prologue(system(call), hook(call, HookPoint.PROLOGUE));
        call.reply()
                .json(
                        200,
                        job.map(first -> Map.<String, Object>of(
                                        "job", first.record().id(),
                                        "attempt", first.record().attempt(),
                                        "state", first.state().name()))
                                .orElse(Map.of("state", "ELSEWHERE")));
    }

    private void starter(Call call) throws IOException {
        HookCall hook = hook(call, HookPoint.STARTER);
        BatchSystem system = system(call);
        List<String> arguments = system.dialect().launch(hook).arguments();
        Submission launch = new Submission(
                new Submission.Script("script", ""),
                arguments,
                null,
                call.text("cwd"),
                hook.environment(),
                false,
                null,
                null,
                List.of());
        Job job = desk.starter(system, hook, call.peer().uid(), launch, call.text("scriptSha256"));
        Map<String, Object> answer =
                new LinkedHashMap<>(Map.of("job", job.record().id()));
        answer.put("goesOn", !job.record().continuation().equals(Continuation.NONE));
        desk.outputPoint(job).ifPresent(point -> answer.put("point", point));
        call.reply().json(200, answer);
    }

    private void epilogue(Call call) throws IOException {
        requireBatchSystem(call);
        HookDesk.Ended ended = desk.epilogue(system(call), hook(call, HookPoint.EPILOGUE));
        call.reply().json(200, Map.of("ended", ended.whole(), "saved", ended.saved()));
    }

    private void machines(Call call, boolean run) throws IOException {
        Job job = desk.machines(system(call), hook(call, HookPoint.STARTER), call.peer(), run);
        call.reply().json(200, Map.of("job", job.record().id()));
    }

    private static void requireBatchSystem(Call call) {
        if (!call.peer().isAdmin()) {
            throw VseException.of(ErrorCode.NOT_PERMITTED, "only the batch system may call its prologue and epilogue")
                    .next("submit a job");
        }
    }

    private static BatchSystem system(Call call) {
        String word = call.text("scheduler");
        return BatchSystem.of(word)
                .orElseThrow(() -> VseException.of(ErrorCode.USAGE, "'" + word + "' is not a batch system with hooks")
                        .fact("allowed", BatchSystem.words()));
    }

    private HookCall hook(Call call, HookPoint point) {
        JsonNode body = call.body();
        try {
            return new HookCall(
                    point,
                    json.convertValue(body.path("arguments"), new TypeReference<List<String>>() {}),
                    json.convertValue(body.path("environment"), new TypeReference<Map<String, String>>() {}),
                    body.path("input").asText(""));
        } catch (IllegalArgumentException | NullPointerException e) {
            throw VseException.of(ErrorCode.USAGE, "a hook's call has 'arguments' and an 'environment', both of texts")
                    .next("see docs/api.md, hooks")
                    .because(e);
        }
    }
}

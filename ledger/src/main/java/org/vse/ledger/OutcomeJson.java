package org.vse.ledger;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Outcomes of jobs as {@code GET /v1/report/outcomes} answers them: {@code {"outcomes": […]}}. */
public final class OutcomeJson {
    private static final JsonMapper MAPPER = new JsonMapper();

    private OutcomeJson() {}

    public static ObjectNode write(List<JobOutcome> outcomes) {
        ObjectNode document = MAPPER.createObjectNode();
        ArrayNode list = document.putArray("outcomes");
        for (JobOutcome outcome : outcomes) {
            list.addObject()
                    .put("cluster", outcome.job().cluster())
                    .put("scheduler", outcome.job().scheduler())
                    .put("job", outcome.job().id())
                    .put("attempt", outcome.job().attempt())
                    .put("user", outcome.submitter().user())
                    .put("uid", outcome.submitter().uid())
                    .put("queue", outcome.submitter().queue())
                    .put("at", outcome.at().toString())
                    .put("kind", outcome.kind().name())
                    .put("code", outcome.code() == null ? null : outcome.code().name())
                    .put("exitCode", outcome.exitCode());
        }
        return document;
    }

    /** @throws VseException INTERNAL when the text is not such a document */
    public static List<JobOutcome> read(String document) {
        try {
            List<JobOutcome> outcomes = new ArrayList<>();
            for (JsonNode from : MAPPER.readTree(document).required("outcomes")) {
                JsonNode code = from.path("code");
                outcomes.add(new JobOutcome(
                        new JobKey(
                                from.required("cluster").asText(),
                                from.required("scheduler").asText(),
                                from.required("job").asText(),
                                from.required("attempt").intValue()),
                        new Submitter(
                                from.required("user").asText(),
                                from.required("uid").intValue(),
                                from.path("queue").textValue()),
                        Instant.parse(from.required("at").asText()),
                        JobOutcome.Kind.valueOf(from.required("kind").asText()),
                        code.isTextual() ? ErrorCode.valueOf(code.asText()) : null,
                        from.path("exitCode").isInt() ? from.path("exitCode").intValue() : null));
            }
            return outcomes;
        } catch (JsonProcessingException | IllegalArgumentException | DateTimeParseException e) {
            throw VseException.of(ErrorCode.INTERNAL, "the outcomes are not readable")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }
}

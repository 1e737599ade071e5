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
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Intervals as {@code GET /v1/report/vms} answers them: {@code {"vms": […]}}, one flat object each. */
final class IntervalJson {
    private static final JsonMapper MAPPER = new JsonMapper();

    private IntervalJson() {}

    static ObjectNode write(VmInterval interval) {
        JobKey job = interval.job();
        Submitter who = interval.submitter();
        Machine vm = interval.machine();
        Ending ending = interval.ending();
        ObjectNode to = MAPPER.createObjectNode();
        to.put("id", interval.id().toString());
        to.put("cluster", job.cluster());
        to.put("scheduler", job.scheduler());
        to.put("job", job.id());
        to.put("attempt", job.attempt());
        to.put("user", who.user());
        to.put("uid", who.uid());
        to.put("queue", who.queue());
        to.put("name", vm.name());
        to.put("index", vm.index());
        to.put("node", vm.node());
        vm.cores().forEach(to.putArray("cores")::add);
        to.put("vcpus", vm.vcpus());
        to.put("memoryBytes", vm.memoryBytes());
        to.put("image", vm.image());
        to.put("digest", vm.digest());
        to.put("accelerator", vm.accelerator());
        to.put("started", interval.started().toString());
        to.put("ended", ending == null ? null : ending.ended().toString());
        to.put("why", ending == null ? null : ending.why().name());
        to.put("cpuNanos", ending == null ? null : ending.cpuNanos());
        to.put("peakMemoryBytes", ending == null ? null : ending.peakMemoryBytes());
        return to;
    }

    static String document(List<ObjectNode> intervals) {
        ObjectNode document = MAPPER.createObjectNode();
        ArrayNode vms = document.putArray("vms");
        intervals.forEach(vms::add);
        return document.toString();
    }

    /** Reads a document; properties that are not known here are passed over, so that an older program reads a newer one. */
    static List<VmInterval> read(String document) {
        try {
            List<VmInterval> intervals = new ArrayList<>();
            for (JsonNode node : MAPPER.readTree(document).required("vms")) {
                intervals.add(interval(node));
            }
            return intervals;
        } catch (JsonProcessingException | IllegalArgumentException | DateTimeParseException e) {
            throw VseException.of(ErrorCode.INTERNAL, "the report is not readable")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    private static VmInterval interval(JsonNode from) {
        List<Integer> cores = new ArrayList<>();
        from.required("cores").forEach(core -> cores.add(core.intValue()));
        return new VmInterval(
                UUID.fromString(text(from, "id")),
                new JobKey(
                        text(from, "cluster"),
                        text(from, "scheduler"),
                        text(from, "job"),
                        from.required("attempt").intValue()),
                new Submitter(
                        text(from, "user"),
                        from.required("uid").intValue(),
                        from.path("queue").textValue()),
                new Machine(
                        text(from, "name"),
                        from.required("index").intValue(),
                        text(from, "node"),
                        cores,
                        from.required("vcpus").intValue(),
                        from.required("memoryBytes").longValue(),
                        text(from, "image"),
                        text(from, "digest"),
                        text(from, "accelerator")),
                Instant.parse(text(from, "started")),
                ending(from));
    }

    private static @Nullable Ending ending(JsonNode from) {
        if (from.required("ended").isNull()) {
            return null;
        }
        return new Ending(
                Instant.parse(text(from, "ended")),
                VmEnd.valueOf(text(from, "why")),
                number(from.path("cpuNanos")),
                number(from.path("peakMemoryBytes")));
    }

    private static @Nullable Long number(JsonNode value) {
        return value.isNumber() ? value.longValue() : null;
    }

    private static String text(JsonNode from, String name) {
        String value = from.required(name).textValue();
        if (value == null) {
            throw new IllegalArgumentException("'" + name + "' is not text");
        }
        return value;
    }
}

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
        to.put("group", who.group());
        to.put("queue", who.queue());
        to.put("account", who.account());
        to.put("arrayIndex", who.arrayIndex());
        to.put("name", vm.name());
        to.put("index", vm.index());
        to.put("role", vm.role());
        to.put("node", vm.node());
        vm.cores().forEach(to.putArray("cores")::add);
        vm.numaNodes().forEach(to.putArray("numaNodes")::add);
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
        to.put("bytesIn", ending == null ? null : ending.bytesIn());
        to.put("bytesOut", ending == null ? null : ending.bytesOut());
        to.put("evidence", ending == null ? null : ending.evidence());
        return to;
    }

    static ObjectNode document(List<ObjectNode> intervals, List<JobMark> marks, boolean more) {
        ObjectNode document = MAPPER.createObjectNode();
        ArrayNode vms = document.putArray("vms");
        intervals.forEach(vms::add);
        if (!marks.isEmpty()) {
            ArrayNode list = document.putArray("marks");
            marks.forEach(mark -> list.add(write(mark)));
        }
        if (more) {
            document.put("more", true);
        }
        return document;
    }

    private static ObjectNode write(JobMark mark) {
        return MAPPER.createObjectNode()
                .put("cluster", mark.job().cluster())
                .put("scheduler", mark.job().scheduler())
                .put("job", mark.job().id())
                .put("attempt", mark.job().attempt())
                .put("at", mark.at().toString())
                .put("kind", mark.kind().name())
                .put("node", mark.node());
    }

    private static JobMark mark(JsonNode from) {
        return new JobMark(
                key(from),
                Instant.parse(text(from, "at")),
                JobMark.Kind.valueOf(text(from, "kind")),
                text(from, "node"));
    }

    private static JobKey key(JsonNode from) {
        return new JobKey(
                text(from, "cluster"),
                text(from, "scheduler"),
                text(from, "job"),
                from.required("attempt").intValue());
    }

    /** Reads a document; properties that are not known here are passed over, so that an older program reads a newer one. */
    static VmReport read(String document, @Nullable Instant since, @Nullable Instant until, Instant now) {
        try {
            JsonNode read = MAPPER.readTree(document);
            List<VmInterval> intervals = new ArrayList<>();
            for (JsonNode node : read.required("vms")) {
                intervals.add(interval(node));
            }
            List<JobMark> marks = new ArrayList<>();
            for (JsonNode node : read.path("marks")) {
                marks.add(mark(node));
            }
            return new VmReport(intervals, marks, read.path("more").asBoolean(false), since, until, now);
        } catch (JsonProcessingException | IllegalArgumentException | DateTimeParseException e) {
            throw VseException.of(ErrorCode.INTERNAL, "the report is not readable")
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }

    private static VmInterval interval(JsonNode from) {
        List<Integer> cores = new ArrayList<>();
        from.required("cores").forEach(core -> cores.add(core.intValue()));
        List<Integer> numaNodes = new ArrayList<>();
        from.path("numaNodes").forEach(numa -> numaNodes.add(numa.intValue()));
        return new VmInterval(
                UUID.fromString(text(from, "id")),
                key(from),
                new Submitter(
                        text(from, "user"),
                        from.required("uid").intValue(),
                        from.path("group").textValue(),
                        from.path("queue").textValue(),
                        from.path("account").textValue(),
                        from.path("arrayIndex").isInt()
                                ? from.path("arrayIndex").intValue()
                                : null),
                new Machine(
                        text(from, "name"),
                        from.required("index").intValue(),
                        text(from, "node"),
                        cores,
                        numaNodes,
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
                number(from.path("peakMemoryBytes")),
                number(from.path("bytesIn")),
                number(from.path("bytesOut")),
                from.path("evidence").textValue());
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

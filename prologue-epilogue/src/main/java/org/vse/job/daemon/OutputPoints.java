package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.step.Node;
import org.vse.job.step.SetName;

/**
 * What the starters of a job's attempts say of its output, kept beside its checkpoints for the next of them. Nobody else
 * believes it.
 */
final class OutputPoints {
    private static final String NOTE = "output.json";
    private static final int MOST = 1024;
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    private OutputPoints() {}

    static void keep(Node node, Job job, JsonNode point) {
        byte[] text = point.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        if (text.length > MOST || !point.isObject()) {
            throw VseException.of(ErrorCode.USAGE, "that is not how far a job's output has come")
                    .next("see docs/api.md");
        }
        node.checkpoints().note(SetName.of(node, job.record()), NOTE, text);
    }

    static Optional<JsonNode> of(Node node, Job job) {
        return node.checkpoints().note(SetName.of(node, job.record()), NOTE).map(text -> {
            try {
                return JSON.readTree(text);
            } catch (IOException e) {
                throw VseException.of(ErrorCode.CHECKPOINT_INVALID, "how far the job's output had come is not known")
                        .because(e);
            }
        });
    }
}

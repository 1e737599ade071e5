package org.vse.job.peer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.vse.job.lifecycle.FailureText;
import org.vse.job.lifecycle.JobState;

/**
 * How a part stands.
 *
 * @param state of the part on its node
 * @param failure why it failed; null unless it did
 * @param events what was told since the last time
 * @param next number of the first event that was not told yet
 */
public record PartNews(JobState state, @Nullable FailureText failure, List<JsonNode> events, int next) {
    public PartNews {
        events = List.copyOf(events);
    }

    /** True when the machines of the part can be used. */
    boolean isReady() {
        return state == JobState.READY || state == JobState.RUNNING;
    }
}

package org.vse.test.bench;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.vse.job.client.Answer;
import org.vse.job.client.Json;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.job.client.VsedClient;

/** A job through the daemon's socket, as a hook of a batch system speaks to it. */
final class JobByVse implements AutoCloseable {
    private final VsedClient client;
    private final Answer events;
    private final String id;

    private JobByVse(VsedClient client, Answer events, String id) {
        this.client = client;
        this.events = events;
        this.id = id;
    }

    /**
     * Orders a job.
     *
     * @param user null for root without a share
     */
    static JobByVse order(VsedClient client, String script, @Nullable String user, String directory) {
        Map<String, @Nullable Object> submission = new LinkedHashMap<>();
        submission.put("script", Map.of("name", "/bench/first.sh", "text", script));
        submission.put("args", List.of());
        submission.put("user", user);
        submission.put("cwd", directory);
        submission.put("environment", Map.of());
        submission.put("interactive", false);
        submission.put("image", null);
        submission.put("terminal", null);
        Answer events = client.open(Request.post(Target.of("v1", "jobs"), Json.write(submission)));
        try {
            String id = Json.readObject(events.line().orElseThrow()).text("job").orElseThrow();
            return new JobByVse(client, events, id);
        } catch (RuntimeException e) {
            events.close();
            throw e;
        }
    }

    /** Returns when the first line of the script has arrived. */
    void awaitLine(String wanted) {
        Target output = Target.of("v1", "jobs", id, "output", "stdout").with("follow", true);
        try (Answer stream = client.open(Request.get(output).withPatience(Duration.ofMinutes(5)))) {
            if (!stream.line().orElse("nothing").equals(wanted)) {
                throw new IllegalStateException("the script did not say its line");
            }
        }
    }

    /** Ends it; {@link #close} still waits for its end. */
    void cancel() {
        client.call(Request.post(Target.of("v1", "jobs", id, "cancel"), "{}"));
    }

    /** Returns when the job is over and taken down. */
    @Override
    public void close() {
        try (events) {
            boolean settled = false;
            while (!settled) {
                settled = events.line().isEmpty();
            }
        }
    }
}

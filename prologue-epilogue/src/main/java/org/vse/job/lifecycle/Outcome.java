package org.vse.job.lifecycle;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How a job's script ended.
 *
 * @param exitCode its exit code, 128 + signal when a signal ended it
 * @param started when the script began; null when that was not seen
 * @param stdoutBytes length of its standard output
 * @param stderrBytes length of its standard error
 * @param cancelled true when it ended because somebody cancelled the job
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Outcome(
        int exitCode,
        @Nullable Instant started,
        Instant ended,
        long stdoutBytes,
        long stderrBytes,
        boolean cancelled) {}

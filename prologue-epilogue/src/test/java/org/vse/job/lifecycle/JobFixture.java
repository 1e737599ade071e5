package org.vse.job.lifecycle;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.vse.policy.Network;
import org.vse.policy.Share;

/** Jobs for tests: one machine, no network, no share. */
public final class JobFixture {
    private JobFixture() {}

    public static ObjectMapper json() {
        return JsonMapper.builder()
                .addModule(new JavaTimeModule())
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .build();
    }

    public static JobRecord record(String id) {
        return new JobRecord(
                "local",
                id,
                1,
                JobRecord.tagOf("me", "local", id, 1),
                new JobRecord.User(
                        "carol", 4321, 4321, List.of(new JobRecord.Group("carol", 4321)), "/home/carol", "/bin/bash"),
                null,
                null,
                List.of(),
                "/tmp",
                null,
                "test:1",
                "sha256:" + "0".repeat(64),
                Share.NONE,
                Network.USER,
                List.of(),
                List.of(new JobRecord.Machine(0, "vm0", "here", List.of(0), 1, 1L << 28, null)),
                false,
                70_000,
                70_000,
                null,
                null,
                Instant.EPOCH,
                null,
                null,
                null);
    }

    /** A job that was just admitted. */
    public static Job admitted(Path directory, String id) throws IOException {
        JobFiles files = files(directory, id);
        Files.createDirectories(files.directory());
        return Job.admit(
                record(id), files, EventFeed.open(files.events(), json()), Map.of(), json(), Clock.systemUTC());
    }

    /** The job as another process finds it. */
    public static Job reopened(Path directory, String id) {
        return Job.open(files(directory, id), json(), Clock.systemUTC()).orElseThrow();
    }

    public static JobFiles files(Path directory, String id) {
        return JobFiles.of(directory, directory, record(id).tag());
    }
}

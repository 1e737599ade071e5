package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;

/** The directories of all jobs that this installation has kept. */
final class JobDirectories {
    private JobDirectories() {}

    /** Opens every job, oldest first; a directory without a record belonged to a job that never had cores and goes. */
    static List<Job> open(Path state, Path run, ObjectMapper json, Clock clock) {
        List<Job> jobs = new ArrayList<>();
        try (Stream<Path> entries = Files.list(state.resolve("jobs"))) {
            for (Path entry : entries.toList()) {
                JobFiles files = JobFiles.of(state, run, entry.getFileName().toString());
                Optional<Job> job = Job.open(files, json, clock);
                job.ifPresentOrElse(jobs::add, () -> delete(files));
            }
        } catch (IOException e) {
            throw failed(state, e);
        }
        jobs.sort(Comparator.comparing(job -> job.record().submitted()));
        return jobs;
    }

    /** Removes everything that was kept of a job. */
    static void delete(JobFiles files) {
        for (Path root : List.of(files.directory(), files.sockets())) {
            if (Files.exists(root)) {
                try (Stream<Path> walk = Files.walk(root)) {
                    for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                        Files.deleteIfExists(path);
                    }
                } catch (IOException e) {
                    throw failed(root, e);
                }
            }
        }
    }

    private static VseException failed(Path path, IOException e) {
        return VseException.of(ErrorCode.STORAGE_FAILED, "the jobs' directories cannot be read or removed")
                .at(path.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }
}

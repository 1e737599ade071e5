package org.vse.job.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobFiles;
import org.vse.job.step.Tree;

/** The directories of all jobs that this installation has kept. */
final class JobDirectories {
    private static final Logger LOG = LoggerFactory.getLogger(JobDirectories.class);

    private JobDirectories() {}

    /**
     * Opens every job, oldest first. A directory without a record belonged to a job that never had cores and goes. One that
     * cannot be read is put aside into {@code broken/}, so that one damaged job keeps no daemon from serving the others; what
     * its machines and networks are is then removed as what has no job.
     */
    static List<Job> open(Path state, Path run, ObjectMapper json, Clock clock) {
        List<Job> jobs = new ArrayList<>();
        for (Path entry : entries(state)) {
            JobFiles files = JobFiles.of(state, run, entry.getFileName().toString());
            try {
                Job.open(files, json, clock).ifPresentOrElse(jobs::add, () -> delete(files));
            } catch (VseException e) {
                if (e.code() != ErrorCode.JOURNAL_CORRUPT) {
                    throw e;
                }
                LOG.error("job {} cannot be read and is put aside: {}", entry.getFileName(), putAside(state, entry), e);
            }
        }
        jobs.sort(Comparator.comparing(job -> job.record().submitted()));
        return jobs;
    }

    private static List<Path> entries(Path state) {
        try (Stream<Path> entries = Files.list(state.resolve("jobs"))) {
            return entries.toList();
        } catch (IOException e) {
            throw failed(state, e);
        }
    }

    private static Path putAside(Path state, Path entry) {
        try {
            Path broken = state.resolve("broken");
            Files.createDirectories(
                    broken, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            return Files.move(entry, broken.resolve(entry.getFileName()));
        } catch (IOException e) {
            throw failed(entry, e);
        }
    }

    /** Removes everything that was kept of a job. */
    static void delete(JobFiles files) {
        Tree.delete(files.directory());
        Tree.delete(files.sockets());
    }

    private static VseException failed(Path path, IOException e) {
        return VseException.of(ErrorCode.STORAGE_FAILED, "the jobs' directories cannot be read or removed")
                .at(path.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }
}

package org.vse.job.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobState;

/** Which images the jobs of this node were admitted with: those that wait, and those that have not ended. */
public final class ImageUse {
    private final JobTable table;
    private volatile @Nullable LocalDesk desk;

    ImageUse(JobTable table) {
        this.table = table;
    }

    /** From here on jobs that wait for cores count too. */
    void waitingAt(LocalDesk waiting) {
        desk = waiting;
    }

    /** Ids of jobs by the digest of their image. */
    Map<String, List<String>> now() {
        Map<String, List<String>> use = new TreeMap<>();
        LocalDesk waiting = desk;
        if (waiting != null) {
            waiting.pending().forEach(each -> add(use, each.admission().image().digest(), each.id()));
        }
        for (Job job : table.all()) {
            if (!job.state().isFinal()) {
                add(use, job.record().digest(), job.record().id());
                if (!job.booted().equals(job.record().digest())) {
                    add(use, job.booted(), job.record().id());
                }
            }
        }
        return use;
    }

    /**
     * The same as far as the files of jobs tell, for when there is no daemon: jobs that wait for cores end with it.
     *
     * @param state of the daemon, which may be missing
     * @throws VseException STORAGE_FAILED
     */
    public static Map<String, List<String>> onDisk(Path state) {
        Map<String, List<String>> use = new TreeMap<>();
        if (!Files.isDirectory(state.resolve("jobs"))) {
            return use;
        }
        ObjectMapper json = Vsed.json();
        try (Stream<Path> jobs = Files.list(state.resolve("jobs"))) {
            for (Path job : (Iterable<Path>) jobs::iterator) {
                read(job, json, use);
            }
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "it cannot be found out which images jobs use")
                    .at(state.toString())
                    .fact("reason", e)
                    .because(e);
        }
        return use;
    }

    private static void read(Path job, ObjectMapper json, Map<String, List<String>> use) throws IOException {
        try {
            JsonNode record = json.readTree(job.resolve("job.json").toFile());
            boolean ended = false;
            for (String line : Files.readAllLines(job.resolve("journal"))) {
                for (JobState state : JobState.values()) {
                    ended |= state.isFinal() && line.contains("\"state\":\"" + state + "\"");
                }
            }
            if (!ended && record.path("digest").isTextual()) {
                add(use, record.path("digest").asText(), record.path("id").asText());
                Path booted = job.resolve("booted.json");
                if (Files.exists(booted)) {
                    add(
                            use,
                            json.readTree(booted.toFile()).asText(),
                            record.path("id").asText());
                }
            }
        } catch (NoSuchFileException | java.io.FileNotFoundException e) {
            // Removed meanwhile, or never admitted: such a job uses nothing.
            assert !Files.exists(job.resolve("job.json")) || !Files.exists(job.resolve("journal"));
        }
    }

    private static void add(Map<String, List<String>> use, String digest, String job) {
        use.computeIfAbsent(digest, none -> new ArrayList<>()).add(job);
    }
}

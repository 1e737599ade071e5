package org.vse.job.hook;

import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.vse.scheduler.AttemptId;

/** Attempts that their batch system has ended while no daemon was there to be told: one empty file each, in {@code ended/}. */
public final class EndedJobs {
    private EndedJobs() {}

    /** One attempt, or every attempt of a job where the batch system did not say which. */
    public record Ended(String scheduler, AttemptId id, Path file) {
        /** True when this says that the attempt has ended. */
        public boolean covers(String scheduler, String job, int attempt) {
            return this.scheduler.equals(scheduler)
                    && id.job().equals(job)
                    && attempt <= id.attempt().orElse(attempt);
        }
    }

    /**
     * Leaves word for the next daemon.
     *
     * @param run the daemon's directory of things that end with the host; only its owner may write there
     */
    static void leave(Path run, String scheduler, AttemptId id) throws IOException {
        Path directory = Files.createDirectories(
                run.resolve("ended"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        String name = String.join(
                " ",
                scheduler,
                Integer.toString(id.attempt().orElse(0)),
                URLEncoder.encode(id.job(), StandardCharsets.UTF_8));
        Path file = directory.resolve(name);
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
    }

    /** Every word that was left; a file that is none is passed over. */
    public static List<Ended> read(Path run) throws IOException {
        Path directory = run.resolve("ended");
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> String.valueOf(file.getFileName()).matches("[a-z]+ [0-9]{1,9} \\S+"))
                    .map(EndedJobs::parse)
                    .toList();
        }
    }

    private static Ended parse(Path file) {
        String[] words = String.valueOf(file.getFileName()).split(" ");
        int attempt = Integer.parseInt(words[1]);
        return new Ended(
                words[0],
                new AttemptId(
                        URLDecoder.decode(words[2], StandardCharsets.UTF_8),
                        attempt == 0 ? OptionalInt.empty() : OptionalInt.of(attempt)),
                file);
    }
}

package org.vse.job.step;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Removes files of a job. Symbolic links are removed, never followed. */
public final class Tree {
    private Tree() {}

    /** Removes a file or directory with everything in it. Nothing there is no error. */
    public static void delete(Path root) {
        try (Stream<Path> walk = Files.walk(root)) {
            List<Path> deepestFirst = walk.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.deleteIfExists(path);
            }
        } catch (NoSuchFileException e) {
            // Nothing there is what was wanted.
            return;
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "files of the job cannot be removed")
                    .at(root.toString())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }
}

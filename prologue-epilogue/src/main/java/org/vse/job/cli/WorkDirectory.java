package org.vse.job.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** The directory that the user is in. */
final class WorkDirectory {
    private WorkDirectory() {}

    /**
     * {@code PWD} when it names {@code real}, so that {@code /home/a/work} stays that and does not become what a symbolic
     * link hides; else {@code real}. POSIX {@code pwd -L} does the same.
     */
    static Path logical(Map<String, String> environment, Path real) {
        String pwd = environment.getOrDefault("PWD", "");
        Path logical = Path.of(pwd);
        try {
            boolean right = logical.isAbsolute()
                    && logical.normalize().equals(logical)
                    && Files.isDirectory(logical)
                    && Files.isSameFile(logical, real);
            return right ? logical : real.toRealPath();
        } catch (IOException e) {
            throw VseException.of(ErrorCode.USAGE, "the current directory cannot be read")
                    .fact("path", real)
                    .fact("reason", e.getClass().getSimpleName())
                    .because(e);
        }
    }
}

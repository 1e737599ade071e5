package org.vse.job.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** Numbers that are never given twice, whatever crashes: the next one is on disk before this one is used. */
final class JobCounter {
    private final Path file;

    JobCounter(Path file) {
        this.file = file;
    }

    synchronized long next() {
        try {
            long number =
                    Files.exists(file) ? Long.parseLong(Files.readString(file).strip()) : 1;
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.writeString(part, (number + 1) + "\n");
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return number;
        } catch (IOException e) {
            throw VseException.storage("the job counter cannot be read or written", file, e);
        } catch (NumberFormatException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the job counter is no number")
                    .at(file.toString())
                    .fact("reason", String.valueOf(e.getMessage()))
                    .because(e);
        }
    }
}

package org.vse.job.hook;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;

/**
 * What hooks note below the daemon's run directory, in a directory of their batch system's: that a job has machines. A job
 * without a mark starts on the node itself, so a mark stays at least until the job's script has been started.
 *
 * <p>An epilogue takes the mark away. Where a batch system calls none, having given the node up for instance, the daemon does.
 */
public final class HookMarks {
    /** What the names of a job's marks end with: nothing; no member of an array (Grid Engine); what became of it (OpenPBS). */
    private static final List<String> ENDINGS = List.of("", ".undefined", ".started", ".deleted");

    private HookMarks() {}

    /**
     * Takes the marks of an attempt that is over away, but for those that a hook has made since it was admitted: they are a
     * later attempt's, or this one's epilogue comes.
     *
     * @param run the daemon's directory of things that end with the host
     * @param admitted when the attempt was admitted, which is after its prologue has marked it; by the clock of the host's files
     */
    public static void remove(Path run, String scheduler, String job, FileTime admitted) throws IOException {
        Path directory = run.resolve(scheduler);
        for (String ending : ENDINGS) {
            Path mark = directory.resolve(job.replace('/', '_') + ending);
            if (directory.equals(mark.getParent()) && isOlder(mark, admitted)) {
                Files.deleteIfExists(mark);
            }
        }
    }

    private static boolean isOlder(Path mark, FileTime admitted) throws IOException {
        try {
            return Files.getLastModifiedTime(mark).compareTo(admitted) <= 0;
        } catch (NoSuchFileException e) {
            return false;
        }
    }
}

package org.vse.job.step;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.job.lifecycle.JobFiles;
import org.vse.provisioner.checkpoint.CheckpointStore.CheckpointSet;
import org.vse.provisioner.checkpoint.CheckpointStore.Draft;
import org.vse.provisioner.checkpoint.SavedFile;

/**
 * What the script has written so far, and what its guest has told, as a set keeps it: whole, so that whoever copies it to the
 * batch system's file can begin at any byte.
 */
final class SavedStreams {
    private SavedStreams() {}

    /** Copies the streams of machines that stand still. */
    static void copy(JobFiles files, Draft draft) {
        for (Path file : all(files)) {
            Path target = draft.file(name(file));
            try {
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                throw VseException.storage("the job's output cannot be saved", target, e);
            }
        }
    }

    /** The streams of a draft as its manifest names them. */
    static List<SavedFile> seal(JobFiles files, Draft draft) {
        List<SavedFile> sealed = new ArrayList<>();
        for (Path file : all(files)) {
            sealed.add(draft.seal(name(file), 0));
        }
        return sealed;
    }

    /**
     * Fills the file of a stream, which is there and empty.
     *
     * @throws VseException CHECKPOINT_INVALID when the set's copy is missing or was changed
     */
    static void restore(CheckpointSet set, Path file) {
        SavedFile saved = set.manifest().files().stream()
                .filter(each -> each.name().equals(name(file)))
                .findFirst()
                .orElseThrow(() -> VseException.of(ErrorCode.CHECKPOINT_INVALID, "the checkpoint cannot be used")
                        .fact("found", "no file '" + name(file) + "'"));
        set.verify(saved);
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
            Files.copy(set.file(saved), out);
        } catch (IOException e) {
            throw VseException.storage("the job's output cannot be brought back", file, e);
        }
    }

    private static List<Path> all(JobFiles files) {
        return MachineSpecs.PORTS.stream()
                .map(port -> MachineSpecs.channel(files, 0, port))
                .toList();
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}

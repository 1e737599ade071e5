package org.vse.job.hook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HookMarksTest {
    private static final Instant ADMITTED = Instant.parse("2026-01-02T03:04:05Z");

    @TempDir
    private Path run;

    private void mark(String scheduler, String name, int secondsAfter) throws IOException {
        Path file = Files.createDirectories(run.resolve(scheduler)).resolve(name);
        Files.createFile(file);
        Files.setLastModifiedTime(file, FileTime.from(ADMITTED.plusSeconds(secondsAfter)));
    }

    private List<String> marks(String scheduler) throws IOException {
        try (Stream<Path> files = Files.list(run.resolve(scheduler))) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void theMarksOfAnAttemptGoAndThoseOfOthersStay() throws IOException {
        for (String name : List.of("12.undefined", "12.3", "120.undefined")) {
            mark("gridengine", name, -1);
        }
        HookMarks.remove(run, "gridengine", "12", FileTime.from(ADMITTED));
        assertThat(marks("gridengine")).containsExactly("12.3", "120.undefined");
        HookMarks.remove(run, "gridengine", "12.3", FileTime.from(ADMITTED));
        assertThat(marks("gridengine")).containsExactly("120.undefined");
        mark("openpbs", "7[1].head", 0);
        mark("openpbs", "7[1].head.started", -1);
        HookMarks.remove(run, "openpbs", "7[1].head", FileTime.from(ADMITTED));
        assertThat(marks("openpbs")).isEmpty();
    }

    @Test
    void aMarkThatWasMadeSinceStays() throws IOException {
        mark("slurm", "5", 1);
        HookMarks.remove(run, "slurm", "5", FileTime.from(ADMITTED));
        assertThat(marks("slurm")).containsExactly("5");
    }

    @Test
    void noNameLeadsElsewhere() throws IOException {
        mark("slurm", "5", -1);
        mark("torque", "5", -1);
        HookMarks.remove(run, "torque", "../slurm/5", FileTime.from(ADMITTED));
        HookMarks.remove(run, "torque", "..", FileTime.from(ADMITTED));
        assertThat(marks("slurm")).containsExactly("5");
        assertThat(marks("torque")).containsExactly("5");
    }

    @Test
    void withoutMarksThereIsNothingToDo() throws IOException {
        HookMarks.remove(run, "slurm", "5", FileTime.from(ADMITTED));
        assertThat(run).isEmptyDirectory();
    }
}

package org.vse.job.hook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.job.client.Json;
import org.vse.job.hook.OutputPoint.Begin;

class OutputPointTest {
    /** The batch system had written 10 bytes into the file before the job did. */
    private static final OutputPoint ORDERLY = new OutputPoint(110, 7, 100, 7, true);

    private static final OutputPoint CUT_SHORT = new OutputPoint(110, 7, 100, 7, false);

    @Test
    void aFileThatHasWhatWasWrittenGetsWhatComesAfter() {
        assertThat(ORDERLY.out(110)).isEqualTo(new Begin(100, OptionalLong.empty()));
        assertThat(ORDERLY.err(7)).isEqualTo(new Begin(7, OptionalLong.empty()));
    }

    @Test
    void whatTheBatchSystemAddedAfterAnOrderlyEndStays() {
        assertThat(ORDERLY.out(150)).isEqualTo(new Begin(100, OptionalLong.empty()));
    }

    @Test
    void aFileThatWasEmptiedOrIsAnotherGetsEverything() {
        assertThat(ORDERLY.out(0)).isEqualTo(new Begin(0, OptionalLong.empty()));
        assertThat(ORDERLY.out(109)).isEqualTo(new Begin(0, OptionalLong.empty()));
        assertThat(CUT_SHORT.out(0)).isEqualTo(new Begin(0, OptionalLong.empty()));
    }

    @Test
    void whatMayHaveBeenWrittenWithoutBeingKnownIsCut() {
        assertThat(CUT_SHORT.out(150)).isEqualTo(new Begin(100, OptionalLong.of(110)));
        assertThat(CUT_SHORT.out(110)).isEqualTo(new Begin(100, OptionalLong.empty()));
    }

    @Test
    void whatIsNoFileGetsWhatComesAfter() {
        assertThat(ORDERLY.out(-1)).isEqualTo(new Begin(100, OptionalLong.empty()));
        assertThat(CUT_SHORT.out(-1)).isEqualTo(new Begin(100, OptionalLong.empty()));
    }

    @Test
    void itIsTheSameAfterItsJourney() {
        assertThat(OutputPoint.of(Json.readObject(Json.write(CUT_SHORT.members()))))
                .isEqualTo(CUT_SHORT);
        assertThat(OutputPoint.of(Json.readObject(Json.write(ORDERLY.members()))))
                .isEqualTo(ORDERLY);
    }

    @Test
    void aFileIsCutAndAPipeHasNoLength(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("1"), "0123456789");
        SpoolFile spool = new SpoolFile(Files.createSymbolicLink(dir.resolve("fd"), file));
        assertThat(spool.size()).isEqualTo(10);
        spool.cut(4);
        assertThat(file).hasContent("0123");
        assertThat(new SpoolFile(Path.of("/dev/null")).size()).isNegative();
    }
}

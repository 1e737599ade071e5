package org.vse.job.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vse.policy.Continuation;
import org.vse.policy.OnWalltime;

class DueTest {
    private static final Instant START = Instant.parse("2026-01-02T03:00:00Z");
    /** 20 s with safety, 30 s with what comes after. */
    private static final Duration SAVE = Duration.ofMillis(13_334);

    private static Due at(long second, OnWalltime wish, @Nullable Integer every, @Nullable Long limit, Instant saved) {
        return Due.of(
                new Continuation(wish, every, null),
                START,
                limit == null ? null : START.plusSeconds(limit),
                saved,
                SAVE,
                START.plusSeconds(second));
    }

    private static Due at(long second, OnWalltime wish, long limit) {
        return at(second, wish, null, limit, START);
    }

    @Test
    void aSaveBeginsWhenItHasToForTheWalltime() {
        assertThat(at(69, OnWalltime.CHECKPOINT, 100)).isEqualTo(Due.NOTHING);
        assertThat(at(70, OnWalltime.CHECKPOINT, 100)).isEqualTo(Due.SAVE_AND_STOP);
        assertThat(at(101, OnWalltime.CHECKPOINT, 100)).isEqualTo(Due.SAVE_AND_STOP);
    }

    @Test
    void aWalltimeThatIsTooShortIsSaidAtOnce() {
        assertThat(at(0, OnWalltime.CHECKPOINT, 30)).isEqualTo(Due.TELL_TOO_SHORT);
        assertThat(at(0, OnWalltime.CHECKPOINT, 31)).isEqualTo(Due.NOTHING);
    }

    @Test
    void aSignalComesATenthOfTheWalltimeBeforeItsEndAtMostAMinute() {
        assertThat(at(89, OnWalltime.SIGNAL, 100)).isEqualTo(Due.NOTHING);
        assertThat(at(90, OnWalltime.SIGNAL, 100)).isEqualTo(Due.SIGNAL);
        assertThat(at(3539, OnWalltime.SIGNAL, 3600)).isEqualTo(Due.NOTHING);
        assertThat(at(3540, OnWalltime.SIGNAL, 3600)).isEqualTo(Due.SIGNAL);
    }

    @Test
    void killIsNothingThatIsDone() {
        assertThat(at(99, OnWalltime.KILL, 100)).isEqualTo(Due.NOTHING);
    }

    @Test
    void machinesAreSavedEverySoOftenButNotCloseToTheEnd() {
        assertThat(at(599, OnWalltime.KILL, 600, null, START)).isEqualTo(Due.NOTHING);
        assertThat(at(600, OnWalltime.KILL, 600, null, START)).isEqualTo(Due.SAVE);
        assertThat(at(600, OnWalltime.KILL, 600, null, START.plusSeconds(1))).isEqualTo(Due.NOTHING);
        assertThat(at(600, OnWalltime.CHECKPOINT, 600, 661L, START)).isEqualTo(Due.SAVE);
        assertThat(at(600, OnWalltime.CHECKPOINT, 600, 660L, START)).isEqualTo(Due.NOTHING);
    }

    @Test
    void theRateIsKeptAndSlownessCountsAtOnce(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("save-rate");
        SaveRate rate = new SaveRate(file);
        rate.measured(100L << 20, Duration.ofSeconds(10));
        assertThat(rate.of(100L << 20)).isEqualTo(Duration.ofSeconds(10));
        assertThat(new SaveRate(file).of(100L << 20)).isEqualTo(Duration.ofSeconds(10));
        rate.measured(300L << 20, Duration.ofSeconds(10));
        assertThat(rate.of(200L << 20)).isEqualTo(Duration.ofSeconds(10));
        Files.writeString(file, "rubbish");
        assertThat(new SaveRate(file).of(40L << 20)).isEqualTo(Duration.ofSeconds(1));
    }
}

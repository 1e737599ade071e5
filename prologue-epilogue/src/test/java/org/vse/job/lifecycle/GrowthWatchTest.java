package org.vse.job.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class GrowthWatchTest {
    @TempDir
    Path dir;

    @Test
    void growthOfAFileWakesTheReader() throws Exception {
        Path file = Files.createFile(dir.resolve("stdout"));
        try (GrowthWatch watch = new GrowthWatch()) {
            watch.add(dir);
            watch.add(dir);
            long version = watch.version(dir);
            Files.writeString(file, "x", StandardOpenOption.APPEND);
            watch.await(dir, version, 15_000);
            assertThat(watch.version(dir)).isGreaterThan(version);
        }
    }

    @Test
    void theWaitEndsInTimeAndByAWake() throws Exception {
        try (GrowthWatch watch = new GrowthWatch()) {
            watch.add(dir);
            long version = watch.version(dir);
            watch.await(dir, version, 20);
            assertThat(watch.version(dir)).isEqualTo(version);
            watch.wake(dir);
            assertThat(watch.version(dir)).isGreaterThan(version);
        }
    }

    @Test
    void removingADirectoryWakesItsReaders() throws Exception {
        try (GrowthWatch watch = new GrowthWatch()) {
            watch.add(dir);
            long version = watch.version(dir);
            CountDownLatch woken = new CountDownLatch(1);
            Thread reader = new Thread(() -> {
                try {
                    watch.await(dir, version, 15_000);
                    woken.countDown();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            reader.start();
            watch.remove(dir);
            assertThat(woken.await(5, TimeUnit.SECONDS)).isTrue();
            assertThat(watch.version(dir)).isEqualTo(-1);
            watch.await(dir, -1, 60_000);
        }
    }
}

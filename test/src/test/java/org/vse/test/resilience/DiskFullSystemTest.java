package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.GuestDoor;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** The file system of the state directory is full: it is small, and really full. */
@Tag("system")
class DiskFullSystemTest {
    private static final int STATE_MIB = 96;

    private static Site site;

    @BeforeAll
    static void open() {
        // One core: a job that keeps its core keeps the next from running.
        site = Site.prepare("cores: 0\nreap-interval: 5s\n", STATE_MIB);
        site.root().vse("up").expect(0);
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @AfterEach
    void nothingIsLeftAndTheNextJobWorks() {
        site.awaitIdle();
        assertThat(site.root().vse("run", script("exit 0")).expect(0).out()).isEqualTo("started\n");
        site.awaitIdle();
    }

    private static String script(String what) {
        return site.root().script("s.sh", Scripts.saysStartedAnd(what)).toString();
    }

    private static void requireNamed(Finished end) {
        assertThat(end.exitCode()).isNotZero();
        assertThat(end.err()).contains("[DISK_FULL]").contains("next").contains("df");
    }

    @Test
    void aMachineWhoseDiskFindsNoRoomEndsItsJob() {
        Finished end =
                site.root().vse("run", script("dd if=/dev/zero of=/root/big bs=1M count=500 oflag=direct; sleep 600"));
        requireNamed(end);
        assertThat(end.out()).isEqualTo("started\n");
        assertThat(end.err()).contains("vm0");
    }

    @Test
    void aJobThatComesToAFullDiskIsRefused() throws IOException {
        Path ballast = fill();
        try {
            requireNamed(site.root().vse("run", script("exit 0")));
        } finally {
            Files.delete(ballast);
        }
    }

    @Test
    void aJobThatEndsOnAFullDiskIsTakenDownOnceThereIsRoom() throws IOException {
        Desk root = site.root();
        Started run = root.start("run", script("until [[ -e /run/go ]]; do sleep 0.2; done; exit 7"));
        run.awaitOut("started");
        Path ballast = fill();
        try (GuestDoor door = site.guest(run.job(), 0)) {
            door.sh("touch /run/go");
            requireNamed(run.finish());
        } finally {
            Files.delete(ballast);
        }
    }

    /** Takes every byte that is left. */
    private static Path fill() throws IOException {
        Path ballast = site.state().resolve("ballast");
        byte[] block = new byte[4096];
        try (OutputStream out = Files.newOutputStream(ballast)) {
            for (long blocks = 0; blocks <= (long) STATE_MIB << 8; blocks++) {
                if (!isWritten(out, block)) {
                    return ballast;
                }
            }
        }
        throw new AssertionError("more than " + STATE_MIB + " MiB went into the file system");
    }

    private static boolean isWritten(OutputStream out, byte[] block) {
        try {
            out.write(block);
            return true;
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("No space left")) {
                return false;
            }
            throw new UncheckedIOException(e);
        }
    }
}

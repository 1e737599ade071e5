package org.vse.test.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vse.test.site.Desk;
import org.vse.test.site.Finished;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;
import org.vse.test.site.Started;

/** Output that is larger than what may be resident arrives whole and passes through bounded memory. */
@Tag("system")
class LargeOutputSystemTest {
    private static final long MAX_RESIDENT_KIB = 300 << 10;

    /** With what a Java virtual machine takes anyway, more than that when it is kept. */
    private static final long SHORT = 256L << 20;

    private static final long GIBIBYTE = 1L << 30;
    private static final byte[] LINE = "0123456789abcdef\n".getBytes(StandardCharsets.US_ASCII);
    private static Site site;

    @BeforeAll
    static void open() {
        site = Site.open();
    }

    @AfterAll
    static void close() {
        site.close();
    }

    @Test
    void isCompleteAndNeedsLittleMemory() {
        passes(SHORT);
    }

    @Test
    @Tag("full")
    void aGibibyteDoesTheSame() {
        passes(GIBIBYTE);
    }

    private static void passes(long bytes) {
        Desk alice = site.desk(site.alice());
        alice.script("large.sh", """
                #!/bin/bash
                #VSE image=debian-12
                yes 0123456789abcdef | head -c %d
                """.formatted(bytes));
        Started run = alice.program(
                "bash",
                "-c",
                "\"$@\" | sha256sum; exit ${PIPESTATUS[0]}",
                "bash",
                alice.words("run", "large.sh").get(0),
                "run",
                "large.sh");
        AtomicLong client = new AtomicLong();
        AtomicLong daemon = new AtomicLong();
        await("the output").atMost(Duration.ofMinutes(4)).until(() -> {
            Remains.residentKib(site, "org.vse.job.cli.Vse run")
                    .ifPresent(kib -> client.accumulateAndGet(kib, Math::max));
            Remains.residentKib(site, "org.vse.job.cli.Vse vsed")
                    .ifPresent(kib -> daemon.accumulateAndGet(kib, Math::max));
            return !run.isAlive();
        });
        Finished finished = run.finish().expect(0);
        assertThat(finished.out()).startsWith(expected(bytes));
        assertThat(client.get()).as("vse run, KiB").isBetween(1L, MAX_RESIDENT_KIB);
        assertThat(daemon.get()).as("vsed, KiB").isBetween(1L, MAX_RESIDENT_KIB);
    }

    private static String expected(long bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] block = new byte[LINE.length << 16];
            for (int i = 0; i < block.length; i++) {
                block[i] = LINE[i % LINE.length];
            }
            long left = bytes;
            while (left > 0) {
                int length = (int) Math.min(left, block.length);
                digest.update(block, 0, length);
                left -= length;
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}

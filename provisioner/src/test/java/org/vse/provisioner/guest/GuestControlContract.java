package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.provisioner.guest.GuestControl.GuestResult;

/** What every {@link GuestControl} does. */
abstract class GuestControlContract {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** Control of a guest that runs. */
    abstract GuestControl guest() throws Exception;

    private GuestResult sh(String line, String stdin, int most, String... arguments) throws Exception {
        List<String> argv = new java.util.ArrayList<>(List.of("/bin/sh", "-c", line, "sh"));
        argv.addAll(List.of(arguments));
        return guest().exec(argv, stdin.getBytes(StandardCharsets.UTF_8), LONG, most);
    }

    @Test
    void aRunningGuestIsReady() throws Exception {
        guest().awaitReady(Instant.now().plusSeconds(60));
    }

    @Test
    void bothStreamsAndTheExitCodeAreReported() throws Exception {
        assertThat(sh("echo out; echo err >&2; exit 7", "", 100)).isEqualTo(new GuestResult(7, "out\n", "err\n"));
    }

    @Test
    void aSignalIsReportedAs128More() throws Exception {
        assertThat(sh("kill -s KILL $$", "", 100).exitCode()).isEqualTo(137);
        assertThat(sh("kill -s TERM $$", "", 100).exitCode()).isEqualTo(143);
    }

    @Test
    void argumentsArriveAsTheyAre() throws Exception {
        assertThat(sh("printf '[%s]' \"$@\"", "", 1000, "a b", "", "'\"\\$(id)`", "*", "x\ny", "ü€😀")
                        .stdout())
                .isEqualTo("[a b][]['\"\\$(id)`][*][x\ny][ü€😀]");
    }

    @Test
    void standardInputArrivesAndEnds() throws Exception {
        assertThat(sh("cat", "zeile\nä", 100).stdout()).isEqualTo("zeile\nä");
        assertThat(sh("cat", "", 100).stdout()).isEmpty();
    }

    @Test
    void theLargestStandardInputArrives() throws Exception {
        StringBuilder text = new StringBuilder();
        Random random = new Random(4711);
        while (text.length() < GuestControl.MAX_STDIN_BYTES) {
            text.append((char) ('!' + random.nextInt(94)));
        }
        assertThat(sh("wc -c | tr -d ' '", text.toString(), 100).stdout())
                .isEqualTo(GuestControl.MAX_STDIN_BYTES + "\n");
        assertThatIllegalArgumentException().isThrownBy(() -> sh("cat", text + "x", 100));
    }

    @Test
    void programsNeedTheirAbsolutePath() {
        assertThatIllegalArgumentException().isThrownBy(() -> guest().exec(List.of("sh"), new byte[0], LONG, 100));
        assertThatIllegalArgumentException().isThrownBy(() -> guest().exec(List.of(), new byte[0], LONG, 100));
    }

    @Test
    void aMissingProgramIsNamed() {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest().exec(List.of("/no/such/program"), new byte[0], LONG, 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_SETUP_FAILED))
                .satisfies(e -> assertThat(e.facts()).containsEntry("program", "/no/such/program"));
    }

    @Test
    void tooMuchOutputIsTheGuestsFault() throws Exception {
        assertThat(sh("printf 1234", "", 4).stdout()).isEqualTo("1234");
        for (String line : List.of("printf 12345", "printf 12345 >&2", "head -c 20000000 /dev/zero")) {
            assertThatExceptionOfType(VseException.class)
                    .isThrownBy(() -> sh(line, "", 4))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_PROTOCOL));
        }
    }

    @Test
    void outputThatIsNotTextIsReplaced() throws Exception {
        assertThat(sh("printf 'a\\377b'", "", 100).stdout()).isEqualTo("a\ufffdb");
    }

    @Test
    void aProgramThatTakesTooLongIsGivenUpInTime() {
        long begin = System.nanoTime();
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest().exec(List.of("/bin/sleep", "5"), new byte[0], Duration.ofMillis(300), 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_UNRESPONSIVE));
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void anInterruptEndsTheWait() throws Exception {
        GuestControl guest = guest();
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> guest.exec(List.of("/bin/sleep", "5"), new byte[0], LONG, 100))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.STEP_INTERRUPTED));
        assertThat(Thread.interrupted()).isTrue();
    }
}

package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class ControlRecordsTest {
    private static ControlRecords parse(String text) {
        return ControlRecords.parse(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void theLifeOfAScript() {
        assertThat(parse("")).isEqualTo(new ControlRecords(OptionalInt.empty(), new JobStatus.NotStarted()));
        assertThat(parse("started 21")).isEqualTo(new ControlRecords(OptionalInt.empty(), new JobStatus.NotStarted()));
        assertThat(parse("started 217\nexi"))
                .isEqualTo(new ControlRecords(OptionalInt.of(217), new JobStatus.Running()));
        assertThat(parse("started 217\nexit 137 123456789012 0\n"))
                .isEqualTo(new ControlRecords(OptionalInt.of(217), new JobStatus.Exited(137, 123456789012L, 0)));
        assertThat(parse("failed ports\n").status()).isEqualTo(new JobStatus.Lost("ports"));
        assertThat(parse("started 1\nfailed output\n").status()).isEqualTo(new JobStatus.Lost("output"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n",
                "started\n",
                "started 0\n",
                "started -1\n",
                "started 99999999\n",
                "started 1 2\n",
                "started 1\nstarted 2\n",
                "started 1\nexit 256 0 0\n",
                "started 1\nexit 0\n",
                "started 1\nexit 0 -1 0\n",
                "started 1\nexit 0 9999999999999999999 0\n",
                "started 1\nexit 00 0 0\n",
                "started 1\nexit 0 0 0\nexit 0 0 0\n",
                "started 1\nexit 0 0 0\nstarted 1\n",
                "failed ../../etc\n",
                "started 1\r\n",
                "\u001b[2J\u0000\n",
                "exit 0 0 0 \n"
            })
    void anythingElseIsTheGuestsFault(String text) {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> parse(text))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_PROTOCOL))
                .satisfies(e -> assertThat(e.render()).matches("[\\x20-\\x7e\n…]*"));
    }

    @Test
    void aLongFileIsNotEvenRead() {
        assertThatExceptionOfType(VseException.class)
                .isThrownBy(() -> parse("x".repeat(ControlRecords.MAX_BYTES + 1)))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.GUEST_PROTOCOL));
    }
}

package org.vse.job.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SuspendedTest {
    private static final Instant START = Instant.parse("2026-01-02T03:00:00Z");

    @Test
    void aWalltimeThatStandsStillEndsLaterByThatMuch() {
        Suspended twice =
                Suspended.NEVER.from(START, true).until(START.plusSeconds(5)).from(START.plusSeconds(60), true);
        assertThat(twice.isNow()).isTrue();
        assertThat(twice.free(START.plusSeconds(70))).isEqualTo(Duration.ofSeconds(15));
        assertThat(twice.until(START.plusSeconds(70)).free(START.plusSeconds(700)))
                .isEqualTo(Duration.ofSeconds(15));
    }

    @Test
    void aWalltimeThatGoesOnDoesNot() {
        Suspended counted = Suspended.NEVER.from(START, false);
        assertThat(counted.isNow()).isTrue();
        assertThat(counted.free(START.plusSeconds(9))).isZero();
        assertThat(counted.until(START.plusSeconds(9)).isNow()).isFalse();
        assertThat(counted.until(START.plusSeconds(9)).free(START.plusSeconds(99)))
                .isZero();
    }

    @Test
    void aClockThatGoesBackTakesNothing() {
        assertThat(Suspended.NEVER.from(START, true).free(START.minusSeconds(9)))
                .isZero();
    }

    @Test
    void isKeptAsItIs() throws Exception {
        ObjectMapper json = JsonMapper.builder().addModule(new JavaTimeModule()).build();
        Suspended now =
                Suspended.NEVER.from(START, true).until(START.plusMillis(1500)).from(START.plusSeconds(4), false);
        assertThat(json.readValue(json.writeValueAsString(now), Suspended.class))
                .isEqualTo(now);
    }
}

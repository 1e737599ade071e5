package org.vse.provisioner.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract on a real guest's qemu-guest-agent. */
@Tag("system")
class AgentGuestControlSystemTest extends GuestControlContract {
    private static PlainGuest machine;

    @BeforeAll
    static void boot() throws Exception {
        machine = PlainGuest.boot();
    }

    @AfterAll
    static void end() throws Exception {
        machine.close();
    }

    @Override
    GuestControl guest() {
        return machine.control;
    }

    @Test
    void theClockIsSet() {
        machine.control.setClock(Instant.parse("2031-05-06T07:08:09.5Z"));
        Instant then =
                Instant.ofEpochSecond(Long.parseLong(machine.sh("date +%s").strip()));
        assertThat(Duration.between(Instant.parse("2031-05-06T07:08:09Z"), then))
                .isBetween(Duration.ZERO, Duration.ofSeconds(10));
    }
}

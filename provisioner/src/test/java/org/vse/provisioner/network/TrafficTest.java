package org.vse.provisioner.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vse.failure.VseException;

class TrafficTest {
    @Test
    void whatATapReceivesItsMachineHasSent() {
        String told = "[{\"ifname\":\"v0123456780\",\"stats64\":{\"rx\":{\"bytes\":4096,\"packets\":7},"
                + "\"tx\":{\"bytes\":5000000000,\"packets\":9}}}]";
        assertThat(JobNetwork.Traffic.of(told)).contains(new JobNetwork.Traffic(5_000_000_000L, 4096));
    }

    @Test
    void whatIsNotToldIsNotKnown() {
        assertThat(JobNetwork.Traffic.of("[]")).isEmpty();
        assertThat(JobNetwork.Traffic.of("[{\"stats64\":{\"rx\":{\"bytes\":1}}}]"))
                .isEmpty();
        assertThatThrownBy(() -> JobNetwork.Traffic.of("no such device")).isInstanceOf(VseException.class);
    }
}

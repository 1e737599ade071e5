package org.vse.provisioner.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NetworkPlanTest {
    private final NetworkPlan plan = new NetworkPlan("0123456789ab");

    @Test
    void namesOfDevicesFitTheKernelsLimit() {
        assertThat(plan.tap(0)).isEqualTo("v0123456780");
        assertThat(plan.tap(62_499)).hasSizeLessThanOrEqualTo(15);
    }

    @Test
    void noTwoMachinesShareAnAddressOrAMac() {
        Set<String> addresses = new HashSet<>();
        Set<String> macs = new HashSet<>();
        for (int machine = 0; machine < 62_500; machine++) {
            assertThat(addresses.add(plan.address(machine))).isTrue();
            assertThat(macs.add(plan.mac(machine))).isTrue();
        }
        assertThat(addresses).doesNotContain(plan.serviceAddress());
        assertThat(plan.address(0)).isEqualTo("10.77.0.1");
    }

    @Test
    void refusesWhatIsNotATag() {
        assertThatThrownBy(() -> new NetworkPlan("../../etc")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> plan.address(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> plan.address(62_500)).isInstanceOf(IllegalArgumentException.class);
    }
}

package org.vse.ledger;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordsTest {
    @Test
    void whatNoDatabaseCouldKeepIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Submitter("nul\0", 1, null));
        assertThatIllegalArgumentException().isThrownBy(() -> new Submitter("half \ud83e pair", 1, null));
        assertThatIllegalArgumentException().isThrownBy(() -> new Submitter(" ", 1, null));
        assertThatIllegalArgumentException().isThrownBy(() -> new Submitter("alice", -1, null));
        assertThatIllegalArgumentException().isThrownBy(() -> new Submitter("alice", 1, ""));
        assertThatIllegalArgumentException().isThrownBy(() -> new JobKey("c", "s", "7", 0));
        assertThatIllegalArgumentException().isThrownBy(() -> Events.machine("n1", -1, List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> Events.machine("n1", 0, List.of(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Machine("vm", 0, "n1", List.of(), 0, 1, "i", "d", "KVM"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Machine("vm", 0, "n1", List.of(), 1, 0, "i", "d", "KVM"));
        assertThatIllegalArgumentException().isThrownBy(() -> new Ending(Instant.EPOCH, VmEnd.DIED, -1L, null));
        assertThatIllegalArgumentException().isThrownBy(() -> new Ending(Instant.EPOCH, VmEnd.DIED, null, -1L));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> VmIntervalQuery.all().between(Instant.EPOCH, Instant.EPOCH.minusSeconds(1)));
    }
}

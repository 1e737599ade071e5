package org.vse.provisioner.libvirt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vse.provisioner.VmName;

class KnownMachinesTest {
    private static final UUID UUID_A = UUID.nameUUIDFromBytes(new byte[] {1});
    private static final UUID UUID_B = UUID.nameUUIDFromBytes(new byte[] {2});
    private static final VmName A = new VmName("a");
    private static final VmName B = new VmName("b");

    private final KnownMachines known = new KnownMachines();
    private final List<String> told = new CopyOnWriteArrayList<>();

    @BeforeEach
    void listen() {
        known.listen((name, why) -> told.add(name + " " + why));
    }

    @Test
    void anEndIsToldOnce() {
        known.starting(UUID_A, A);
        known.started(UUID_A);
        known.ended(UUID_A, "shutdown");
        known.ended(UUID_A, "shutdown");
        known.reconcile(Map.of());
        assertThat(toldAtLast()).containsExactly("a shutdown");
    }

    @Test
    void anEndDuringTheStartIsToldAfterIt() {
        known.starting(UUID_A, A);
        known.ended(UUID_A, "crashed");
        known.started(UUID_A);
        assertThat(toldAtLast()).containsExactly("a crashed");
    }

    @Test
    void anEndOfAStartThatFailedIsNotTold() {
        known.starting(UUID_A, A);
        known.ended(UUID_A, "crashed");
        known.failed(UUID_A);
        assertThat(toldAtLast()).isEmpty();
    }

    @Test
    void destroyingIsNoEnd() {
        known.starting(UUID_A, A);
        known.started(UUID_A);
        known.destroying(UUID_A);
        known.ended(UUID_A, "killed");
        assertThat(toldAtLast()).isEmpty();
    }

    @Test
    void whatCouldNotBeDestroyedEndsByItself() {
        known.starting(UUID_A, A);
        known.started(UUID_A);
        known.destroying(UUID_A);
        known.notDestroyed(UUID_A);
        known.ended(UUID_A, "shutdown");
        assertThat(toldAtLast()).containsExactly("a shutdown");
    }

    @Test
    void whatEndedUnseenIsFoundAndWhatIsNewIsWatched() {
        known.starting(UUID_A, A);
        known.started(UUID_A);
        known.reconcile(Map.of(UUID_B, B));
        known.ended(UUID_B, "shutdown");
        assertThat(toldAtLast()).containsExactly("a killed", "b shutdown");
    }

    @Test
    void aMachineThatIsJustBeingStartedIsNotMissing() {
        known.starting(UUID_A, A);
        known.reconcile(Map.of());
        known.started(UUID_A);
        assertThat(toldAtLast()).isEmpty();
    }

    @Test
    void aStrangersEndIsNobodysBusiness() {
        known.ended(UUID_A, "shutdown");
        assertThat(toldAtLast()).isEmpty();
    }

    @Test
    void aListenerThatFailsDoesNotSilenceTheOthers() {
        KnownMachines two = new KnownMachines();
        List<String> heard = new CopyOnWriteArrayList<>();
        two.listen((name, why) -> {
            throw new IllegalStateException("on purpose");
        });
        two.listen((name, why) -> heard.add(why));
        two.starting(UUID_A, A);
        two.started(UUID_A);
        two.ended(UUID_A, "shutdown");
        two.close();
        assertThat(heard).containsExactly("shutdown");
    }

    private List<String> toldAtLast() {
        known.close();
        return told;
    }
}

package org.vse.scheduler.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

class CoreLedgerTest {
    /** Two NUMA nodes of two physical cores with two threads each. */
    private static final List<List<Integer>> SERVER = List.of(List.of(0, 4, 2, 6), List.of(1, 5, 3, 7));

    private static List<Integer> cores(Optional<CoreLease> lease) {
        return lease.map(CoreLease::cores).orElse(List.of());
    }

    @Test
    void aJobGetsOneMemoryWhereOneIsEnough() {
        CoreLedger ledger = new CoreLedger(SERVER, 1);
        assertThat(cores(ledger.take("a", new Asked(3, 0, false)))).containsExactly(0, 4, 2);
        assertThat(cores(ledger.take("b", new Asked(2, 0, false)))).containsExactly(1, 5);
        // One core is left in the first memory and two in the second: the fuller one takes the small job.
        assertThat(cores(ledger.take("c", new Asked(1, 0, false)))).containsExactly(6);
        assertThat(cores(ledger.take("d", new Asked(2, 0, false)))).containsExactly(3, 7);
        assertThat(ledger.take("e", new Asked(1, 0, false))).isEmpty();
        assertThat(ledger.free()).isZero();
    }

    @Test
    void aWideJobGetsSeveralMemories() {
        CoreLedger ledger = new CoreLedger(SERVER, 1);
        ledger.take("a", new Asked(1, 0, false));
        assertThat(cores(ledger.take("wide", new Asked(6, 0, false)))).containsExactly(1, 5, 3, 7, 4, 2);
    }

    @Test
    void onlyThoseWhoAgreedShareACoreAndOnlySoMany() {
        CoreLedger ledger = new CoreLedger(List.of(List.of(0, 1)), 2);
        assertThat(cores(ledger.take("own", new Asked(1, 0, false)))).containsExactly(0);
        assertThat(cores(ledger.take("s1", new Asked(1, 0, true)))).containsExactly(1);
        assertThat(cores(ledger.take("s2", new Asked(1, 0, true)))).containsExactly(1);
        assertThat(ledger.take("s3", new Asked(1, 0, true))).isEmpty();
        assertThat(ledger.take("own2", new Asked(1, 0, false))).isEmpty();
        ledger.giveBack("own");
        // A core to oneself is better than a shared one.
        ledger.giveBack("s2");
        assertThat(cores(ledger.take("s3", new Asked(1, 0, true)))).containsExactly(0);
        assertThat(cores(ledger.take("s4", new Asked(2, 0, true)))).containsExactly(0, 1);
        assertThat(ledger.take("s5", new Asked(1, 0, true))).isEmpty();
    }

    @Test
    void sharedLeasesAreRestoredTogether() {
        CoreLedger ledger = new CoreLedger(List.of(List.of(0, 1)), 2);
        ledger.restore(new CoreLease("a", List.of(0), 0, true));
        ledger.restore(new CoreLease("b", List.of(0), 0, true));
        assertThatThrownBy(() -> ledger.restore(new CoreLease("c", List.of(0), 0, false)))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_CORRUPT));
        assertThat(ledger.leases()).extracting(CoreLease::job).containsExactly("a", "b");
        assertThat(ledger.free()).isEqualTo(1);
    }

    @Test
    void aNodeIsWhatItIsToldToBe() {
        assertThatThrownBy(() -> new CoreLedger(List.of(), 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new CoreLedger(List.of(List.of(0), List.of(0)), 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new CoreLedger(List.of(List.of(0)), 0)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Somebody asks for cores, or gives back what they have. */
    record Event(int job, int cores, boolean shared) {}

    @Provide
    Arbitrary<List<Event>> events() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 12),
                        Arbitraries.integers().between(1, 8),
                        Arbitraries.of(true, false))
                .as(Event::new)
                .list()
                .ofMaxSize(60);
    }

    @Property(seed = "20261121", tries = 1000)
    void noCoreIsEverSharedWithoutConsent(
            @ForAll("events") List<Event> events, @ForAll @IntRange(min = 1, max = 3) int most) {
        CoreLedger ledger = new CoreLedger(SERVER, most);
        for (Event event : events) {
            String job = "j" + event.job();
            if (!ledger.giveBack(job)) {
                int before = ledger.free();
                Optional<CoreLease> lease = ledger.take(job, new Asked(event.cores(), 0, event.shared()));
                lease.ifPresent(given ->
                        assertThat(given.cores()).hasSize(event.cores()).doesNotHaveDuplicates());
                assertThat(lease.isPresent() || before < event.cores()).isTrue();
            }
            Map<Integer, Integer> holders = new HashMap<>();
            ledger.leases().forEach(lease -> lease.cores().forEach(core -> holders.merge(core, 1, Integer::sum)));
            assertThat(holders.values()).allMatch(count -> count <= most);
            assertThat(ledger.free()).isEqualTo(8 - holders.size());
            ledger.leases().stream()
                    .filter(lease -> !lease.shared())
                    .forEach(lease ->
                            lease.cores().forEach(core -> assertThat(holders).containsEntry(core, 1)));
        }
    }
}

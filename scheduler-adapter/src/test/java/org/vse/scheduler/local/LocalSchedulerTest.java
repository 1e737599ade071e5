package org.vse.scheduler.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.vse.failure.ErrorCode;
import org.vse.failure.Kind;
import org.vse.failure.VseException;

class LocalSchedulerTest {
    private static CoreLease lease(String job, Integer... cores) {
        return new CoreLease(job, List.of(cores), 0, false);
    }

    @Test
    void jobsThatFitStartInTheirOrderOnTheLowestCores() {
        LocalScheduler local = new LocalScheduler(List.of(3, 1, 0, 2));
        local.submit("a", Asked.cores(2));
        local.submit("b", Asked.cores(1));
        assertThat(local.start()).containsExactly(lease("a", 0, 1), lease("b", 2));
        assertThat(local.start()).isEmpty();
        assertThat(local.leases()).containsExactly(lease("a", 0, 1), lease("b", 2));
        assertThat(local.freeCores()).isEqualTo(1);
        assertThat(local.waiting("a")).isEmpty();
    }

    @Test
    void theFirstOfTheQueueBlocksThoseThatWouldFit() {
        LocalScheduler local = new LocalScheduler(List.of(0, 1));
        local.submit("a", Asked.cores(1));
        local.submit("wide", Asked.cores(2));
        local.submit("narrow", Asked.cores(1));
        assertThat(local.start()).containsExactly(lease("a", 0));
        assertThat(local.start()).isEmpty();
        assertThat(local.queue()).containsExactly("wide", "narrow");
        assertThat(local.finished("a")).isTrue();
        assertThat(local.start()).containsExactly(lease("wide", 0, 1));
        assertThat(local.finished("wide")).isTrue();
        assertThat(local.start()).containsExactly(lease("narrow", 0));
    }

    @Test
    void aWaitingJobKnowsWhatItWaitsFor() {
        LocalScheduler local = new LocalScheduler(List.of(0, 1));
        local.submit("local-4", Asked.cores(1));
        local.submit("local-5", Asked.cores(1));
        local.start();
        local.submit("local-6", Asked.cores(1));
        local.submit("local-7", Asked.cores(2));
        local.submit("local-8", Asked.cores(1));
        assertThat(local.waiting("local-6").orElseThrow()).hasToString("2 of 2 cores are busy: local-4, local-5");
        assertThat(local.waiting("local-7").orElseThrow())
                .hasToString("1 job is ahead, next is local-6; 2 of 2 cores are busy: local-4, local-5");
        local.finished("local-4");
        local.start();
        assertThat(local.waiting("local-8").orElseThrow())
                .hasToString("1 job is ahead, next is local-7; 2 of 2 cores are busy: local-5, local-6");
        local.finished("local-5");
        assertThat(local.waiting("local-7").orElseThrow()).hasToString("1 of 2 cores is busy: local-6");
        assertThat(local.waiting("nobody")).isEmpty();
    }

    @Test
    void ofManyHoldersSomeAreNamed() {
        LocalScheduler local = new LocalScheduler(IntStream.range(0, 10).boxed().toList());
        IntStream.range(0, 11).forEach(i -> local.submit("j" + i, Asked.cores(1)));
        local.start();
        assertThat(local.waiting("j10").orElseThrow())
                .hasToString("10 of 10 cores are busy: j0, j1, j2, j3, j4, j5, j6, j7 and 2 more");
    }

    @Test
    void aJobThatCanNeverFitIsRefusedAtOnce() {
        LocalScheduler local = new LocalScheduler(List.of(0, 1));
        VseException error = catchThrowableOfType(VseException.class, () -> local.submit("a", Asked.cores(3)));
        assertThat(error.code()).isEqualTo(ErrorCode.JOB_TOO_LARGE);
        assertThat(error.kind()).isEqualTo(Kind.USER);
        assertThat(error.facts()).containsEntry("asked", "3 cores").containsEntry("node", "2 cores");
        assertThat(local.queue()).isEmpty();
    }

    @Test
    void anIdIsUsedOnce() {
        LocalScheduler local = new LocalScheduler(List.of(0));
        local.submit("a", Asked.cores(1));
        assertThatThrownBy(() -> local.submit("a", Asked.cores(1)))
                .isInstanceOfSatisfying(
                        VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOB_STATE));
        local.start();
        assertThatThrownBy(() -> local.submit("a", Asked.cores(1))).isInstanceOf(VseException.class);
    }

    @Test
    void cancelTakesAJobOutOfTheQueueButNeverItsCores() {
        LocalScheduler local = new LocalScheduler(List.of(0));
        local.submit("a", Asked.cores(1));
        local.submit("b", Asked.cores(1));
        local.submit("c", Asked.cores(1));
        local.start();
        assertThat(local.cancel("b")).isTrue();
        assertThat(local.cancel("b")).isFalse();
        assertThat(local.cancel("a")).isFalse();
        assertThat(local.freeCores()).isZero();
        assertThat(local.finished("b")).isFalse();
        assertThat(local.finished("a")).isTrue();
        assertThat(local.finished("a")).isFalse();
        assertThat(local.freeCores()).isEqualTo(1);
        assertThat(local.start()).containsExactly(lease("c", 0));
    }

    @Test
    void afterARestartCoresStayWithTheJobsThatHoldThem() {
        LocalScheduler local = new LocalScheduler(List.of(List.of(0, 1)), 1, Long.MAX_VALUE, List.of(lease("old", 1)));
        local.submit("new", Asked.cores(2));
        assertThat(local.start()).isEmpty();
        assertThat(local.waiting("new").orElseThrow()).hasToString("1 of 2 cores is busy: old");
        local.finished("old");
        assertThat(local.start()).containsExactly(lease("new", 0, 1));
    }

    @Test
    void coresThatTheNodeLostGoToNobody() {
        LocalScheduler local =
                new LocalScheduler(List.of(List.of(0, 1)), 1, Long.MAX_VALUE, List.of(lease("old", 1, 2, 3)));
        assertThat(local.freeCores()).isEqualTo(1);
        local.finished("old");
        assertThat(local.freeCores()).isEqualTo(2);
        local.submit("new", Asked.cores(2));
        assertThat(local.start()).containsExactly(lease("new", 0, 1));
    }

    @Test
    void leasesThatExcludeEachOtherAreNotRestored() {
        for (CoreLease other : List.of(lease("b", 1, 0), lease("a", 1))) {
            assertThatThrownBy(() -> new LocalScheduler(
                            List.of(List.of(0, 1)), 1, Long.MAX_VALUE, List.of(lease("a", 0), other)))
                    .isInstanceOfSatisfying(
                            VseException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.JOURNAL_CORRUPT));
        }
    }

    /** What may happen: a submission of some cores, the end or the cancellation of some job, a restart. */
    record Event(int kind, int number) {}

    @Provide
    Arbitrary<List<Event>> events() {
        return Combinators.combine(
                        Arbitraries.frequency(Tuple.of(5, 0), Tuple.of(4, 1), Tuple.of(1, 2), Tuple.of(1, 3)),
                        Arbitraries.integers().between(1, 40))
                .as(Event::new)
                .list()
                .ofMaxSize(80);
    }

    @Property(seed = "20261121", tries = 1000)
    void noCoreIsEverInTwoLeasesAndNobodyOvertakes(
            @ForAll @IntRange(min = 1, max = 8) int size, @ForAll("events") List<Event> events) {
        List<Integer> cores = IntStream.range(0, size).boxed().toList();
        LocalScheduler local = new LocalScheduler(cores);
        Map<String, Integer> asked = new HashMap<>();
        List<String> expected = new ArrayList<>();
        List<String> started = new ArrayList<>();
        for (Event event : events) {
            String job = "j" + event.number();
            switch (event.kind()) {
                case 0 -> {
                    String fresh = "j" + (asked.size() + 1);
                    int wanted = 1 + event.number() % size;
                    asked.put(fresh, wanted);
                    expected.add(fresh);
                    local.submit(fresh, Asked.cores(wanted));
                }
                case 1 -> local.finished(job);
                case 2 -> {
                    if (local.cancel(job)) {
                        expected.remove(job);
                    }
                }
                default -> {
                    LocalScheduler again = new LocalScheduler(List.of(cores), 1, Long.MAX_VALUE, local.leases());
                    local.queue().forEach(j -> again.submit(j, Asked.cores(asked.getOrDefault(j, 0))));
                    assertThat(again.leases()).isEqualTo(local.leases());
                    assertThat(again.queue()).isEqualTo(local.queue());
                    local = again;
                }
            }
            for (CoreLease lease : local.start()) {
                assertThat(lease.cores()).hasSize(asked.getOrDefault(lease.job(), 0));
                started.add(lease.job());
            }
            requireSound(local, cores, asked);
        }
        assertThat(expected).startsWith(started.toArray(String[]::new));
        for (int i = 0; i < 100 && !local.leases().isEmpty(); i++) {
            local.finished(local.leases().get(0).job());
            local.start().forEach(l -> started.add(l.job()));
        }
        assertThat(started).isEqualTo(expected);
        assertThat(local.freeCores()).isEqualTo(size);
    }

    private static void requireSound(LocalScheduler local, List<Integer> cores, Map<String, Integer> asked) {
        Set<Integer> held = new HashSet<>();
        for (CoreLease lease : local.leases()) {
            lease.cores().forEach(c -> assertThat(held.add(c)).isTrue());
        }
        assertThat(cores).containsAll(held);
        assertThat(local.freeCores()).isEqualTo(cores.size() - held.size());
        if (!local.queue().isEmpty()) {
            assertThat(asked.get(local.queue().get(0))).isGreaterThan(local.freeCores());
        }
    }

    @Test
    void memoryIsHeldAndWaitedForLikeCores() {
        LocalScheduler local = new LocalScheduler(List.of(List.of(0, 1, 2)), 1, 4L << 30, List.of());
        local.submit("a", new Asked(1, 3L << 30, false));
        local.submit("b", new Asked(1, 2L << 30, false));
        local.submit("small", new Asked(1, 1L << 30, false));
        assertThat(local.start()).containsExactly(new CoreLease("a", List.of(0), 3L << 30, false));
        assertThat(local.waiting("b").orElseThrow()).hasToString("3072MiB of 4096MiB of memory are taken: a");
        assertThat(local.waiting("b").orElseThrow().taken().resource()).isEqualTo("memory");
        assertThat(local.waiting("small").orElseThrow())
                .hasToString("1 job is ahead, next is b; 3072MiB of 4096MiB of memory are taken: a");
        local.finished("a");
        assertThat(local.start())
                .containsExactly(
                        new CoreLease("b", List.of(0), 2L << 30, false),
                        new CoreLease("small", List.of(1), 1L << 30, false));
    }

    @Test
    void moreMemoryThanTheNodeHasIsRefused() {
        LocalScheduler local = new LocalScheduler(List.of(List.of(0)), 1, 4L << 30, List.of());
        local.submit("fits", new Asked(1, 4L << 30, false));
        VseException error =
                catchThrowableOfType(VseException.class, () -> local.submit("a", new Asked(1, (4L << 30) + 1, false)));
        assertThat(error.code()).isEqualTo(ErrorCode.JOB_TOO_LARGE);
        assertThat(error.render()).contains("more memory").contains("4096MiB");
        assertThat(local.queue()).containsExactly("fits");
    }

    @Test
    void aNodeWithLessMemoryThanItsJobsHoldStartsNothing() {
        LocalScheduler local = new LocalScheduler(
                List.of(List.of(0, 1)), 1, 1L << 30, List.of(new CoreLease("old", List.of(0), 2L << 30, false)));
        local.submit("new", new Asked(1, 1, false));
        assertThat(local.start()).isEmpty();
        local.finished("old");
        assertThat(local.start()).extracting(CoreLease::job).containsExactly("new");
    }
}

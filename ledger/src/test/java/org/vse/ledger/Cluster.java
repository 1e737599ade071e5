package org.vse.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** A made-up cluster that has run jobs for some time: nodes with 8 cores each, several users, queues and images. */
final class Cluster {
    static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");
    private static final List<String> USERS = List.of("alice", "bob", "carol", "dave", "erin", "frank", "grace");
    private static final List<String> IMAGES = List.of("debian-12", "debian-12-mpi", "rocky-9", "debian-12-python");
    private static final int CORES = 8;

    private final Random random;
    private final List<LedgerEvent> events = new ArrayList<>();
    private int jobs = 4000;

    Cluster(long seed) {
        random = new Random(seed);
    }

    /** Fills nodes until there are about so many runs; the last hours before {@code NOON} still run. */
    Cluster fill(int nodes, int runs) {
        Instant[][] free = new Instant[nodes][CORES];
        Instant begin = NOON.minus(Duration.ofMinutes(18L * runs / nodes));
        for (Instant[] node : free) {
            java.util.Arrays.fill(node, begin);
        }
        for (int made = 0; made < runs; ) {
            int vms = random.nextInt(4) == 0 ? 2 + random.nextInt(3) : 1;
            made += job(free, Math.min(vms, nodes), random.nextInt(3) == 0 ? 4 : 2);
        }
        return this;
    }

    private int job(Instant[][] free, int vms, int cores) {
        String id = Integer.toString(++jobs);
        String user = USERS.get((int) Math.abs(random.nextGaussian() * 2.2) % USERS.size());
        Submitter who = new Submitter(
                user,
                1000 + USERS.indexOf(user),
                user,
                cores > 2 ? "long" : "batch",
                USERS.indexOf(user) < 3 ? "physics" : "biology",
                null);
        String image = IMAGES.get(Math.floorMod(user.hashCode() + random.nextInt(2), IMAGES.size()));
        JobKey job = new JobKey("hpc1", "slurm", id, 1);
        int first = earliest(free, cores);
        Instant start = free[first][cores - 1].plusSeconds(2 + random.nextInt(600));
        Duration length = Duration.ofSeconds(240 + (long) Math.abs(random.nextGaussian() * 4200));
        for (int i = 0; i < vms; i++) {
            int node = (first + i) % free.length;
            Machine vm = new Machine(
                    "vm" + i,
                    i,
                    "node" + String.format("%02d", node + 1),
                    java.util.stream.IntStream.range(0, cores).boxed().toList(),
                    cores,
                    (long) cores << 31,
                    image,
                    "sha256:" + String.format("%02x", IMAGES.indexOf(image)).repeat(32),
                    "KVM");
            run(job, who, vm, start.plusMillis(random.nextInt(900)), length);
            java.util.Arrays.fill(free[node], 0, cores, start.plus(length));
            java.util.Arrays.sort(free[node]);
        }
        if (length.toMinutes() > 90) {
            mark(job, start.plus(length.dividedBy(2)), "node" + String.format("%02d", first + 1));
        }
        return vms;
    }

    private static int earliest(Instant[][] free, int cores) {
        int best = 0;
        for (int node = 1; node < free.length; node++) {
            best = free[node][cores - 1].isBefore(free[best][cores - 1]) ? node : best;
        }
        return best;
    }

    private void run(JobKey job, Submitter who, Machine vm, Instant start, Duration length) {
        var opened = new LedgerEvent.VmOpened(uuid(), start, job, who, vm, start);
        events.add(opened);
        Instant end = start.plus(length);
        if (end.isBefore(NOON)) {
            boolean lost = random.nextInt(60) == 0;
            long cpu = (long) (length.toNanos() * vm.vcpus() * (0.55 + 0.44 * random.nextDouble()));
            Ending ending = lost
                    ? Ending.concluded(end, "nothing was heard of node '" + vm.node() + "' any more")
                    : new Ending(
                            end,
                            why(),
                            cpu,
                            (vm.memoryBytes() / 10) * (3 + random.nextInt(6)),
                            1L << 20,
                            1L << 18,
                            null);
            events.add(new LedgerEvent.VmClosed(uuid(), end, job, opened.id(), ending));
        }
    }

    private VmEnd why() {
        return switch (random.nextInt(14)) {
            case 0 -> VmEnd.FAILED;
            case 1 -> VmEnd.CANCELLED;
            default -> VmEnd.FINISHED;
        };
    }

    private void mark(JobKey job, Instant at, String node) {
        if (at.isBefore(NOON)) {
            events.add(new LedgerEvent.Checkpointed(
                    uuid(), at, job, node, job.id() + "-1", 3L << 30, Duration.ofMillis(2900)));
        }
    }

    Cluster add(LedgerEvent event) {
        events.add(event);
        return this;
    }

    private UUID uuid() {
        return new UUID(random.nextLong(), random.nextLong());
    }

    List<LedgerEvent> events() {
        return List.copyOf(events);
    }
}

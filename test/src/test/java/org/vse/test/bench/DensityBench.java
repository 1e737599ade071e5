package org.vse.test.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.vse.job.client.Request;
import org.vse.job.client.Target;
import org.vse.process.CommandRunner;
import org.vse.provisioner.libvirt.PrivateLibvirtd;
import org.vse.test.site.Table;

/**
 * How many machines a node carries: the time until several that are ordered at once have all said their first line, and the
 * memory that each needs then, through VSE and as guests of plain QEMU booted by hand from the same image with the same
 * options. The two are run in turn, under TCG, with one virtual processor and no share; each core of the host carries as
 * many as it has to.
 *
 * <p>{@code DensityBench [ROUNDS] [VMS]...}: 3 rounds with 4 and with 8 machines unless said otherwise.
 */
public final class DensityBench {
    private static final int MEMORY_MIB = 512;
    private static final int OVERHEAD_MIB = 256;
    private static final String FIRST_LINE = "first";
    private static final String BY_HAND = "#!/bin/bash\necho " + FIRST_LINE + "\n";
    private static final String BY_VSE = "#!/bin/bash\n#VSE image=debian-12 memory=" + MEMORY_MIB
            + "MiB share=none oversubscribe=yes\necho " + FIRST_LINE + "\nexec sleep infinity\n";
    private static final String SETTINGS =
            "accelerator: tcg\noversubscribe: 64\nmachine-overhead: " + OVERHEAD_MIB + "MiB\n";

    private final CommandRunner commands;
    private final BenchDaemon daemon;

    private DensityBench(CommandRunner commands, BenchDaemon daemon) {
        this.commands = commands;
        this.daemon = daemon;
    }

    /**
     * What some machines took.
     *
     * @param seconds from the first order until all have said their line
     * @param machine MiB of memory of one QEMU: what it has alone and its part of what it shares
     * @param daemons MiB of all other processes that are needed, for one machine
     */
    private record Sample(double seconds, double machine, double daemons) {
        double memory() {
            return machine + daemons;
        }
    }

    public static void main(String[] args) throws Exception {
        List<Integer> numbers = Stream.of(args).map(Integer::valueOf).toList();
        int rounds = numbers.isEmpty() ? 3 : numbers.get(0);
        List<Integer> sizes = numbers.size() < 2 ? List.of(4, 8) : numbers.subList(1, numbers.size());
        if (rounds < 1 || sizes.stream().anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException("rounds and machines are at least 1");
        }
        CommandRunner commands = new CommandRunner();
        Path settings = Files.createDirectories(BenchDaemon.build().resolve("bench-density"));
        Files.writeString(settings.resolve("vsed.yaml"), SETTINGS);
        try (BenchDaemon daemon = BenchDaemon.start(commands, settings)) {
            new DensityBench(commands, daemon).compare(rounds, sizes);
        }
    }

    private void compare(int rounds, List<Integer> sizes) throws Exception {
        List<Integer> cores = cores();
        byHand(1, cores);
        byVse(1);
        Table table = new Table(List.of(
                "VMs at once",
                "all ready by hand (s)",
                "vse (s)",
                "ratio",
                "memory of a VM by hand (MiB)",
                "vse (MiB)",
                "of it vsed and libvirtd (MiB)",
                "ratio"));
        double smallest = Double.MAX_VALUE;
        double smallestByHand = Double.MAX_VALUE;
        for (int size : sizes) {
            Sample[] hand = new Sample[rounds];
            Sample[] ours = new Sample[rounds];
            for (int i = 0; i < rounds; i++) {
                if (i % 2 == 0) {
                    hand[i] = byHand(size, cores);
                    ours[i] = byVse(size);
                } else {
                    ours[i] = byVse(size);
                    hand[i] = byHand(size, cores);
                }
                System.out.printf(
                        Locale.ROOT,
                        "%d VMs, round %d: by hand %.1f s, vse %.1f s%n",
                        size,
                        i + 1,
                        hand[i].seconds(),
                        ours[i].seconds());
            }
            Sample byHand = median(hand);
            Sample byVse = median(ours);
            smallestByHand = Math.min(smallestByHand, byHand.memory());
            smallest = Math.min(smallest, byVse.memory());
            table.row(List.of(
                    Integer.toString(size),
                    one(byHand.seconds()),
                    one(byVse.seconds()),
                    two(byVse.seconds() / byHand.seconds()),
                    one(byHand.memory()),
                    one(byVse.memory()),
                    one(byVse.daemons()),
                    two(byVse.memory() / byHand.memory())));
        }
        long host = hostMib();
        table.write("density.md", """
                # How many machines a node carries

                VMs of %d MiB and one virtual processor under TCG, image debian-12, idle; this host has %d cores and %d MiB.
                Medians of %d rounds. Memory is the proportional set size of a machine's QEMU and its part of the daemons'.
                By it %d idle VMs have room by hand and %d by vse; vse admits %d, for each may use its %d MiB and %d MiB of
                overhead.
                """.formatted(
                        MEMORY_MIB,
                        cores.size(),
                        host,
                        rounds,
                        (int) (host / smallestByHand),
                        (int) (host / smallest),
                        host / (MEMORY_MIB + OVERHEAD_MIB),
                        MEMORY_MIB,
                        OVERHEAD_MIB));
    }

    private Sample byHand(int size, List<Integer> cores) throws Exception {
        long begin = System.nanoTime();
        List<HandMadeGuest> guests = Collections.synchronizedList(new ArrayList<>());
        try {
            atOnce(size, i -> {
                HandMadeGuest guest = HandMadeGuest.boot(commands, cores.get(i % cores.size()));
                guests.add(guest);
                guest.start(BY_HAND, FIRST_LINE, Instant.now().plusSeconds(120));
            });
            double seconds = (System.nanoTime() - begin) / 1e9;
            double memory = 0;
            for (HandMadeGuest guest : guests) {
                memory += proportionalMib(guest.pid());
            }
            return new Sample(seconds, memory / size, 0);
        } finally {
            for (HandMadeGuest guest : guests) {
                guest.close();
            }
        }
    }

    private Sample byVse(int size) throws Exception {
        long begin = System.nanoTime();
        List<JobByVse> jobs = Collections.synchronizedList(new ArrayList<>());
        try {
            atOnce(size, i -> {
                JobByVse job = JobByVse.order(daemon.client(), BY_VSE, null, "/bench");
                jobs.add(job);
                job.awaitLine(FIRST_LINE);
            });
            double seconds = (System.nanoTime() - begin) / 1e9;
            double machines = 0;
            double daemons = proportionalMib(libvirtd());
            String disks = daemon.state().resolve("jobs").toString();
            int found = 0;
            for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
                String line = words(process.pid(), "cmdline");
                if (line.contains("qemu-system") && line.contains(disks)) {
                    machines += proportionalMib(process.pid());
                    found++;
                } else if (line.contains(" org.vse.job.cli.Vse vsed") && isOf(process.pid())) {
                    daemons += proportionalMib(process.pid());
                }
            }
            if (found != size) {
                throw new IllegalStateException(found + " machines instead of " + size);
            }
            return new Sample(seconds, machines / size, daemons / size);
        } finally {
            jobs.forEach(JobByVse::cancel);
            jobs.forEach(JobByVse::close);
        }
    }

    /** Work that has a number. */
    @FunctionalInterface
    private interface Numbered {
        void call(int number) throws Exception;
    }

    /** Does it so often, all at once, and returns when all is done. */
    private static void atOnce(int count, Numbered work) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Callable<Boolean>> calls = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int number = i;
                calls.add(() -> {
                    work.call(number);
                    return true;
                });
            }
            for (Future<Boolean> done : threads.invokeAll(calls)) {
                done.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** The cores that the daemon gives to jobs. */
    private List<Integer> cores() {
        Matcher core = Pattern.compile("\"core\":([0-9]+)")
                .matcher(daemon.client().text(Request.get(Target.of("v1", "node"))));
        return core.results().map(match -> Integer.valueOf(match.group(1))).toList();
    }

    private long libvirtd() {
        return new PrivateLibvirtd(daemon.state(), daemon.run(), commands)
                .identity()
                .orElseThrow()
                .pid();
    }

    /** Whether that process works in the daemon's run directory. */
    private boolean isOf(long pid) {
        return words(pid, "environ").contains("VSE_RUN_DIR=" + daemon.run() + " ");
    }

    /** The command line or the environment of a process; nothing when it has ended. */
    private static String words(long pid, String which) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), which)).replace('\0', ' ');
        } catch (IOException e) {
            return "";
        }
    }

    private static double proportionalMib(long pid) throws IOException {
        return kib(Path.of("/proc", Long.toString(pid), "smaps_rollup"), "Pss:") / 1024.0;
    }

    private static long hostMib() throws IOException {
        return kib(Path.of("/proc/meminfo"), "MemTotal:") / 1024;
    }

    private static long kib(Path file, String name) throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .map(line -> line.replaceAll("[^0-9]", ""))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElseThrow(() -> new IOException("no " + name + " in " + file));
        }
    }

    private static Sample median(Sample[] samples) {
        return new Sample(
                Numbers.median(
                        Arrays.stream(samples).mapToDouble(Sample::seconds).toArray()),
                Numbers.median(
                        Arrays.stream(samples).mapToDouble(Sample::machine).toArray()),
                Numbers.median(
                        Arrays.stream(samples).mapToDouble(Sample::daemons).toArray()));
    }

    private static String one(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private static String two(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}

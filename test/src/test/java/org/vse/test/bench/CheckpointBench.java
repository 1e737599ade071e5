package org.vse.test.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.OverlayDisk;
import org.vse.imagestore.Provides;
import org.vse.imagestore.Staging;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.Origin;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.VmSpec;
import org.vse.provisioner.VmStatus;
import org.vse.provisioner.checkpoint.CheckpointStore;
import org.vse.provisioner.checkpoint.JointSave;
import org.vse.provisioner.checkpoint.SiteKey;
import org.vse.provisioner.libvirt.LibvirtDriver;
import org.vse.provisioner.libvirt.PrivateLibvirtd;
import org.vse.test.site.Table;

/**
 * What saving and restoring the machines of a job takes, beside {@code virsh save} and {@code virsh restore} of the same
 * machines by the same libvirtd, in turn and all machines at once. The guests are booted, idle, of 256 MiB. What makes the
 * files a set that can be believed, their digests, comes after the save and before the restore, and has a column of its own.
 *
 * <p>{@code CheckpointBench [ROUNDS] [VMS]...}: 5 rounds with 1 and with 4 machines unless said otherwise. As root.
 */
public final class CheckpointBench {
    private static final long MEMORY = 256L << 20;
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int UID = 23456;
    private static final String PING = "{\"execute\":\"guest-ping\"}";
    private static final String OWNER = "bench";

    private final CommandRunner commands = new CommandRunner();
    private final Path home;
    private final Image image;
    private final Kernel kernel;
    private final PrivateLibvirtd daemon;
    private final LibvirtDriver driver;
    private final CheckpointStore store;
    private final Table table = new Table(List.of(
            "VMs",
            "save by virsh (s)",
            "vse (s)",
            "ratio",
            "restore by virsh (s)",
            "vse (s)",
            "ratio",
            "stopped apart (ms), most",
            "digests made (s)",
            "MiB"));

    private CheckpointBench(Path home, Image image) {
        this.home = home;
        this.image = image;
        this.kernel = (Kernel) image.bootFor(Set.of(Provides.NFS));
        this.daemon = new PrivateLibvirtd(home.resolve("state"), home.resolve("run"), commands);
        this.driver = new LibvirtDriver(OWNER, daemon);
        this.store = new CheckpointStore(home.resolve("sets"), SiteKey.in(home.resolve("key")));
    }

    /** What one round took, seconds; how far apart machines stopped, milliseconds. */
    private record Round(double save, double restore, double apart, double digests, double mib) {}

    public static void main(String[] args) throws IOException {
        List<Integer> numbers = Stream.of(args).map(Integer::valueOf).toList();
        int rounds = numbers.isEmpty() ? 5 : numbers.get(0);
        List<Integer> sizes = numbers.size() < 2 ? List.of(1, 4) : numbers.subList(1, numbers.size());
        if (rounds < 1 || sizes.stream().anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException("rounds and machines are at least 1");
        }
        Image image = new ImageStore(BenchDaemon.images(new CommandRunner())).resolve("debian-12");
        Path home = Files.createTempDirectory("vseb");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
        CheckpointBench bench = new CheckpointBench(home, image);
        try {
            for (int size : sizes) {
                bench.compare(rounds, size);
            }
            bench.table.write(
                    "checkpoint-bench.md", """
                    # What a checkpoint costs

                    VMs of 256 MiB and one virtual processor under TCG, image debian-12, idle, all at once; this host has %d cores. Medians
                    of %d rounds, in turn, the same machines under the same libvirtd. By vse: all are stopped, then saved; restored and set
                    going again. A set's digests are made after that and compared before a restore.
                    """.formatted(Runtime.getRuntime().availableProcessors(), rounds));
        } finally {
            bench.close();
        }
    }

    private void close() throws IOException {
        driver.list().forEach(machine -> driver.destroy(machine.name()));
        driver.close();
        daemon.stop();
        Staging.removeTree(home);
    }

    private void compare(int rounds, int size) throws IOException {
        List<VmSpec> machines = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            machines.add(spec(size, i));
        }
        for (VmSpec machine : machines) {
            driver.start(machine, new Origin.Cold());
            driver.agent(machine.name(), PING, PATIENCE);
        }
        List<Round> hand = new ArrayList<>();
        List<Round> ours = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            if (i % 2 == 0) {
                hand.add(byHand(machines));
                ours.add(byVse(machines, i + 1));
            } else {
                ours.add(byVse(machines, i + 1));
                hand.add(byHand(machines));
            }
            System.out.printf(
                    Locale.ROOT,
                    "%d VM(s), round %d: saved by virsh %.2f s, vse %.2f s; restored %.2f s, %.2f s; stopped %.1f ms apart%n",
                    size,
                    i + 1,
                    hand.get(i).save(),
                    ours.get(i).save(),
                    hand.get(i).restore(),
                    ours.get(i).restore(),
                    ours.get(i).apart());
        }
        machines.forEach(machine -> driver.destroy(machine.name()));
        double[] all = {
            median(hand, Round::save),
            median(ours, Round::save),
            median(hand, Round::restore),
            median(ours, Round::restore)
        };
        table.row(List.of(
                Integer.toString(size),
                two(all[0]),
                two(all[1]),
                two(all[1] / all[0]),
                two(all[2]),
                two(all[3]),
                two(all[3] / all[2]),
                two(ours.stream().mapToDouble(Round::apart).max().orElseThrow()),
                two(median(ours, Round::digests)),
                two(median(ours, Round::mib))));
    }

    private Round byHand(List<VmSpec> machines) throws IOException {
        double save = atOnce(machines, machine -> List.of("save", machine.name().value(), saved(machine)));
        double restore = atOnce(machines, machine -> List.of("restore", saved(machine)));
        double mib = 0;
        for (VmSpec machine : machines) {
            requireAwake(machine);
            mib += Files.size(Path.of(saved(machine))) / (double) (1 << 20);
            Files.delete(Path.of(saved(machine)));
        }
        return new Round(save, restore, 0, 0, mib);
    }

    private Round byVse(List<VmSpec> machines, int number) {
        CheckpointStore.Draft draft = store.begin(OWNER, number);
        JointSave save = new JointSave(driver, machines, new NothingElse());
        long begin = System.nanoTime();
        Duration apart = save.pause();
        List<JointSave.Saved> all = save.save(machine -> draft.file(machine.name() + ".memory"));
        long saved = System.nanoTime();
        double mib = 0;
        for (JointSave.Saved one : all) {
            mib += draft.seal(one.memory().getFileName().toString(), one.state())
                            .bytes()
                    / (double) (1 << 20);
        }
        long sealed = System.nanoTime();
        save.restart();
        save.resume();
        long restored = System.nanoTime();
        machines.forEach(this::requireAwake);
        draft.abandon();
        return new Round(
                seconds(begin, saved), seconds(sealed, restored), apart.toNanos() / 1e6, seconds(saved, sealed), mib);
    }

    /** A word of virsh for each machine. */
    private interface Words {
        List<String> of(VmSpec machine);
    }

    private double atOnce(List<VmSpec> machines, Words words) throws IOException {
        long begin = System.nanoTime();
        List<Process> running = new ArrayList<>();
        for (VmSpec machine : machines) {
            List<String> argv = new ArrayList<>(List.of("virsh", "--quiet", "--connect", uri()));
            argv.addAll(words.of(machine));
            running.add(commands.start(Command.of(argv), home.resolve("virsh.log")));
        }
        for (Process virsh : running) {
            if (virsh.onExit().join().exitValue() != 0) {
                throw new IOException("virsh failed: " + Files.readString(home.resolve("virsh.log")));
            }
        }
        return seconds(begin, System.nanoTime());
    }

    private String uri() {
        ProcessIdentity process = daemon.identity().orElseThrow();
        if (!process.alive()) {
            throw new IllegalStateException("libvirtd ended");
        }
        return "qemu+unix:///system?socket=" + home.resolve("run/libvirt/libvirt-sock");
    }

    private String saved(VmSpec machine) {
        return home.resolve(machine.name() + ".saved").toString();
    }

    private void requireAwake(VmSpec machine) {
        driver.agent(machine.name(), PING, PATIENCE);
    }

    private VmSpec spec(int size, int index) throws IOException {
        VmName name = new VmName("vse-bench-" + size + "-" + index);
        Path own = Files.createDirectories(home.resolve(name.value()));
        Path disk = own.resolve("disk.qcow2");
        OverlayDisk.create(commands, image, disk, OptionalLong.empty());
        Path console = Files.createFile(own.resolve("console"));
        for (Path file : List.of(own, disk, console)) {
            Files.setAttribute(file, "unix:uid", UID);
            Files.setAttribute(file, "unix:gid", UID);
        }
        return new VmSpec(
                name,
                UUID.randomUUID(),
                new VmLabel(OWNER, OWNER, 1, index),
                VmSpec.Accelerator.TCG,
                1,
                List.of(),
                MEMORY,
                disk,
                kernel.vmlinuz(),
                kernel.initrd(),
                kernel.commandLine(),
                UID,
                UID,
                List.of(),
                List.of(),
                List.of(),
                console,
                null);
    }

    private static double seconds(long from, long to) {
        return (to - from) / 1e9;
    }

    private static double median(List<Round> rounds, java.util.function.ToDoubleFunction<Round> value) {
        return Numbers.median(rounds.stream().mapToDouble(value).toArray());
    }

    private static String two(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    /** The machines have no group, tap or share. */
    private static final class NothingElse implements JointSave.Restarts {
        @Override
        public void begin(List<VmSpec> machines) {
            if (machines.isEmpty()) {
                throw new IllegalArgumentException("no machines");
            }
        }

        @Override
        public void started(VmSpec machine, VmStatus status) {
            if (!status.name().equals(machine.name())) {
                throw new IllegalStateException("another machine was restored: " + status);
            }
        }

        @Override
        public void end(List<VmSpec> machines) {
            begin(machines);
        }
    }
}

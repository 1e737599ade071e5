package org.vse.job.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.vse.imagestore.CacheRoom;
import org.vse.imagestore.DifferenceCache;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Nearest;
import org.vse.imagestore.NewImage;
import org.vse.imagestore.Origin;
import org.vse.imagestore.Provides;
import org.vse.imagestore.Staging;
import org.vse.imagestore.build.PackageFetch;
import org.vse.job.Standing;
import org.vse.job.lifecycle.GrowthWatch;
import org.vse.job.lifecycle.JobFixture;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.step.Differences;
import org.vse.job.step.Node;
import org.vse.job.step.Sisters;
import org.vse.ledger.Ledger;
import org.vse.policy.layer.Policy;
import org.vse.process.CommandRunner;
import org.vse.process.cgroup.Cgroups;
import org.vse.provisioner.VmDriver;
import org.vse.provisioner.VmSpec.Accelerator;
import org.vse.provisioner.accelerator.AcceleratorChoice;
import org.vse.provisioner.checkpoint.CheckpointStore;
import org.vse.provisioner.checkpoint.SiteKey;
import org.vse.provisioner.edit.EditMachine;
import org.vse.provisioner.network.JobNetwork;
import org.vse.provisioner.share.ShareServer;

/** A node in a directory, real but for its machines. */
final class TestNode implements AutoCloseable {
    static final JobRecord.User CAROL = new JobRecord.User(
            "carol", 4321, 4321, List.of(new JobRecord.Group("carol", 4321)), "/nonexistent/carol", "/bin/bash");
    static final JobRecord.User DAVE = new JobRecord.User(
            "dave", 4322, 4322, List.of(new JobRecord.Group("dave", 4322)), "/nonexistent/dave", "/bin/bash");
    static final JobRecord.User ROOT =
            new JobRecord.User("root", 0, 0, List.of(new JobRecord.Group("root", 0)), "/root", "/bin/bash");

    private static final Node.Limits LIMITS = new Node.Limits(256L << 20, 512L << 20, 1L << 30, 1L << 20);

    private final Path directory;
    private final Ledger ledger;
    private final GrowthWatch growth = new GrowthWatch();
    private final Node node;

    TestNode(Path directory, VmDriver driver) throws IOException {
        this(directory, driver, "here", growth -> Sisters.NONE);
    }

    /** A node alone, of another installation than the rest. */
    static TestNode owned(Path directory, VmDriver driver, String owner) throws IOException {
        return new TestNode(directory, driver, owner, owner, growth -> Sisters.NONE);
    }

    /** A node of that name among others. */
    TestNode(Path directory, VmDriver driver, String name, Function<GrowthWatch, Sisters> sisters) throws IOException {
        this(directory, driver, name, "me", sisters);
    }

    private TestNode(Path directory, VmDriver driver, String name, String owner, Function<GrowthWatch, Sisters> sisters)
            throws IOException {
        this.directory = directory;
        Files.createDirectories(directory.resolve("state/jobs"));
        Files.createDirectories(directory.resolve("run/j"));
        this.ledger = Ledger.open(directory.resolve("state/ledger"));
        CommandRunner commands = new CommandRunner();
        ImageStore images = new ImageStore(directory.resolve("images"));
        this.node = new Node(
                name,
                owner,
                AcceleratorChoice.fixed(Accelerator.TCG),
                new Node.Timeouts(
                        Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofMillis(300)),
                LIMITS,
                Cgroups.none(),
                images,
                new Differences(
                        images,
                        new DifferenceCache(
                                images,
                                new CacheRoom(images, 1L << 40, Set::of, Clock.systemUTC()),
                                Nearest.packages()),
                        new PackageFetch(directory.resolve("packages"), directory.resolve("sources")),
                        new EditMachine.Ends(driver)),
                driver,
                new JobNetwork(commands, owner),
                sisters.apply(growth),
                new ShareServer(commands),
                ledger,
                new CheckpointStore(directory.resolve("checkpoints"), SiteKey.in(directory.resolve("checkpoint.key"))),
                commands,
                growth,
                Clock.systemUTC());
    }

    Node node() {
        return node;
    }

    Path state() {
        return directory.resolve("state");
    }

    Path run() {
        return directory.resolve("run");
    }

    VsedConfig config(List<Integer> cores, int uids) {
        return config(cores, uids, Standing.ROOT);
    }

    VsedConfig config(List<Integer> cores, int uids, Standing standing) {
        int own = ownId("unix:uid");
        return new VsedConfig(
                node.name(),
                List.of(cores),
                1,
                8L << 30,
                Optional.of(Accelerator.TCG),
                state(),
                run(),
                standing,
                own == 0 ? 70_000 : own,
                uids,
                own == 0 ? 70_000 : ownId("unix:gid"),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                Duration.ofSeconds(1),
                Duration.ofSeconds(60),
                LIMITS,
                directory.resolve("checkpoints"),
                directory.resolve("checkpoint.key"),
                Optional.empty());
    }

    private int ownId(String which) {
        try {
            return (Integer) Files.getAttribute(directory, which);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Puts an image into the store whose disk is that file's bytes. */
    Image publish(byte[] disk, Set<Provides> provides) throws IOException {
        try (Staging staging = node.images().stage()) {
            Path tree = staging.directory();
            Files.write(tree.resolve(NewImage.DISK), disk);
            Path kernel = Files.createDirectories(tree.resolve(NewImage.KERNELS).resolve("k"));
            Files.writeString(kernel.resolve("kernel"), "kernel");
            Files.writeString(kernel.resolve("initrd"), "initrd");
            return node.images()
                    .publish(
                            staging,
                            new NewImage(
                                    "test",
                                    "latest",
                                    1L << 20,
                                    List.of(new NewImage.NewKernel("k", "root=/dev/vda", provides)),
                                    Map.of(),
                                    new Origin(Instant.EPOCH, "a test")));
        }
    }

    /** A submission of a script with that header, from /tmp. */
    static Submission submission(String header) {
        return new Submission(
                new Submission.Script("/home/carol/job.sh", header + "\necho hello\n"),
                List.of(),
                null,
                "/tmp",
                Map.of("A", "b"),
                false,
                null,
                new JobRecord.Terminal(24, 80, "dumb"),
                List.of());
    }

    /** An admitted script of one core without share and network. */
    Admission admission(JobRecord.User user) {
        return Admission.of(
                submission("#VSE image=test share=none network=user"),
                user,
                Policy.vendor(),
                node.images(),
                Standing.ROOT);
    }

    com.fasterxml.jackson.databind.ObjectMapper json() {
        return JobFixture.json();
    }

    @Override
    public void close() {
        growth.close();
        ledger.close();
    }
}

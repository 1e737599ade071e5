package org.vse.test.cluster;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;
import org.vse.test.site.Site;

/** The cluster of {@code test/src/cluster/cluster.sh}, with the software under test on its nodes. Needs root. */
final class Cluster implements AutoCloseable {
    static final List<String> NODES = List.of("n1", "n2", "n3");
    static final String USER = "ann";
    /** The node that the others send what happens on them to. */
    static final String LEDGER = "n1";

    private static final String RIG =
            Path.of("src/cluster/cluster.sh").toAbsolutePath().toString();
    private static final CommandRunner COMMANDS = new CommandRunner();

    private static final String LEFT = "for d in /run/vse/j /run/vse/slurm /run/vse/gridengine /run/vse/openpbs"
            + " /run/vse/torque /run/vse/ended /run/netns; do"
            + " [ ! -d $d ] || find $d -mindepth 1 -maxdepth 1 || exit; done";

    private final String scheduler;
    private final Path top;
    private final String vse;

    private Cluster(String scheduler, Path top, String vse) {
        this.scheduler = scheduler;
        this.top = top;
        this.vse = vse;
    }

    static Cluster open(String scheduler) {
        try {
            Path top = Files.createTempDirectory(Path.of("/tmp"), "vc");
            Files.setPosixFilePermissions(top, PosixFilePermissions.fromString("rwxr-xr-x"));
            Cluster cluster = new Cluster(scheduler, top, Site.software(top).toString());
            String images = Path.of(System.getProperty("vse.test.images", ""))
                    .toRealPath()
                    .toString();
            Map<String, String> installations = new HashMap<>(System.getenv());
            installations.keySet().retainAll(List.of("PBS_EXEC", "TORQUE_HOME"));
            COMMANDS.run(Command.of(RIG, "up", scheduler, cluster.directory().toString(), cluster.vse, images)
                            .withEnv(installations)
                            .withTimeout(Duration.ofMinutes(6)))
                    .orThrow("bringing the cluster up");
            return cluster;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path directory() {
        return top.resolve("c");
    }

    /** Runs a command on a host of the cluster; users are in their home directory. */
    CommandResult run(String host, String user, List<String> argv) {
        List<String> all = new ArrayList<>(List.of(RIG, "run", directory().toString(), host, user));
        all.addAll(argv);
        return COMMANDS.run(Command.of(all).withTimeout(Duration.ofMinutes(3)));
    }

    CommandResult user(String... argv) {
        return run("head", USER, Arrays.asList(argv));
    }

    /** {@code vse} as root on a node. */
    CommandResult vse(String node, String... arguments) {
        List<String> argv = new ArrayList<>(List.of(vse));
        argv.addAll(Arrays.asList(arguments));
        return run(node, "root", argv);
    }

    /** {@code vse} as the user on the head; this host may have other batch systems, too. */
    CommandResult userVse(String... arguments) {
        List<String> argv = new ArrayList<>(List.of("env", "VSE_SCHEDULER=" + scheduler, vse));
        argv.addAll(Arrays.asList(arguments));
        return run("head", USER, argv);
    }

    /** Puts a job script into the user's home directory. */
    void script(String name, String text) {
        script(name, text.getBytes(StandardCharsets.UTF_8));
    }

    void script(String name, byte[] text) {
        try {
            Path file = directory().resolve("home").resolve(USER).resolve(name);
            Files.write(file, text);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Text of a file in the user's home directory; empty when it is not there. */
    String file(String name) {
        try {
            Path file = directory().resolve("home").resolve(USER).resolve(name);
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for what a job writes; machines share the cores of one host, and jobs wait for those of other scenarios. */
    void awaitFile(String name, String text) {
        await(name + " says " + text)
                .atMost(Duration.ofMinutes(6))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> file(name).contains(text));
    }

    /** Cuts a node off from all others, or joins it again: {@code down}, {@code up}. */
    void link(String node, String state) {
        run("head", "root", List.of("ip", "link", "set", "v-" + node, state)).orThrow("setting a link " + state);
    }

    boolean hasRunningMachine(String node) {
        return vse(node, "vm", "ls", "--format", "json")
                .orThrow("listing machines")
                .stdout()
                .contains("RUNNING");
    }

    /** What jobs have left on nodes, in words. */
    List<String> remainsOn(List<String> nodes) {
        List<String> left = new ArrayList<>();
        for (String node : nodes) {
            run(node, "root", List.of("sh", "-c", LEFT))
                    .orThrow("looking at " + node)
                    .stdout()
                    .lines()
                    .forEach(line -> left.add(node + ": " + line));
        }
        return left;
    }

    /** What serves jobs, on whichever node. */
    List<String> processes() {
        return run("head", "root", List.of("ps", "-eo", "args"))
                .orThrow("looking at processes")
                .stdout()
                .lines()
                .filter(line -> line.matches("(/usr/bin/)?(qemu-system|ganesha).*"))
                .map(line -> line.substring(0, Math.min(100, line.length())))
                .toList();
    }

    @Override
    public void close() {
        COMMANDS.run(Command.of(RIG, "down", directory().toString()).withTimeout(Duration.ofMinutes(3)))
                .orThrow("ending the cluster");
        COMMANDS.run(Command.of("rm", "-rf", top.toString())).orThrow("removing the cluster's software");
    }
}

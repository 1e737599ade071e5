package org.vse.test.site;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.vse.job.lifecycle.JobRecord;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.network.NetworkPlan;

/**
 * Directories, two users, a daemon of the tests' own on this host, and the command line from outside. Needs root and an
 * image store with {@code debian-12}, which the system property {@code vse.test.images} names.
 *
 * <p>{@link #close} ends the daemon with all jobs and fails when anything of them is left on the host.
 */
public final class Site implements AutoCloseable {
    private static final String FLAGS = "-XX:+UseSerialGC -Xshare:auto -Xlog:disable -Xlog:all=error:stderr";
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final CommandRunner COMMANDS = new CommandRunner();
    private final Path top;
    private final Path run;
    private final String classPath;
    private final Account alice;
    private final Account bob;

    private final boolean mounted;

    private Site(Path top, Path run, String classPath, boolean mounted) {
        this.mounted = mounted;
        this.classPath = classPath;
        this.top = top;
        this.run = run;
        this.alice = Account.make(userName("a"), top.resolve("home/a"));
        this.bob = Account.make(userName("b"), top.resolve("home/b"));
    }

    /** Makes a site and starts its daemon. */
    public static Site open() {
        Site site = prepare("");
        try {
            site.root().vse("up").expect(0);
            return site;
        } catch (RuntimeException | AssertionError e) {
            site.close();
            throw e;
        }
    }

    /**
     * Makes a site without starting its daemon.
     *
     * @param vsedYaml the daemon's configuration; empty for all defaults
     */
    public static Site prepare(String vsedYaml) {
        return prepare(vsedYaml, 0);
    }

    /**
     * Makes a site whose state directory is a file system of its own, without starting its daemon.
     *
     * @param stateMib its size; 0 for none
     */
    public static Site prepare(String vsedYaml, int stateMib) {
        try {
            // Short: paths of sockets have at most 107 bytes (unix(7)).
            String name = String.format("vt-%08x", new SecureRandom().nextInt());
            Path top = Files.createDirectory(Path.of("/tmp", name));
            Path run = Files.createDirectory(Path.of("/run", name));
            for (Path open : List.of(top, run)) {
                Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
            for (String part : List.of("lib", "home", "etc", "state", "scratch")) {
                Files.createDirectory(top.resolve(part));
            }
            if (stateMib > 0) {
                COMMANDS.run(Command.of(
                                "mount",
                                "-t",
                                "tmpfs",
                                "-o",
                                "mode=0755,size=" + stateMib + "m",
                                "vse-test",
                                top.resolve("state").toString()))
                        .orThrow("mounting a small file system");
            }
            Files.writeString(top.resolve("etc/vsed.yaml"), vsedYaml);
            Files.copy(Path.of("../packages.txt"), top.resolve("packages.txt"));
            linkImages(top);
            String classPath = classPath(top);
            writeLauncher(top, classPath);
            return new Site(top, run, classPath, stateMib > 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Puts the software under test where every user gets to it; returns the launcher. */
    public static Path software(Path directory) throws IOException {
        Files.createDirectory(directory.resolve("lib"));
        writeLauncher(directory, classPath(directory));
        return directory.resolve("vse");
    }

    /** The directory that everything of the site is in, except {@link #run}. */
    Path top() {
        return top;
    }

    public Path state() {
        return top.resolve("state");
    }

    public Path run() {
        return run;
    }

    /** A user; another one than {@link #bob}. */
    public Account alice() {
        return alice;
    }

    /** Another user. */
    public Account bob() {
        return bob;
    }

    /** Root's command line. */
    public Desk root() {
        return desk(Account.root(), top);
    }

    /** A user's command line in their home directory. */
    public Desk desk(Account account) {
        return desk(account, account.home());
    }

    /** Controls a guest as its root, beside the daemon and without its knowledge. */
    public GuestDoor guest(String job, int machine) {
        return new GuestDoor(this, job, machine);
    }

    /** Network namespace of the share server of a job, which is in the network of its machines. */
    public String serviceNamespace(String job) {
        return new NetworkPlan(tag(job)).serviceNamespace();
    }

    String owner() {
        return Finished.text(state().resolve("owner")).strip();
    }

    String tag(String job) {
        return JobRecord.tagOf(owner(), "local", job, 1);
    }

    private Desk desk(Account account, Path directory) {
        return new Desk(this, account, directory, Map.of(), Path.of("/dev/null"));
    }

    /** The program that tests run as {@code vse}. */
    Path launcher() {
        return top.resolve("vse");
    }

    /** Java with a class of the tests as its main program. */
    List<String> java(Class<?> main) {
        return List.of(java(), "-XX:TieredStopAtLevel=1", "-cp", classPath, main.getName());
    }

    private static String java() {
        return System.getProperty("java.home") + "/bin/java";
    }

    Path scratch() {
        return top.resolve("scratch");
    }

    Map<String, String> environment() {
        return Map.of(
                "VSE_RUN_DIR",
                run.toString(),
                "VSE_STATE_DIR",
                state().toString(),
                "VSE_CONFIG_DIR",
                top.resolve("etc").toString());
    }

    /** Returns once no job of this site is left but ended ones; at most a minute. */
    public void awaitIdle() {
        await("all jobs have been taken down")
                .atMost(Duration.ofSeconds(60))
                .until(() -> Remains.ofJobs(this).isEmpty());
    }

    /** Ends the daemon and all jobs, and looks whether anything of them is left. */
    @Override
    public void close() {
        List<String> left = new ArrayList<>();
        try {
            Finished down = root().vse("down", "--cancel-jobs");
            if (down.exitCode() != 0) {
                left.add(down.toString());
            }
            left.addAll(Remains.of(this));
        } finally {
            Remains.kill(this);
            Account.remove(alice.name());
            Account.remove(bob.name());
        }
        if (!left.isEmpty()) {
            throw new AssertionError("left behind, kept in " + top + ":\n" + String.join("\n", left));
        }
        if (mounted) {
            COMMANDS.run(Command.of("umount", state().toString())).orThrow("unmounting the small file system");
        }
        delete(top);
        delete(run);
    }

    private static String userName(String which) {
        return "vset" + ProcessHandle.current().pid() + which + NUMBER.getAndIncrement();
    }

    /** The store itself where every user gets to it, so that it is verified once; else a copy. */
    private static void linkImages(Path top) throws IOException {
        String from = System.getProperty("vse.test.images", "");
        if (from.isEmpty() || !Files.isDirectory(Path.of(from))) {
            throw new AssertionError("no image store: run './dev test', or set -Dvse.test.images=DIRECTORY");
        }
        Path store = Path.of(from).toRealPath();
        Path link = top.resolve("state/images");
        if (isOpen(store)) {
            Files.createSymbolicLink(link, store);
        } else {
            Path copy = top.resolve("images");
            COMMANDS.run(Command.of("cp", "-a", "--sparse=always", store.toString(), copy.toString())
                            .withTimeout(Duration.ofMinutes(5)))
                    .orThrow("copying the image store");
            Files.createSymbolicLink(link, copy);
        }
    }

    private static boolean isOpen(Path directory) throws IOException {
        for (Path at = directory; at != null; at = at.getParent()) {
            if (!Files.getPosixFilePermissions(at).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                return false;
            }
        }
        return true;
    }

    /** Copies, because users may not enter the place where the originals are. */
    private static String classPath(Path top) {
        List<String> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(":", -1)) {
            if (!entry.isEmpty() && Files.exists(Path.of(entry))) {
                Path copy = top.resolve("lib")
                        .resolve(classPath.size() + "-" + Path.of(entry).getFileName());
                COMMANDS.run(Command.of("cp", "-rL", entry, copy.toString())).orThrow("copying the class path");
                classPath.add(copy.toString());
            }
        }
        COMMANDS.run(Command.of("chmod", "-R", "a+rX", top.resolve("lib").toString()))
                .orThrow("opening the class path");
        return String.join(":", classPath);
    }

    private static void writeLauncher(Path top, String classPath) throws IOException {
        Path launcher = top.resolve("vse");
        Files.writeString(
                launcher,
                String.join(
                        "\n",
                        "#!/bin/sh",
                        "case $1 in",
                        "    up | vsed) size='-Xms16m -Xmx512m' ;;",
                        "    hook) size='-XX:TieredStopAtLevel=1 -Xms8m -Xmx64m -XX:CompressedClassSpaceSize=16m"
                                + " -XX:ReservedCodeCacheSize=16m' ;;",
                        "    *) size='-XX:TieredStopAtLevel=1 -Xms8m -Xmx256m' ;;",
                        "esac",
                        "exec " + java() + " " + FLAGS + " $size -Dvse.launcher=" + launcher + " -cp " + classPath
                                + " org.vse.job.cli.Vse \"$@\"",
                        ""));
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void delete(Path root) {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

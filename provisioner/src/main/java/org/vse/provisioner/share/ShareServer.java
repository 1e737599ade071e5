package org.vse.provisioner.share;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.process.UserDirectory;
import org.vse.provisioner.network.NetworkPlan;

/**
 * Starts nfs-ganesha for one job inside the job's service namespace. The server ends with the namespace: {@link
 * org.vse.provisioner.network.JobNetwork#closeService} kills whatever lives there.
 */
public final class ShareServer {
    private static final String UP = "NFS SERVER INITIALIZED";
    private static final String BOUND = "bound";
    private static final String RUN = "run";

    /**
     * open_by_handle_at(2), the server's only way to a file, takes this capability and no other. It goes to the program by
     * the ambient set, because the user's own processes must not start one that has it.
     */
    private static final String CAPABILITY = "dac_read_search";

    /**
     * Fixed text; everything variable is a positional parameter. The copies of other namespaces' mounts are dropped, else
     * they would keep the networks of ended jobs alive. Paths are not made canonical: that would leave the directory that was
     * opened for whatever has its name now. A server that dies leaves no core, which would have what the user's files hold.
     */
    private static final String BIND_AND_EXEC = """
            set -e
            if mountpoint -q /run/netns; then umount -l /run/netns; fi
            bound=$1 mounts=$2 count=$3
            shift 3
            while [ "$count" -gt 0 ]; do
              mount --no-canonicalize --move "$1" "$2"
              mount --no-canonicalize --make-private "$2"
              shift 2
              count=$((count - 1))
            done
            mount --no-canonicalize --bind "$mounts" "/proc/$$/mounts"
            : >"$bound"
            ulimit -c 0
            exec "$@"
            """;

    private final CommandRunner commands;

    public ShareServer(CommandRunner commands) {
        this.commands = commands;
    }

    /**
     * Starts the server, again after one that has ended, and returns at once.
     *
     * <p>Each directory is opened with the user's rights and bound to a name that the user cannot change, in a mount
     * namespace of the server's own; what is exported is that very directory. The server is a process of the user: its file
     * system calls are the user's, also where a file system refuses root.
     *
     * @param home private directory of this server for configuration, log and recovery state; made when missing, and root's
     *     but for the recovery state. With the recovery state of an earlier server of this share in it, that one's clients
     *     get back what they had open
     * @throws VseException SHARE_UNSUPPORTED when the user cannot reach a directory
     */
    public Process start(NfsShare share, Path home) {
        List<UserDirectory> opened = new ArrayList<>();
        try {
            boolean again = Files.exists(recovery(home));
            Files.createDirectories(home);
            // Processes of the user stay outside; the server's own capability lets it in.
            Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx------"));
            giveTo(share, Files.createDirectories(recovery(home)));
            giveTo(share, Files.createDirectories(home.resolve(RUN)));
            Files.deleteIfExists(home.resolve(BOUND));
            Files.deleteIfExists(log(home));
            List<GaneshaConfig.Root> roots = new ArrayList<>();
            List<String> binds = new ArrayList<>();
            for (Path directory : share.directories()) {
                opened.add(UserDirectory.open(directory, share.uid(), share.gid(), share.groups()));
            }
            for (NfsShare.Mount mount : share.mounts()) {
                opened.add(UserDirectory.open(mount.directory(), share.uid(), share.gid(), share.groups()));
                opened.get(opened.size() - 1).requireIs(mount.directory());
            }
            for (UserDirectory user : opened) {
                Path root = Files.createDirectories(home.resolve("export-" + roots.size()));
                roots.add(new GaneshaConfig.Root(root, isDeviceless(user, opened)));
                binds.addAll(List.of(user.mount().toString(), root.toString()));
            }
            Files.writeString(mounts(home), GaneshaConfig.mounts(roots));
            Path config = home.resolve("ganesha.conf");
            Files.writeString(config, GaneshaConfig.of(share, roots, recovery(home), again));
            Process server = commands.start(
                    Command.of(argv(share, home, config, binds))
                            // Without a bus of its own no server can take another's name on the system bus.
                            .withEnv(Map.of("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")),
                    log(home));
            awaitBound(server, home);
            return server;
        } catch (IOException e) {
            throw failed("the share server's files could not be written", home).because(e);
        } finally {
            opened.forEach(UserDirectory::close);
        }
    }

    /**
     * Whether the server is told to leave the device's number out of file handles. It uses that number where a file system
     * has no id, and so do NFS and others that nodes share: a resumed guest's handles would be stale on a node with another
     * number. Without it one file system of that kind cannot be told from another, so that this is for the first.
     */
    private static boolean isDeviceless(UserDirectory directory, List<UserDirectory> all) {
        return directory.fileSystem().id() == 0
                && all.stream()
                        .map(UserDirectory::fileSystem)
                        .filter(fileSystem -> fileSystem.id() == 0)
                        .findFirst()
                        .equals(Optional.of(directory.fileSystem()));
    }

    /**
     * Gives a directory and what is in it to the user, unless it is theirs: what their server has put there since is never
     * touched by root.
     */
    private static void giveTo(NfsShare share, Path directory) throws IOException {
        if (Objects.equals(Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS), share.uid())) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.toList()) {
                Files.setAttribute(file, "unix:gid", share.gid(), LinkOption.NOFOLLOW_LINKS);
                Files.setAttribute(file, "unix:uid", share.uid(), LinkOption.NOFOLLOW_LINKS);
            }
        }
    }

    private static List<String> argv(NfsShare share, Path home, Path config, List<String> binds) {
        List<String> argv = new ArrayList<>(List.of(
                "nsenter", "--net=" + NetworkPlan.file(share.namespace()), "unshare", "-m", "sh", "-c", BIND_AND_EXEC));
        argv.addAll(List.of(
                "vse-share", home.resolve(BOUND).toString(), mounts(home).toString()));
        argv.add(Integer.toString(binds.size() / 2));
        argv.addAll(binds);
        argv.addAll(asUser(share));
        argv.addAll(List.of("ganesha.nfsd", "-F", "-f", config.toString(), "-L", "STDERR"));
        argv.addAll(List.of("-p", home.resolve(RUN).resolve("ganesha.pid").toString()));
        return argv;
    }

    private static List<String> asUser(NfsShare share) {
        return List.of(
                "setpriv",
                "--reuid=" + share.uid(),
                "--regid=" + share.gid(),
                share.groups().isEmpty()
                        ? "--clear-groups"
                        : "--groups="
                                + share.groups().stream().map(String::valueOf).collect(Collectors.joining(",")),
                "--inh-caps=-all,+" + CAPABILITY,
                "--ambient-caps=-all,+" + CAPABILITY,
                "--bounding-set=-all,+" + CAPABILITY,
                "--no-new-privs",
                "--");
    }

    /**
     * Waits until a started server answers.
     *
     * @throws VseException SHARE_FAILED with the end of its log when it ended or took longer than the timeout
     */
    public void awaitUp(Process server, Path home, Duration timeout) {
        await(
                server,
                home,
                timeout,
                "was not up",
                () -> Files.exists(log(home)) && Files.readString(log(home)).contains(UP));
    }

    private void awaitBound(Process server, Path home) {
        await(
                server,
                home,
                Duration.ofSeconds(10),
                "did not take over its directories",
                () -> Files.exists(home.resolve(BOUND)));
    }

    private static void await(Process server, Path home, Duration timeout, String otherwise, Condition condition) {
        long deadline = System.nanoTime() + timeout.toNanos();
        try (WatchService watch = FileSystems.getDefault().newWatchService()) {
            home.register(watch, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY);
            while (!condition.holds()) {
                if (!server.isAlive()) {
                    throw failed("the share server ended with exit code " + server.exitValue(), home);
                }
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw failed("the share server " + otherwise + " within " + timeout.toSeconds() + " s", home);
                }
                // The wait is cut so that a server that ends without a word is noticed.
                WatchKey key = watch.poll(Math.min(left, TimeUnit.MILLISECONDS.toNanos(200)), TimeUnit.NANOSECONDS);
                if (key != null) {
                    key.pollEvents();
                    key.reset();
                }
            }
        } catch (IOException e) {
            throw failed("the share server's files could not be read", home).because(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while the share server started")
                    .because(e);
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }

    /** Where a server keeps who its clients are. */
    public static Path recovery(Path home) {
        return home.resolve("recovery");
    }

    private static Path mounts(Path home) {
        return home.resolve("mounts");
    }

    private static Path log(Path home) {
        return home.resolve("ganesha.log");
    }

    private static VseException failed(String what, Path home) {
        VseException failure = VseException.of(ErrorCode.SHARE_FAILED, what).fact("log", log(home));
        try {
            List<String> lines = Files.exists(log(home)) ? Files.readAllLines(log(home)) : List.of();
            if (!lines.isEmpty()) {
                failure.fact("said", String.join("\n", lines.subList(Math.max(0, lines.size() - 5), lines.size())));
            }
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }
}

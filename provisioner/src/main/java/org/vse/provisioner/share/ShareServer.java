package org.vse.provisioner.share;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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

    /**
     * Fixed text; everything variable is a positional parameter. The copies of other namespaces' mounts are dropped, else
     * they would keep the networks of ended jobs alive.
     */
    private static final String BIND_AND_EXEC = """
            set -e
            if mountpoint -q /run/netns; then umount -l /run/netns; fi
            bound=$1 count=$2
            shift 2
            while [ "$count" -gt 0 ]; do
              mount --bind "$1" "$2"
              shift 2
              count=$((count - 1))
            done
            : >"$bound"
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
     * namespace of the server's own; what is exported is that very directory.
     *
     * @param home private directory of this server for configuration, log and recovery state; made when missing. With the
     *     recovery state of an earlier server of this share in it, that one's clients get back what they had open
     * @throws VseException SHARE_UNSUPPORTED when the user cannot reach a directory
     */
    public Process start(NfsShare share, Path home) {
        List<UserDirectory> opened = new ArrayList<>();
        try {
            boolean again = Files.exists(recovery(home));
            Files.createDirectories(recovery(home));
            Files.deleteIfExists(home.resolve(BOUND));
            Files.deleteIfExists(log(home));
            Files.createFile(log(home));
            List<Path> roots = new ArrayList<>();
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
                roots.add(root);
                binds.addAll(List.of(user.path().toString(), root.toString()));
            }
            Path config = home.resolve("ganesha.conf");
            Files.writeString(config, GaneshaConfig.of(share, roots, recovery(home), again));
            Process server = commands.start(
                    Command.of(argv(share, home, config, binds))
                            // Without a bus of its own no server can take another's name on the system bus.
                            .withEnv(Map.of("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")),
                    home.resolve("ganesha.out"));
            awaitBound(server, home);
            return server;
        } catch (IOException e) {
            throw failed("the share server's files could not be written", home).because(e);
        } finally {
            opened.forEach(UserDirectory::close);
        }
    }

    private static List<String> argv(NfsShare share, Path home, Path config, List<String> binds) {
        List<String> argv = new ArrayList<>(List.of(
                "nsenter", "--net=" + NetworkPlan.file(share.namespace()), "unshare", "-m", "sh", "-c", BIND_AND_EXEC));
        argv.addAll(List.of("vse-share", home.resolve(BOUND).toString(), Integer.toString(binds.size() / 2)));
        argv.addAll(binds);
        argv.addAll(List.of(
                "ganesha.nfsd", "-F", "-f", config.toString(), "-L", log(home).toString()));
        argv.addAll(List.of("-p", home.resolve("ganesha.pid").toString()));
        return argv;
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
                () -> Files.readString(log(home)).contains(UP));
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

    private static Path log(Path home) {
        return home.resolve("ganesha.log");
    }

    private static VseException failed(String what, Path home) {
        VseException failure = VseException.of(ErrorCode.SHARE_FAILED, what).fact("log", log(home));
        try {
            for (Path file : List.of(home.resolve("ganesha.out"), log(home))) {
                List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
                if (!lines.isEmpty()) {
                    failure.fact("said", String.join("\n", lines.subList(Math.max(0, lines.size() - 5), lines.size())));
                }
            }
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }
}

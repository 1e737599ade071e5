package org.vse.ledger;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;

/** A PostgreSQL server of its own, as an unprivileged user, that listens at a Unix socket only. */
final class PostgresServer implements AutoCloseable {
    private static final int NOBODY = 65534;
    private static final int SIGQUIT = 3;

    private final CommandRunner commands = new CommandRunner();
    private final Path directory;
    private final String programs;
    private @Nullable Process process;

    PostgresServer() {
        try {
            directory = Files.createTempDirectory(
                    "vpg", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            if (isRoot()) {
                Files.setAttribute(directory, "unix:uid", NOBODY);
            }
            try (Stream<Path> versions = Files.list(Path.of("/usr/lib/postgresql"))) {
                programs = versions.sorted().reduce((a, b) -> b).orElseThrow() + "/bin/";
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        run("initdb", "-D", data(), "-U", "vse", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync");
        start();
    }

    /**
     * Returns when it answers. Only processes end here, never the machine: what is written need not be forced to the disk. A
     * database for each test is much to write again after a crash, unless little of it is left to the next checkpoint.
     */
    void start() {
        String[] arguments = {
            "-D",
            data(),
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "max_wal_size=64MB",
            "-k",
            directory.toString()
        };
        process =
                commands.start(Command.of(argv("postgres", arguments)).withCwd(Path.of("/")), directory.resolve("log"));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!answers()) {
            if (System.nanoTime() > deadline || !process.isAlive()) {
                throw new IllegalStateException("no server, see " + directory.resolve("log"));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
    }

    private boolean answers() {
        try {
            new PostgresEngine(database("postgres"), Migrations.postgresql())
                    .connect()
                    .close();
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    /** At once, as a crash does it; returns when it is gone. */
    void stop() {
        Process running = Objects.requireNonNull(process);
        ProcessIdentity.of(running.pid()).ifPresent(server -> server.signal(SIGQUIT));
        try {
            if (!running.waitFor(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the server does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private String data() {
        return directory + "/data";
    }

    private void run(String program, String... arguments) {
        Command command = Command.of(argv(program, arguments));
        CommandResult result = commands.run(command.withCwd(Path.of("/")).withTimeout(Duration.ofSeconds(60)));
        if (result.exitCode() != 0) {
            throw new IllegalStateException(command + ": " + result.stdout() + result.stderr());
        }
    }

    private List<String> argv(String program, String... arguments) {
        List<String> argv = new ArrayList<>();
        if (isRoot()) {
            argv.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--"));
        }
        argv.add(programs + program);
        argv.addAll(List.of(arguments));
        return argv;
    }

    private static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    PostgresAddress database(String name) {
        return PostgresAddress.parse("postgresql://vse@/" + name + "?host=" + directory);
    }

    /** Makes an empty database. */
    PostgresAddress create(String name) {
        execute("postgres", "CREATE DATABASE " + name + " TEMPLATE template0");
        return database(name);
    }

    void execute(String database, String sql) {
        try (Connection connection = new PostgresEngine(database(database), Migrations.postgresql()).connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(true);
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    @Override
    public void close() {
        stop();
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted((a, b) -> b.compareTo(a)).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

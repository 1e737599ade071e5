package org.vse.test.site;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/** The command line of one user in one directory. Immutable. */
public final class Desk {
    /** Streams are files, so that every byte is kept and a test may look while the command runs. */
    private static final String STREAMS = "exec <\"$1\" >\"$2\" 2>\"$3\"; shift 3; exec \"$@\"";

    private final Site site;
    private final Account account;
    private final Path directory;
    private final Map<String, String> environment;
    private final Path stdin;

    Desk(Site site, Account account, Path directory, Map<String, String> environment, Path stdin) {
        this.site = site;
        this.account = account;
        this.directory = directory;
        this.environment = Map.copyOf(environment);
        this.stdin = stdin;
    }

    public Account account() {
        return account;
    }

    /** The same user elsewhere. */
    public Desk in(Path elsewhere) {
        return new Desk(site, account, elsewhere, environment, stdin);
    }

    /** The same with one more variable in the environment. */
    public Desk with(String name, String value) {
        Map<String, String> more = new HashMap<>(environment);
        more.put(name, value);
        return new Desk(site, account, directory, more, stdin);
    }

    /** The same with this text as standard input. */
    public Desk typing(String text) {
        try {
            Path file = Files.createTempFile(site.scratch(), "in", "");
            Files.writeString(file, text);
            return new Desk(site, account, directory, environment, file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a job script of this user's into this directory. */
    public Path script(String name, String text) {
        return put(name, text, "rwxr-xr-x");
    }

    /** Writes a file of this user's into this directory. */
    public Path put(String name, String text, String mode) {
        try {
            Path file = directory.resolve(name);
            Path part = Files.createTempFile(site.scratch(), "put", "");
            Files.writeString(part, text);
            Files.setAttribute(part, "unix:uid", account.uid());
            Files.setAttribute(part, "unix:gid", account.gid());
            Files.setPosixFilePermissions(part, java.nio.file.attribute.PosixFilePermissions.fromString(mode));
            return Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same with that file, or FIFO, as standard input. */
    public Desk reading(Path file) {
        return new Desk(site, account, directory, environment, file);
    }

    /** Sends one request to the daemon, past the client's own checks; the answer as it came is standard output. */
    public Finished raw(String method, String path, String body) {
        List<String> argv = new ArrayList<>(site.java(RawCall.class));
        argv.addAll(List.of(site.run().resolve("vsed.sock").toString(), method, path, body));
        return startProgram(argv, List.of("(raw)", method, path)).finish();
    }

    /** Runs {@code vse ARGUMENTS} to its end, at most two minutes. */
    public Finished vse(String... arguments) {
        return start(arguments).finish();
    }

    /** Starts {@code vse ARGUMENTS}. */
    public Started start(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(site.launcher().toString()));
        argv.addAll(List.of(arguments));
        return startProgram(argv, List.of(arguments));
    }

    /** Starts another program as this user. */
    public Started program(String... argv) {
        return startProgram(List.of(argv), List.of(argv));
    }

    /** The words of {@code vse ARGUMENTS}, for programs that start it. */
    public List<String> words(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(site.launcher().toString()));
        argv.addAll(List.of(arguments));
        return argv;
    }

    private Started startProgram(List<String> program, List<String> shown) {
        try {
            Path stdout = Files.createTempFile(site.scratch(), "out", "");
            Path stderr = Files.createTempFile(site.scratch(), "err", "");
            // Whoever runs the tests may ignore signals, as a shell does for what it starts in the background.
            List<String> argv = new ArrayList<>(List.of("env", "--default-signal"));
            argv.addAll(List.of("sh", "-c", STREAMS, "sh", stdin.toString(), stdout.toString(), stderr.toString()));
            if (account.uid() != 0) {
                argv.addAll(List.of(
                        "setpriv",
                        "--reuid=" + account.uid(),
                        "--regid=" + account.gid(),
                        "--init-groups",
                        "--bounding-set=-all",
                        "--inh-caps=-all",
                        "--"));
            }
            argv.addAll(program);
            Map<String, String> all = new HashMap<>(site.environment());
            all.put("HOME", account.home().toString());
            all.put("USER", account.name());
            all.put("LOGNAME", account.name());
            all.put("PWD", directory.toString());
            all.putAll(environment);
            Process process = new CommandRunner()
                    .start(
                            Command.of(argv).withEnv(all).withCwd(directory),
                            site.scratch().resolve("lost"));
            return new Started(shown, process, stdout, stderr);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

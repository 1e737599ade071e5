package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandResult;

/**
 * Fetches packages for a guest of another installation: apt-get(8) on this host, as user nobody without capabilities, resolves
 * them against the guest's list of what it has and checks their signatures by the host's keys. Nothing is installed here. The
 * lists of what there is are kept between calls. One fetch at a time.
 */
public final class PackageFetch {
    private static final int NOBODY = 65_534;
    private static final Path HOST_LISTS = Path.of("/var/lib/apt/lists");
    private static final Pattern URI = Pattern.compile("'[^']*' (\\S+) ([0-9]{1,15}) \\S*");
    private static final Pattern CODENAME = Pattern.compile("(?m)^VERSION_CODENAME=\"?([a-z]{1,32})\"?$");

    private final Path home;
    private final Path sources;
    private final ReentrantLock one = new ReentrantLock(true);

    /**
     * Takes where things are.
     *
     * @param home where the lists are kept; everybody may enter it
     * @param sources where the site may have {@code CODENAME.list}: sources.list(5) for guests of that release
     */
    public PackageFetch(Path home, Path sources) {
        this.home = home;
        this.sources = sources;
    }

    /**
     * What is wanted for which guest.
     *
     * @param osRelease the guest's os-release(5)
     * @param status the guest's {@code /var/lib/dpkg/status}
     * @param mostBytes that the packages may have together
     * @param until when all has to be there
     */
    public record Order(String osRelease, String status, List<String> packages, long mostBytes, Instant until) {
        public Order {
            packages = List.copyOf(packages);
        }
    }

    /**
     * Brings the packages, and those that they need and the guest does not have.
     *
     * @param scratch an empty directory, which everybody may enter; the caller removes it
     * @return regular files in it
     * @throws VseException DIFFERENCE_FAILED when there are none of that name, they are too large, cannot be installed
     *     without removing others, or the guest's release has no sources here; COMMAND_TIMEOUT, COMMAND_MISSING, STORAGE_FAILED
     */
    public List<Path> fetch(Order order, Path scratch, BuildLog log) {
        Matcher release = CODENAME.matcher(order.osRelease());
        if (!release.find()) {
            throw VseException.of(
                            ErrorCode.DIFFERENCE_FAILED, "the image does not say of which release its packages are")
                    .fact("expected", "VERSION_CODENAME in /etc/os-release");
        }
        try {
            one.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw VseException.of(ErrorCode.STEP_INTERRUPTED, "interrupted while packages of another job are fetched")
                    .because(e);
        }
        try {
            return fetch(order, release.group(1), scratch, log);
        } catch (IOException e) {
            throw VseException.storage("packages cannot be kept", scratch, e);
        } finally {
            one.unlock();
        }
    }

    private List<Path> fetch(Order order, String codename, Path scratch, BuildLog log) throws IOException {
        Path configuration = configure(order, codename, scratch);
        apt("asking for new packages", order, configuration, log, List.of("update"));
        List<String> names = new ArrayList<>(List.of("--no-remove", "install", "--"));
        names.addAll(order.packages());
        long bytes = 0;
        for (String line : apt(
                        "choosing packages", order, configuration, log, and(List.of("-q", "--print-uris"), names))
                .stdout()
                .lines()
                .toList()) {
            Matcher uri = URI.matcher(line);
            bytes += uri.matches() ? Long.parseLong(uri.group(2)) : 0;
        }
        if (bytes > order.mostBytes()) {
            throw VseException.of(ErrorCode.DIFFERENCE_FAILED, "the packages are too large for this job")
                    .fact("together", (bytes >> 10) + " KiB")
                    .fact("allowed", (order.mostBytes() >> 10) + " KiB")
                    .next("raise build-size as far as the queue allows, or have an image built with them");
        }
        apt("fetching packages", order, configuration, log, and(List.of("--download-only"), names));
        List<Path> packages = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(scratch.resolve("archives"), "*.deb")) {
            for (Path file : files) {
                if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    packages.add(file);
                }
            }
        }
        packages.sort(null);
        return packages;
    }

    private Path configure(Order order, String codename, Path scratch) throws IOException {
        Path ours = sources.resolve(codename + ".list");
        boolean asHost = !Files.exists(ours);
        if (asHost && !codename.equals(hosts())) {
            throw VseException.of(
                            ErrorCode.DIFFERENCE_FAILED, "this node has no packages for release '" + codename + "'")
                    .fact("looked for", ours)
                    .next("an administrator writes that file, in the form of sources.list(5)");
        }
        Path lists = Files.createDirectories(home.resolve(codename).resolve("lists"));
        Path cache = Files.createDirectories(home.resolve(codename).resolve("cache"));
        if (asHost && isEmpty(lists) && Files.isDirectory(HOST_LISTS)) {
            try (Stream<Path> known = Files.list(HOST_LISTS)) {
                for (Path file : (Iterable<Path>) known::iterator) {
                    if (Files.isRegularFile(file) && Files.size(file) > 0) {
                        lend(Files.copy(file, lists.resolve(file.getFileName())));
                    }
                }
            }
        }
        for (Path directory : List.of(
                lists,
                Files.createDirectories(lists.resolve("partial")),
                cache,
                Files.createDirectories(scratch.resolve("archives")),
                Files.createDirectories(scratch.resolve("archives/partial")))) {
            lend(directory);
        }
        Path status = Files.writeString(scratch.resolve("status"), order.status());
        Path configuration = scratch.resolve("apt.conf");
        Files.writeString(
                configuration,
                setting("Dir::State", scratch.resolve("state"))
                        + setting("Dir::State::Lists", lists)
                        + setting("Dir::State::status", status)
                        + setting("Dir::Cache", cache)
                        + setting("Dir::Cache::Archives", scratch.resolve("archives"))
                        + (asHost ? "" : setting("Dir::Etc::sourcelist", ours) + setting("Dir::Etc::sourceparts", "-"))
                        + setting("APT::Sandbox::User", "")
                        + setting("APT::Install-Recommends", "false")
                        + setting("Acquire::Languages", "none")
                        + setting("Debug::NoLocking", "1"));
        return configuration;
    }

    private static String hosts() throws IOException {
        Matcher host = CODENAME.matcher(Files.readString(Path.of("/etc/os-release")));
        return host.find() ? host.group(1) : "";
    }

    private static boolean isEmpty(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.allMatch(Files::isDirectory);
        }
    }

    private static String setting(String name, Object value) {
        return name + " \"" + value + "\";\n";
    }

    private static void lend(Path file) throws IOException {
        Files.setAttribute(file, "unix:gid", NOBODY, LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(file, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);
    }

    private static List<String> and(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    private static CommandResult apt(
            String doing, Order order, Path configuration, BuildLog log, List<String> arguments) {
        List<String> argv = new ArrayList<>(
                List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--inh-caps=-all"));
        argv.addAll(List.of("--bounding-set=-all", "--no-new-privs", "--", "apt-get", "-q", "-y"));
        argv.addAll(arguments);
        Duration left = Duration.between(Instant.now(), order.until());
        if (left.isNegative() || left.isZero()) {
            throw VseException.of(ErrorCode.DIFFERENCE_FAILED, "the difference was not built in time");
        }
        try {
            return log.run(
                    doing,
                    Command.of(argv)
                            .withEnv(Map.of("APT_CONFIG", configuration.toString(), "LC_ALL", "C"))
                            .withCwd(configuration.resolveSibling(""))
                            .withTimeout(left));
        } catch (VseException e) {
            if (e.code() != ErrorCode.IMAGE_BUILD_FAILED) {
                throw e;
            }
            VseException failed = VseException.of(ErrorCode.DIFFERENCE_FAILED, doing + " failed")
                    .because(e);
            e.facts().forEach(failed::fact);
            throw failed;
        }
    }
}

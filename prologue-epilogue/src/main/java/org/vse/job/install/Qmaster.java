package org.vse.job.install;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/**
 * The queues and parallel environments of a Grid Engine: those of the running sge_qmaster, by qconf(1); below a directory that stands for a host's root,
 * those that a qmaster with classic spooling has written down there.
 */
final class Qmaster {
    private static final Path DEFAULTS = Path.of("/etc/default/gridengine");
    private static final Path OBJECTS = Path.of("/qconf");
    private static final CommandRunner COMMANDS = new CommandRunner();

    private final InstallPlan.Host host;

    Qmaster(InstallPlan.Host host) {
        this.host = host;
    }

    /** Where the cell has what all its hosts read. */
    Path common() {
        return Path.of(setting("SGE_ROOT", "/var/lib/gridengine"))
                .resolve(setting("SGE_CELL", "default"))
                .resolve("common");
    }

    /** Whether there is a cell on this host. */
    boolean isThere() {
        return host.text(common().resolve("bootstrap")).isPresent();
    }

    /** The names of the cluster queues, in the order of the qmaster. */
    List<String> queues() {
        if (runs()) {
            return qconf("-sql").stdout().lines().toList();
        }
        return names(spooled("cqueues"));
    }

    private List<String> names(Path spooled) {
        Path directory = host.at(spooled);
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first parallel environment by name that gives a job all its slots on one host and that every queue has. */
    Optional<String> onOneHost() {
        List<String> queues = queues();
        return environments().stream()
                .filter(name -> environment(name).value("allocation_rule").equals("$pe_slots"))
                .filter(name -> queues.stream()
                        .allMatch(queue -> List.of(queue(queue).value("pe_list").split("[\\s,]+"))
                                .contains(name)))
                .findFirst();
    }

    private List<String> environments() {
        if (runs()) {
            // Without any, qconf says so and fails.
            CommandResult listed = run("-spl");
            return listed.exitCode() == 0 ? listed.stdout().lines().sorted().toList() : List.of();
        }
        return names(spooled("pe"));
    }

    private QueueConf environment(String name) {
        return new QueueConf(
                runs()
                        ? qconf("-sp", name).stdout()
                        : host.text(spooled("pe").resolve(name)).orElse(""));
    }

    QueueConf queue(String name) {
        return new QueueConf(
                runs()
                        ? qconf("-sq", name).stdout()
                        : host.text(spooled("cqueues").resolve(name)).orElse(""));
    }

    /** The global configuration: lines like those of a queue. */
    QueueConf global() {
        return new QueueConf(
                runs()
                        ? qconf("-sconf").stdout()
                        : host.text(common().resolve("configuration")).orElse(""));
    }

    /** What becomes of a queue. */
    FileChange change(String name, QueueConf after) {
        Optional<String> before = Optional.of(queue(name).text());
        return runs()
                ? new FileChange(
                        OBJECTS.resolve("queue").resolve(name),
                        before,
                        Optional.of(after.text()),
                        false,
                        List.of("qconf", "-Mq"))
                : new FileChange(spooled("cqueues").resolve(name), before, Optional.of(after.text()), false);
    }

    /** Whether this host may ask the qmaster, as the hooks have to. */
    boolean answers() {
        return runs() && run("-sql").exitCode() == 0;
    }

    private boolean runs() {
        return host.root().getNameCount() == 0;
    }

    private Path spooled(String objects) {
        Matcher matcher = Pattern.compile("(?m)^qmaster_spool_dir\\s+(/\\S+)")
                .matcher(host.text(common().resolve("bootstrap")).orElse(""));
        return Path.of(matcher.find() ? matcher.group(1) : "/var/spool/gridengine/qmaster")
                .resolve(objects);
    }

    private String setting(String name, String otherwise) {
        Matcher matcher = Pattern.compile("(?m)^" + name + "=([A-Za-z0-9._/+-]+)$")
                .matcher(host.text(DEFAULTS).orElse(""));
        return matcher.find() ? matcher.group(1) : otherwise;
    }

    private CommandResult qconf(String... arguments) {
        return run(arguments).orThrow("asking Grid Engine's qmaster");
    }

    private static CommandResult run(String... arguments) {
        List<String> argv = new ArrayList<>(List.of("qconf"));
        argv.addAll(List.of(arguments));
        return COMMANDS.run(Command.of(argv).withEnv(Map.of("SGE_SINGLE_LINE", "1", "LC_ALL", "C")));
    }
}

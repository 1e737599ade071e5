package org.vse.job.daemon;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.job.lifecycle.Job;
import org.vse.job.step.Node;
import org.vse.job.step.Tree;
import org.vse.provisioner.VmStatus;

/**
 * Removes what is this installation's and has no living job attempt: machines, networks, control groups and sockets. What is ours is told by
 * its label, or stands in a directory that is ours alone; never by a name that others may choose. What is not ours is never
 * touched.
 *
 * <p>Every step of a job undoes itself; here is taken away what no step can, because its journal is gone or its undoing
 * failed.
 */
final class Reaper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);

    private final Node node;
    private final Path sockets;
    private final JobTable table;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "reaper");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * Takes where to look.
     *
     * @param run the daemon's directory of things that end with the machine
     */
    Reaper(Node node, Path run, JobTable table) {
        this.node = node;
        this.sockets = run.resolve("j");
        this.table = table;
    }

    /**
     * Looks again and again.
     *
     * @param first what is done before each look
     */
    void every(Duration interval, Runnable first) {
        var unused = clock.scheduleWithFixedDelay(
                () -> reapOrSay(first), interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void reapOrSay(Runnable first) {
        try {
            first.run();
            reap();
        } catch (RuntimeException e) {
            LOG.error("what has no job could not be removed; tried again later", e);
        }
    }

    /** Removes what has no living attempt now. */
    void reap() {
        // First what is there, then who lives: an attempt is in the table before it has anything.
        List<VmStatus> machines = node.driver().list();
        Set<String> networks = node.network().tags();
        List<Path> directories = directories();
        List<String> groups = List.copyOf(node.cgroups().jobs());
        Set<String> living = living();
        for (VmStatus machine : machines) {
            if (!living.contains(machine.label().job())) {
                LOG.warn("machine {} belongs to no job and is ended", machine.name());
                node.driver().destroy(machine.name());
            }
        }
        for (String tag : networks) {
            if (!living.contains(tag)) {
                LOG.warn("network {} belongs to no job and is removed", tag);
                node.network().remove(tag);
            }
        }
        for (String group : groups) {
            if (!living.contains(group)) {
                LOG.warn("control group {} belongs to no job and is removed", group);
                node.cgroups().remove(group);
            }
        }
        for (Path directory : directories) {
            if (!living.contains(String.valueOf(directory.getFileName()))) {
                LOG.warn("sockets {} belong to no job and are removed", directory);
                Tree.delete(directory);
            }
        }
    }

    private Set<String> living() {
        return table.all().stream()
                .filter(job -> !job.state().isFinal())
                .map(Job::record)
                .map(record -> record.tag())
                .collect(Collectors.toSet());
    }

    private List<Path> directories() {
        try (Stream<Path> entries = Files.list(sockets)) {
            return entries.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}

package org.vse.test.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.vse.process.CommandRunner;
import org.vse.process.ProcessIdentity;
import org.vse.provisioner.libvirt.PrivateLibvirtd;
import org.vse.test.site.Remains;
import org.vse.test.site.Site;

/** Processes of a site that tests kill, recognised by the site's own directories on their command line. */
final class Victim {
    private static final int SIGKILL = 9;

    private Victim() {}

    static ProcessIdentity vsed(Site site) {
        return one(site, " org.vse.job.cli.Vse vsed");
    }

    static ProcessIdentity qemu(Site site) {
        return one(site, "qemu-system");
    }

    static ProcessIdentity shareServer(Site site) {
        return one(site, "ganesha.nfsd -F");
    }

    static ProcessIdentity libvirtd(Site site) {
        return new PrivateLibvirtd(site.state(), site.run(), new CommandRunner())
                .identity()
                .orElseThrow();
    }

    /** Kills it and returns when it is gone. */
    static void kill(ProcessIdentity process) {
        assertThat(process.signal(SIGKILL))
                .as("%s was there to be killed", process)
                .isTrue();
        Awaitility.await("the end of " + process).atMost(Duration.ofSeconds(20)).until(() -> !process.alive());
    }

    /**
     * Kills vsed as soon as the job's journal says that a step has begun; the test fails when vsed got further.
     *
     * @return the job's directory
     */
    static Path killVsedIn(Site site, String step) {
        ProcessIdentity vsed = vsed(site);
        // Signal 0 asks only; from now on a signal costs next to nothing.
        assertThat(vsed.signal(0)).isTrue();
        Path job = awaitStep(site, step);
        kill(vsed);
        List<String> intents =
                journal(job).lines().filter(line -> line.contains("\"INTENT\"")).toList();
        assertThat(intents.get(intents.size() - 1))
                .as("the step in which vsed died")
                .contains(intent(step));
        return job;
    }

    /**
     * Returns once the journal of a job that goes on says that a step has begun.
     *
     * @return the job's directory
     */
    static Path awaitStep(Site site, String step) {
        String intent = intent(step);
        return await(site, journal -> journal.contains(intent) && !journal.contains("SETTLED"));
    }

    /**
     * Returns once the journal of a job that has not failed is like that.
     *
     * @return the job's directory
     */
    static Path await(Site site, Predicate<String> journal) {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        // Without a pause: some steps take a few milliseconds.
        while (System.nanoTime() < end) {
            Path job = jobWith(site, journal);
            if (!job.toString().isEmpty()) {
                return job;
            }
            Thread.onSpinWait();
        }
        throw new AssertionError("no job came so far");
    }

    private static String intent(String step) {
        return "\"INTENT\",\"step\":\"" + step + "\"";
    }

    /** The directories of all jobs. */
    static Set<Path> jobs(Site site) {
        try (Stream<Path> jobs = Files.list(site.state().resolve("jobs"))) {
            return jobs.collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** That file of all jobs of a directory. */
    static String read(Path jobs, String file) {
        try (Stream<Path> all = Files.list(jobs)) {
            return all.map(job -> text(job.resolve(file))).collect(Collectors.joining("\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String record(Path job) {
        return text(job.resolve("job.json"));
    }

    static String stdout(Path job) {
        return text(job.resolve("stdout"));
    }

    static String journal(Path job) {
        return text(job.resolve("journal"));
    }

    private static Path jobWith(Site site, Predicate<String> wanted) {
        try (Stream<Path> jobs = Files.list(site.state().resolve("jobs"))) {
            return jobs.filter(job -> {
                        String journal = journal(job);
                        return wanted.test(journal) && !journal.contains("FAILED");
                    })
                    .findFirst()
                    .orElse(Path.of(""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A process of the site with these words on its command line. */
    static Optional<ProcessIdentity> any(Site site, String words) {
        return Remains.processes(site).stream()
                .filter(process -> commandLine(process).contains(words))
                .findFirst();
    }

    private static ProcessIdentity one(Site site, String words) {
        List<ProcessIdentity> found = Remains.processes(site).stream()
                .filter(process -> commandLine(process).contains(words))
                .toList();
        assertThat(found).as("processes with '%s'", words).hasSize(1);
        return found.get(0);
    }

    private static String commandLine(ProcessIdentity process) {
        return text(Path.of("/proc", Long.toString(process.pid()), "cmdline")).replace('\0', ' ');
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            // Not there yet, or a process that ended while it was looked at.
            return "";
        }
    }
}

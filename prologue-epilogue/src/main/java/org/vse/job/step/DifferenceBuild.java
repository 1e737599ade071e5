package org.vse.job.step;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.Nearest;
import org.vse.imagestore.Wanted;
import org.vse.imagestore.build.BuildLog;
import org.vse.imagestore.build.PackageFetch;
import org.vse.imagestore.foreign.ImageCommit;
import org.vse.imagestore.foreign.ImportLimits;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.Progress;
import org.vse.policy.Difference;
import org.vse.policy.FileChange;
import org.vse.provisioner.VmLabel;
import org.vse.provisioner.VmName;
import org.vse.provisioner.edit.EditMachine;
import org.vse.provisioner.guest.GuestControl.GuestResult;

/** One build of a difference: a machine over an image, changed by what a job asks for, and kept. */
final class DifferenceBuild {
    /** Of the files that a difference copies. */
    static final int LARGEST_FILE = 64 << 20;

    private static final int PIECE = 1 << 20;
    private static final int TAIL_LINES = 12;
    private static final String SHELL = "/bin/sh";

    /** Where packages are in the guest before they are installed. */
    private static final String SHELF = "/var/lib/vse-difference";

    private static final String PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; "
            + "HOME=/root DEBIAN_FRONTEND=noninteractive; export PATH HOME DEBIAN_FRONTEND; ";

    /** No service starts because its package comes; policy-rc.d(8) says so while there is none of the site's. */
    private static final String INSTALL = PATH + "p=/usr/sbin/policy-rc.d; [ -e $p ] && p=; "
            + "[ -z \"$p\" ] || { printf '#!/bin/sh\\nexit 101\\n' >$p && chmod 755 $p; }; "
            + "dpkg --force-confold --force-unsafe-io --install " + SHELF + "/*.deb; code=$?; "
            + "[ -z \"$p\" ] || rm -f $p; rm -rf " + SHELF + "; exit $code";

    private final Differences differences;
    private final Node node;
    private final Job job;
    private final Progress progress;
    private final Instant until;

    DifferenceBuild(Differences differences, Node node, Job job, Progress progress, Instant until) {
        this.differences = differences;
        this.node = node;
        this.job = job;
        this.progress = progress;
        this.until = until;
    }

    /** The machine of a job's build. */
    static VmName name(JobRecord record) {
        return new VmName("vse-" + record.tag() + "-d");
    }

    /** Files of a job's build. */
    static Path directory(Job job) {
        return job.files().directory().resolve("difference");
    }

    static Path packages(Job job) {
        return job.files().directory().resolve("packages");
    }

    /** Ends a build and removes its files, wherever it was left. */
    static void remove(Node node, Job job) {
        EditMachine.remove(node.driver(), name(job.record()), directory(job));
        Tree.delete(packages(job));
    }

    Image make(Wanted wanted, Nearest.Start start, Difference difference, Map<FileChange, byte[]> contents) {
        Path logs = differences.store().logs();
        String what = "difference-" + wanted.key().substring(0, 12);
        BuildLog log = new BuildLog(
                node.commands(), logs.resolve(what + "-" + job.record().tag() + ".log"));
        log.note("job " + job.record().id() + " on " + start.image().digest());
        wanted.lines().forEach(line -> log.note((start.has().contains(line) ? "has " : "adds ") + line));
        try {
            return make(wanted, start, difference, contents, log);
        } catch (VseException e) {
            if (e.code() == ErrorCode.DIFFERENCE_FAILED) {
                e.fact("log", tail(log.file()));
            }
            throw e;
        } catch (IOException e) {
            throw VseException.storage("the difference of a job cannot be kept", directory(job), e);
        } finally {
            remove(node, job);
        }
    }

    private Image make(
            Wanted wanted, Nearest.Start start, Difference difference, Map<FileChange, byte[]> contents, BuildLog log)
            throws IOException {
        JobRecord record = job.record();
        JobRecord.Machine place = record.machinesOn(node.name()).get(0);
        EditMachine.Called called = new EditMachine.Called(
                name(record), new VmLabel(node.owner(), record.tag(), record.attempt(), place.index()));
        int vcpus = place.cores().isEmpty()
                ? 1
                : Math.min(place.vcpus(), place.cores().size());
        EditMachine.Host host = new EditMachine.Host(
                directory(job),
                directory(job),
                new EditMachine.Bound(difference.bytes(), () -> tooLarge(difference.bytes())),
                record.qemuUid(),
                record.qemuGid(),
                vcpus,
                place.cores().stream().limit(vcpus).toList(),
                place.memoryBytes(),
                shorter(node.timeouts().boot()));
        waiting("booting " + start.image().reference());
        try (EditMachine machine = EditMachine.boot(
                node.driver(),
                differences.ends(),
                called,
                node.commands(),
                node.accelerators(),
                host,
                node.images(),
                start.image(),
                status -> JobGroup.build(node, job, place, status),
                false,
                progress::waiting)) {
            List<String> packages = difference.packages().stream()
                    .filter(name -> !start.has().contains("package " + name))
                    .toList();
            install(machine, packages, difference.bytes(), log);
            for (FileChange change : difference.files()) {
                waiting("changing " + change.path());
                change(machine, change, contents, log);
            }
            for (String command : difference.run()) {
                waiting("running " + command);
                run(machine, log, "'" + command + "'", PATH + "cd /root; " + command);
            }
            waiting("ending its machine");
            machine.powerOff(left());
            return new ImageCommit(node.commands(), differences.store(), ImportLimits.DEFAULT)
                    .keep(
                            start.image(),
                            machine.disk(),
                            differences.cache(),
                            "difference of " + wanted.base() + ": " + String.join("; ", wanted.lines()),
                            (step, expected) -> waiting(step));
        }
    }

    private void waiting(String what) {
        progress.waiting("building difference: " + what, until);
    }

    private void install(EditMachine machine, List<String> packages, long mostBytes, BuildLog log) throws IOException {
        List<String> leave = packages.stream()
                .filter(name -> name.startsWith("-"))
                .map(name -> name.substring(1))
                .toList();
        List<String> come =
                packages.stream().filter(name -> !name.startsWith("-")).toList();
        if (!come.isEmpty()) {
            waiting("fetching " + String.join(", ", come));
            Path scratch = Files.createDirectories(
                    packages(job), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
            List<Path> files = differences
                    .packages()
                    .fetch(
                            new PackageFetch.Order(
                                    read(machine, "/etc/os-release", log),
                                    read(machine, "/var/lib/dpkg/status", log),
                                    come,
                                    mostBytes,
                                    until),
                            scratch,
                            log);
            if (!files.isEmpty()) {
                waiting("installing " + files.size() + " package(s)");
                run(machine, log, "making a directory", "mkdir -p " + SHELF);
                for (Path file : files) {
                    put(machine, file, SHELF + "/" + file.getFileName());
                }
                run(machine, log, "installing packages", INSTALL);
            }
        }
        if (!leave.isEmpty()) {
            waiting("removing " + String.join(", ", leave));
            run(machine, log, "removing packages", PATH + "exec dpkg --purge -- \"$@\"", leave);
        }
    }

    private void change(EditMachine machine, FileChange change, Map<FileChange, byte[]> contents, BuildLog log) {
        String path = change.path();
        String what = "changing '" + path + "'";
        String parent = PATH + "set -e; mkdir -p \"${1%/*}/\"; ";
        switch (change.kind()) {
            case COPY -> {
                byte[] bytes = Objects.requireNonNull(contents.get(change));
                run(machine, log, what, parent + "rm -f -- \"$1\"; : >\"$1\"", List.of(path));
                for (int at = 0; at < bytes.length; at += PIECE) {
                    append(machine, path, Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + PIECE)));
                }
            }
            case LINK -> run(machine, log, what, parent + "ln -sfn -- \"$2\" \"$1\"", List.of(path, change.with()));
            case DELETE -> run(machine, log, what, PATH + "exec rm -r -- \"$1\"", List.of(path));
            case EDIT ->
                // Without its commands that run programs or write other files.
                run(
                        machine,
                        log,
                        what,
                        PATH + "exec sed --sandbox -i -e \"$2\" -- \"$1\"",
                        List.of(path, change.with()));
        }
    }

    private String read(EditMachine machine, String file, BuildLog log) {
        return run(machine, log, "reading " + file, PATH + "exec cat \"$1\"", List.of(file), false)
                .stdout();
    }

    private void put(EditMachine machine, Path file, String to) throws IOException {
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            for (byte[] piece = in.readNBytes(PIECE); piece.length > 0; piece = in.readNBytes(PIECE)) {
                append(machine, to, piece);
            }
        }
    }

    private void append(EditMachine machine, String to, byte[] piece) {
        GuestResult result = machine.run(List.of(SHELL, "-c", "cat >>\"$1\"", "sh", to), piece, left());
        if (result.exitCode() != 0) {
            throw failed("writing '" + to + "' in the image", result);
        }
    }

    private void run(EditMachine machine, BuildLog log, String what, String script) {
        run(machine, log, what, script, List.of());
    }

    private void run(EditMachine machine, BuildLog log, String what, String script, List<String> arguments) {
        run(machine, log, what, script, arguments, true);
    }

    private GuestResult run(
            EditMachine machine, BuildLog log, String what, String script, List<String> arguments, boolean isNoted) {
        List<String> argv = Stream.concat(Stream.of(SHELL, "-c", script, "sh"), arguments.stream())
                .toList();
        log.note("guest: " + what);
        GuestResult result;
        try {
            result = machine.run(argv, new byte[0], left());
        } catch (VseException e) {
            if (e.code() == ErrorCode.GUEST_UNRESPONSIVE
                    && !node.clock().instant().isBefore(until)) {
                throw late().because(e);
            }
            throw e;
        }
        if (isNoted || result.exitCode() != 0) {
            log.note(result.stdout() + result.stderr());
        }
        if (result.exitCode() != 0) {
            throw failed(what, result);
        }
        return result;
    }

    private static VseException failed(String what, GuestResult result) {
        return VseException.of(
                        ErrorCode.DIFFERENCE_FAILED,
                        "the difference was not built: " + what + " ended with exit code " + result.exitCode())
                .next("correct packages, files or run");
    }

    private Duration left() {
        Duration left = Duration.between(node.clock().instant(), until);
        if (left.isNegative() || left.isZero()) {
            throw late();
        }
        return left;
    }

    private Duration shorter(Duration bound) {
        Duration left = left();
        return left.compareTo(bound) < 0 ? left : bound;
    }

    private VseException late() {
        return VseException.of(
                        ErrorCode.DIFFERENCE_FAILED,
                        "the difference was not built in "
                                + job.record().additions().changes().seconds() + " s")
                .next("raise build-timeout as far as the queue allows, or have an image built");
    }

    /** What the overlay takes; a guest that boots writes some MiB of its own. */
    private static VseException tooLarge(long mostBytes) {
        return VseException.of(ErrorCode.DIFFERENCE_FAILED, "the difference is too large for this job")
                .fact("allowed", (mostBytes >> 20) + " MiB")
                .next("raise build-size as far as the queue allows, or have an image built");
    }

    private static String tail(Path log) {
        try {
            List<String> lines = new ArrayList<>(Files.readAllLines(log, StandardCharsets.UTF_8));
            return String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
        } catch (IOException e) {
            return log + " cannot be read: " + e.getMessage();
        }
    }
}

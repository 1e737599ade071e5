package org.vse.job.step;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DifferenceCache;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Wanted;
import org.vse.imagestore.build.PackageFetch;
import org.vse.job.lifecycle.Job;
import org.vse.job.lifecycle.JobRecord;
import org.vse.job.lifecycle.Progress;
import org.vse.policy.Difference;
import org.vse.policy.FileChange;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;
import org.vse.provisioner.edit.EditMachine;

/**
 * Gives a job the image that differs from its own by what it asks for: one that the node has, or one that is made now, in a
 * machine of the job's own, on its cores and within its memory.
 *
 * @param store where images are added
 */
public record Differences(ImageStore store, DifferenceCache cache, PackageFetch packages, EditMachine.Ends ends) {
    private static final Duration READING = Duration.ofSeconds(60);

    /**
     * The image that the job's machines boot; its digest is noted in the job's files.
     *
     * @throws VseException DIFFERENCE_FAILED with the end of the build's log, DISK_FULL; what the node cannot do at all
     */
    Image image(Node node, Job job, Image base, Progress progress) {
        Difference difference = job.record().additions().changes();
        Instant until = node.clock().instant().plusSeconds(difference.seconds());
        Map<FileChange, byte[]> contents = contents(node.commands(), job.record(), difference);
        Wanted wanted = wanted(base, difference, contents);
        if (!cache.has(wanted)) {
            progress.waiting("building difference: " + words(difference), until);
        }
        return cache.obtain(
                wanted,
                base,
                start ->
                        new DifferenceBuild(this, node, job, progress, until).make(wanted, start, difference, contents),
                image -> job.boots(image.digest()));
    }

    private static String words(Difference difference) {
        List<String> words = new ArrayList<>();
        if (!difference.packages().isEmpty()) {
            words.add("packages " + String.join(", ", difference.packages()));
        }
        if (!difference.files().isEmpty()) {
            words.add(difference.files().size() + " changed file(s)");
        }
        if (!difference.run().isEmpty()) {
            words.add(difference.run().size() + " command(s)");
        }
        return String.join("; ", words);
    }

    /** What makes the difference: names of packages in any order, files by their content, commands in theirs. */
    static Wanted wanted(Image base, Difference difference, Map<FileChange, byte[]> contents) {
        List<String> lines = new ArrayList<>(difference.packages().stream()
                .sorted()
                .map(name -> "package " + name)
                .toList());
        for (FileChange change : difference.files()) {
            String with = change.kind() == FileChange.Kind.COPY
                    ? sha256(Objects.requireNonNull(contents.get(change)))
                    : change.with();
            lines.add("file " + change.kind() + " " + change.path() + " " + with);
        }
        difference.run().forEach(command -> lines.add("run " + command));
        boolean additive = difference.files().isEmpty()
                && difference.run().isEmpty()
                && difference.packages().stream().noneMatch(name -> name.startsWith("-"));
        return new Wanted(base.digest(), lines, additive);
    }

    /** The files that are copied, read with the rights of the job's user. */
    private static Map<FileChange, byte[]> contents(CommandRunner commands, JobRecord record, Difference difference) {
        Map<FileChange, byte[]> contents = new LinkedHashMap<>();
        long left = difference.bytes();
        for (FileChange change : difference.files()) {
            if (change.kind() == FileChange.Kind.COPY) {
                Path file = Path.of(record.cwd()).resolve(change.with()).normalize();
                byte[] bytes = read(commands, record.user(), file, left);
                left -= bytes.length;
                contents.put(change, bytes);
            }
        }
        return contents;
    }

    private static byte[] read(CommandRunner commands, JobRecord.User user, Path file, long mostBytes) {
        int most = (int) Math.min(mostBytes, DifferenceBuild.LARGEST_FILE);
        String groups = user.groups().stream()
                .map(group -> Integer.toString(group.gid()))
                .collect(Collectors.joining(","));
        List<String> argv = new ArrayList<>(List.of(
                "setpriv",
                "--reuid=" + user.uid(),
                "--regid=" + user.gid(),
                groups.isEmpty() ? "--clear-groups" : "--groups=" + groups,
                "--no-new-privs"));
        argv.addAll(List.of("--", "head", "--bytes=" + (most + 1L), "--", file.toString()));
        CommandResult result = commands.run(
                Command.of(argv).withTimeout(READING).withMaxOutput(most + 1), StandardCharsets.ISO_8859_1);
        if (result.exitCode() != 0) {
            throw VseException.of(ErrorCode.DIFFERENCE_FAILED, "'" + file + "' cannot be read as " + user.name())
                    .fact("said", result.stderr().strip());
        }
        byte[] bytes = result.stdout().getBytes(StandardCharsets.ISO_8859_1);
        if (bytes.length > most) {
            throw VseException.of(ErrorCode.DIFFERENCE_FAILED, "'" + file + "' is too large for this job")
                    .fact("allowed", (most >> 10) + " KiB")
                    .next("raise build-size as far as the queue allows, or leave the file in your home directory");
        }
        return bytes;
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

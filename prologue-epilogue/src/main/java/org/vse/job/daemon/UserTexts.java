package org.vse.job.daemon;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vse.job.Standing;
import org.vse.job.lifecycle.JobRecord;
import org.vse.policy.ScriptText;
import org.vse.policy.layer.DescriptionFiles;
import org.vse.process.Command;
import org.vse.process.CommandResult;
import org.vse.process.CommandRunner;

/**
 * Reads the files that a batch job's script names, by a process that is the job's user and nothing else: what that user cannot
 * read is not read, wherever a symbolic link leads. Never more than a description may have is read, and of regular files only.
 */
final class UserTexts implements DescriptionFiles.Source {
    private static final Logger LOG = LoggerFactory.getLogger(UserTexts.class);
    private static final Duration READING = Duration.ofSeconds(10);
    private static final int MISSING = 3;
    private static final int NO_FILE = 4;
    private static final int UNREADABLE = 5;
    private static final String READ = "[ -e \"$1\" ] || exit " + MISSING + "; [ -f \"$1\" ] || exit " + NO_FILE
            + "; [ -r \"$1\" ] || exit " + UNREADABLE + "; exec head --bytes=\"$2\" -- \"$1\"";

    private final CommandRunner commands;
    private final JobRecord.User user;
    private final String job;

    /** @param job id, for the log */
    UserTexts(CommandRunner commands, JobRecord.User user, String job) {
        this.commands = commands;
        this.user = user;
        this.job = job;
    }

    /** @throws org.vse.failure.VseException DESCRIPTION_INVALID in the words of {@code vse policy explain}, COMMAND_TIMEOUT */
    @Override
    public String text(Path file) {
        List<String> argv = new ArrayList<>(asUser());
        int most = DescriptionFiles.MAX_BYTES + 1;
        argv.addAll(List.of("/bin/sh", "-c", READ, "sh", file.toString(), Integer.toString(most)));
        CommandResult result =
                commands.run(Command.of(argv).withTimeout(READING).withMaxOutput(most), StandardCharsets.ISO_8859_1);
        switch (result.exitCode()) {
            case 0 -> {}
            case MISSING -> throw DescriptionFiles.missing(file);
            case NO_FILE -> throw DescriptionFiles.notAFile(file);
            case UNREADABLE -> throw DescriptionFiles.unreadable(file, DescriptionFiles.DENIED);
            default -> throw DescriptionFiles.unreadable(file, result.stderr().strip());
        }
        byte[] bytes = result.stdout().getBytes(StandardCharsets.ISO_8859_1);
        LOG.info("job {}: description '{}' is sha256:{}", job, file, sha256(bytes));
        return ScriptText.utf8(file.toString(), bytes);
    }

    private List<String> asUser() {
        if (Standing.of(Standing.uid()) == Standing.ORDINARY) {
            return List.of();
        }
        String groups = user.groups().stream()
                .map(group -> Integer.toString(group.gid()))
                .collect(Collectors.joining(","));
        return List.of(
                "setpriv",
                "--reuid=" + user.uid(),
                "--regid=" + user.gid(),
                groups.isEmpty() ? "--clear-groups" : "--groups=" + groups,
                "--no-new-privs",
                "--inh-caps=-all",
                "--bounding-set=-all",
                "--");
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

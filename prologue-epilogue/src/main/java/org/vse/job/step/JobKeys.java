package org.vse.job.step;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.guest.GuestSetup;

/** The ssh key that the machines of one job and its user share; made by ssh-keygen(1), never used again. */
final class JobKeys {
    private JobKeys() {}

    static GuestSetup.SshKey make(CommandRunner commands, Path file) {
        try {
            delete(file);
            commands.run(Command.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vse", "-f", file.toString()))
                    .orThrow("making the job's ssh key");
            String[] parts = Files.readString(publicFile(file)).strip().split(" ");
            return new GuestSetup.SshKey(parts[0] + " " + parts[1], Files.readString(file));
        } catch (IOException e) {
            throw VseException.storage("the job's ssh key cannot be kept", file, e);
        }
    }

    /** Removes both halves. Nothing there is no error. */
    static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
            Files.deleteIfExists(publicFile(file));
        } catch (IOException e) {
            throw VseException.of(ErrorCode.STORAGE_FAILED, "the job's ssh key cannot be removed")
                    .at(file.toString())
                    .because(e);
        }
    }

    private static Path publicFile(Path file) {
        return Path.of(file + ".pub");
    }
}

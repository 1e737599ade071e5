package org.vse.job.step;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.provisioner.guest.GuestSetup;

/** The ssh key that the machines of one job and its user share; made by ssh-keygen(1), never used again. */
final class JobKeys {
    private JobKeys() {}

    /** The key of a job; made when it is not there yet, whole. */
    static GuestSetup.SshKey ensure(CommandRunner commands, Path file) {
        try {
            if (!Files.exists(publicFile(file))) {
                delete(file);
                commands.run(Command.of(
                                "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vse", "-f", file.toString()))
                        .orThrow("making the job's ssh key");
            }
            String[] parts = Files.readString(publicFile(file)).strip().split(" ");
            return new GuestSetup.SshKey(parts[0] + " " + parts[1], Files.readString(file));
        } catch (IOException e) {
            throw VseException.storage("the job's ssh key cannot be kept", file, e);
        }
    }

    /** Keeps the key that another node has made for the job. */
    static void keep(GuestSetup.SshKey key, Path file) {
        try {
            delete(file);
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, key.privateKey());
            // The public half comes last: where it is, the key is whole.
            Files.writeString(publicFile(file), key.publicKey() + " vse\n");
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

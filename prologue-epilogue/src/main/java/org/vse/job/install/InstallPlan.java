package org.vse.job.install;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * Everything that an installation or its removal does to a host.
 *
 * @param changes in the order in which they are made
 * @param afterwards commands that the administrator then runs
 */
public record InstallPlan(List<FileChange> changes, List<String> afterwards) {
    public InstallPlan {
        changes = changes.stream().filter(change -> !change.isNothing()).toList();
        afterwards = List.copyOf(afterwards);
    }

    /** This and another. */
    public InstallPlan and(InstallPlan other) {
        List<FileChange> all = new ArrayList<>(changes);
        all.addAll(other.changes());
        List<String> commands = new ArrayList<>(afterwards);
        commands.addAll(other.afterwards());
        return new InstallPlan(all, commands);
    }

    /** The texts of a host's files, below a directory that stands for its root. */
    public record Host(Path root) {
        /** Empty when the file is not there. */
        Optional<String> text(Path path) {
            Path file = at(path);
            try {
                return Files.exists(file) ? Optional.of(Files.readString(file)) : Optional.empty();
            } catch (CharacterCodingException e) {
                throw VseException.of(ErrorCode.CONFIG_INVALID, "the file is not UTF-8 text")
                        .at(path.toString())
                        .because(e);
            } catch (IOException e) {
                throw failed(path, e);
            }
        }

        Path at(Path path) {
            return root.resolve(path.toString().substring(1));
        }
    }

    /** Makes the changes. A file that is replaced keeps its owner and its mode; a reader sees the old or the new one. */
    public void apply(Host host) {
        for (FileChange change : changes) {
            Path file = host.at(change.path());
            try {
                if (!change.loader().isEmpty()) {
                    load(change.loader(), change.after().orElse(""));
                } else if (change.after().isEmpty()) {
                    Files.deleteIfExists(file);
                } else {
                    write(file, change.after().get(), change.program());
                }
            } catch (IOException e) {
                throw failed(change.path(), e);
            }
        }
    }

    private static void load(List<String> loader, String text) throws IOException {
        Path file = Files.createTempFile("vse", "");
        try {
            Files.writeString(file, text);
            List<String> argv = new ArrayList<>(loader);
            argv.add(file.toString());
            new CommandRunner()
                    .run(Command.of(argv).withEnv(Map.of("LC_ALL", "C")))
                    .orThrow("loading a part of the installation");
        } finally {
            Files.delete(file);
        }
    }

    private static void write(Path file, String text, boolean program) throws IOException {
        Path target = Files.isSymbolicLink(file) ? file.toRealPath() : file;
        Files.createDirectories(target.resolveSibling(""));
        Path part = target.resolveSibling(target.getFileName() + ".vse-part");
        Files.writeString(part, text);
        if (Files.exists(target)) {
            PosixFileAttributes old =
                    Files.readAttributes(target, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            PosixFileAttributeView view = Files.getFileAttributeView(part, PosixFileAttributeView.class);
            view.setOwner(old.owner());
            view.setGroup(old.group());
            view.setPermissions(old.permissions());
        } else {
            Files.setPosixFilePermissions(part, PosixFilePermissions.fromString(program ? "rwxr-xr-x" : "rw-r--r--"));
        }
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static VseException failed(Path path, IOException e) {
        return VseException.of(ErrorCode.STORAGE_FAILED, "a file of the installation cannot be read or written")
                .at(path.toString())
                .fact("reason", String.valueOf(e.getMessage()))
                .because(e);
    }
}

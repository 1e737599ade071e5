package org.vse.job;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A directory of one ordinary user, in a place where others may have been first, such as {@code /tmp}: a directory, no link,
 * that this user (or root) owns and nobody else may write to. Whoever sends a job to a socket in it sends it to no stranger.
 */
public final class OwnDirectory {
    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");

    private OwnDirectory() {}

    /**
     * Makes the directory with its parents, or makes sure that the one that is there is this user's, and closes it to others.
     *
     * @throws VseException DAEMON_UNREACHABLE as {@link #require}
     */
    public static void make(Path directory, int uid) throws IOException {
        Path parent = directory.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(PRIVATE));
        } catch (FileAlreadyExistsException e) {
            require(directory, uid);
        }
        Files.setPosixFilePermissions(directory, PRIVATE);
    }

    /**
     * Returns when there is no such directory, or it can be trusted.
     *
     * @throws VseException DAEMON_UNREACHABLE when it is a link, no directory, another user's, or writable by others
     */
    public static void require(Path directory, int uid) {
        try {
            PosixFileAttributes found =
                    Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            int owner = (Integer) Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            String reason = doubt(found.isDirectory(), owner, found.permissions(), uid);
            if (!reason.isEmpty()) {
                throw VseException.of(
                                ErrorCode.DAEMON_UNREACHABLE,
                                "directory '" + directory + "' is not safe for uid " + uid)
                        .fact("reason", reason)
                        .next("remove it, or set VSE_RUN_DIR and VSE_STATE_DIR to directories of your own");
            }
        } catch (NoSuchFileException e) {
            // Whoever makes it makes it safe.
            return;
        } catch (IOException e) {
            throw VseException.of(ErrorCode.DAEMON_UNREACHABLE, "directory '" + directory + "' cannot be looked at")
                    .fact("reason", e)
                    .because(e);
        }
    }

    /** Why a directory with these attributes is not to be trusted by that user; empty when it is. */
    static String doubt(boolean isDirectory, int owner, Set<PosixFilePermission> permissions, int uid) {
        if (!isDirectory) {
            return "it is a link or no directory";
        }
        if (owner != uid && owner != 0) {
            return "it belongs to uid " + owner;
        }
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            return "others may write to it";
        }
        return "";
    }
}

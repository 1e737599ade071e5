package org.vse.provisioner.share;

import java.nio.file.Path;
import java.util.List;

/**
 * Directories served to one job by NFSv4, every request squashed to the job's user.
 *
 * @param namespace network namespace that the server lives in; whoever reaches the server is the user
 * @param address address in that namespace; port 2049
 * @param uid host user that every access happens as; never 0
 * @param gid host group likewise
 * @param groups further groups that decide which directories the user can reach; requests themselves have {@code gid} only
 * @param directories opened as the user, exported as {@code /0}, {@code /1}, … in order
 * @param mounts exported after them, in order
 */
public record NfsShare(
        String namespace,
        String address,
        int uid,
        int gid,
        List<Integer> groups,
        List<Path> directories,
        List<Mount> mounts) {
    public NfsShare {
        groups = List.copyOf(groups);
        directories = List.copyOf(directories);
        mounts = List.copyOf(mounts);
        if (uid <= 0 || gid < 0) {
            throw new IllegalArgumentException("a share belongs to an ordinary user, not to uid " + uid);
        }
        if (directories.stream().anyMatch(d -> !d.isAbsolute())) {
            throw new IllegalArgumentException("not absolute: " + directories);
        }
    }

    /**
     * A directory of the node. Its path is its own: one that leads through a symbolic link is refused when it is opened.
     *
     * @param writable whether requests may change anything
     */
    public record Mount(Path directory, boolean writable) {}

    /** Whether requests may change anything in an exported directory. */
    boolean isWritable(int index) {
        return index < directories.size()
                || mounts.get(index - directories.size()).writable();
    }

    /** Name of an exported directory at the server. */
    public static String export(int index) {
        return "/" + index;
    }
}

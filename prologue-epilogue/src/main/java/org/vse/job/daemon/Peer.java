package org.vse.job.daemon;

import org.jspecify.annotations.Nullable;

/**
 * Who calls: a process of this host, as the kernel says (SO_PEERCRED, unix(7)), or the daemon of another node, as its
 * certificate says; never what the request says.
 *
 * @param pid of the process; -1 for a node
 * @param uid of the process; -1, which is nobody's, for a node
 * @param owner uid that the daemon runs as
 * @param node name of the node in its certificate; null for a process of this host
 */
public record Peer(
        int pid, int uid, int gid, int owner, @Nullable String node) {
    /** Somebody who has not said who they are. */
    static final Peer UNKNOWN = new Peer(-1, -1, -1, 0);

    /** A process of this host. */
    public Peer(int pid, int uid, int gid, int owner) {
        this(pid, uid, gid, owner, null);
    }

    /** The daemon of another node, which is no user and may touch no user's job through a user's call. */
    public static Peer ofNode(String name) {
        return new Peer(-1, -1, -1, 0, name);
    }

    /** Root and the daemon's own user may see and touch every job. */
    public boolean isAdmin() {
        return node == null && (uid == 0 || uid == owner);
    }

    /** True when a job of that uid may be seen and touched by this caller. */
    public boolean mayTouch(int jobUid) {
        return node == null && (isAdmin() || uid == jobUid);
    }
}

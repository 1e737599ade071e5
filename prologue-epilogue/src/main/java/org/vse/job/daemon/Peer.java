package org.vse.job.daemon;

/**
 * Who calls, as the kernel says (SO_PEERCRED, unix(7)); never what the request says.
 *
 * @param owner uid that the daemon runs as
 */
public record Peer(int pid, int uid, int gid, int owner) {
    /** Root and the daemon's own user may see and touch every job. */
    public boolean isAdmin() {
        return uid == 0 || uid == owner;
    }

    /** True when a job of that uid may be seen and touched by this caller. */
    public boolean mayTouch(int jobUid) {
        return isAdmin() || uid == jobUid;
    }
}

package org.vse.policy;

/** What holds where nobody said anything. The only place where these values are written. */
final class Defaults {
    static final String MEMORY = "512MiB";
    static final String VMS_PER_NODE = "1";
    static final String NETWORK = "job";
    static final String OVERSUBSCRIBE = "no";
    static final String ROOT = "no";
    static final OnWalltime ON_WALLTIME = OnWalltime.KILL;

    private Defaults() {}

    /** NFS needs the job's own network; without it 9p does the same with the user's rights. */
    static Share share(Network network) {
        return switch (network) {
            case JOB -> Share.NFS;
            case USER -> Share.P9;
        };
    }
}

package org.vse.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/** What a process of ours may do on this host, which decides what a daemon can offer. */
public enum Standing {
    /** Runs machines for every user, with networks and share servers of their own. */
    ROOT,
    /** Runs single machines for itself. */
    ORDINARY;

    /** The standing of that uid. */
    public static Standing of(int uid) {
        return uid == 0 ? ROOT : ORDINARY;
    }

    /** The effective uid of this process. */
    public static int uid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            throw VseException.of(ErrorCode.INTERNAL, "the own uid of this process cannot be read")
                    .because(e);
        }
    }
}

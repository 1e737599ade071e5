package org.vse.job.cli;

import java.io.PrintStream;

/** The daemon, as the command line starts it. */
public interface DaemonEntry {
    /**
     * Runs the daemon to its end.
     *
     * @param ready gets the one line {@code ready} once the socket accepts calls; when it never will, the rendered failure
     * @return the exit code of the process
     */
    int run(PrintStream ready);
}

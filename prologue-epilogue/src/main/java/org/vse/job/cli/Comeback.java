package org.vse.job.cli;

import java.time.Duration;
import java.util.function.Consumer;
import org.vse.job.client.DaemonReturn;
import org.vse.job.client.VsedClient;

/**
 * What to do when the daemon goes away under a running job: whoever may start one does, everybody else waits for it. The
 * job itself does not depend on the daemon and goes on. Thread-safe; of several callers one acts.
 */
final class Comeback {
    private final VsedClient client;
    private final DaemonLauncher launcher;
    private final Duration patience;
    private final Consumer<String> say;

    Comeback(VsedClient client, DaemonLauncher launcher, Duration patience, Consumer<String> say) {
        this.client = client;
        this.launcher = launcher;
        this.patience = patience;
        this.say = say;
    }

    /**
     * Returns once a daemon answers again.
     *
     * @throws org.vse.failure.VseException DAEMON_UNREACHABLE after the patience, DAEMON_START_FAILED
     */
    synchronized void await(String job) {
        if (client.reachable()) {
            return;
        }
        if (launcher.mayStart()) {
            say.accept("vse: vsed has gone; job " + job + " goes on, starting another vsed");
            launcher.ensure(client);
        } else {
            say.accept("vse: vsed has gone; job " + job + " goes on, waiting for another vsed, " + patience.toSeconds()
                    + " s left");
            new DaemonReturn(client, patience).await(job);
        }
        say.accept("vse: attached to job " + job + " again");
    }
}

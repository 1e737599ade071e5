package org.vse.job.cli;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.function.Consumer;
import org.vse.job.OwnDirectory;
import org.vse.job.Standing;
import org.vse.job.client.VsedClient;
import org.vse.process.CommandRunner;

/**
 * What commands work with.
 *
 * @param environment of this process
 * @param directory the current directory
 */
record Context(
        Io io,
        Map<String, String> environment,
        Path directory,
        Site site,
        Self self,
        DaemonEntry daemon,
        CommandRunner runner,
        Clock clock) {
    Context {
        environment = Map.copyOf(environment);
    }

    /** @throws org.vse.failure.VseException DAEMON_UNREACHABLE when the socket may be a stranger's */
    VsedClient client() {
        if (site.standing() == Standing.ORDINARY) {
            OwnDirectory.require(site.run(), site.uid());
        }
        return new VsedClient(site.socket());
    }

    DaemonLauncher launcher(boolean quiet) {
        return new DaemonLauncher(site, self, environment, runner, progress(quiet));
    }

    ImageOnDemand images(boolean quiet) {
        return new ImageOnDemand(
                site.images(),
                site.config().resolve("vsed.yaml"),
                Self.recipes(),
                site.standing(),
                self,
                runner,
                progress(quiet));
    }

    private Consumer<String> progress(boolean quiet) {
        return line -> {
            if (!quiet) {
                io.say(line);
            }
        };
    }
}

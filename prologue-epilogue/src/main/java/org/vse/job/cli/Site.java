package org.vse.job.cli;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where things are on this node.
 *
 * @param run socket and locks; {@code VSE_RUN_DIR}, by default {@code /run/vse}
 * @param state journal, images, logs; {@code VSE_STATE_DIR}, by default {@code /var/lib/vse}
 * @param config {@code VSE_CONFIG_DIR}, by default {@code /etc/vse}
 */
record Site(Path run, Path state, Path config) {
    static Site of(Map<String, String> environment) {
        return new Site(
                path(environment, "VSE_RUN_DIR", "/run/vse"),
                path(environment, "VSE_STATE_DIR", "/var/lib/vse"),
                path(environment, "VSE_CONFIG_DIR", "/etc/vse"));
    }

    Path socket() {
        return run.resolve("vsed.sock");
    }

    /** What the daemon says before its own log is open, and what kills it. */
    Path daemonLog() {
        return state.resolve("vsed.out");
    }

    private static Path path(Map<String, String> environment, String name, String otherwise) {
        String value = environment.getOrDefault(name, "");
        return Path.of(value.isEmpty() ? otherwise : value).toAbsolutePath();
    }
}

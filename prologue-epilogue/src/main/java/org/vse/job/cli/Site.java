package org.vse.job.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.vse.imagestore.ImageStore;
import org.vse.job.Standing;

/**
 * Where things are on this node, for whoever runs this command.
 *
 * @param run socket and locks
 * @param state journal, images, logs
 * @param config directory of {@code vsed.yaml}
 * @param moreImages an image store that is only read, for images that {@code state} does not have; null for none
 * @param uid of this process
 */
record Site(Path run, Path state, Path config, @Nullable Path moreImages, int uid) {
    private static final Path SYSTEM_RUN = Path.of("/run/vse");
    private static final String RUN = "VSE_RUN_DIR";
    private static final String STATE = "VSE_STATE_DIR";
    private static final String CONFIG = "VSE_CONFIG_DIR";
    private static final String IMAGES = "VSE_IMAGES_DIR";

    /**
     * Decides, in this order: what the variables say; for root the directories of the system; for anybody else the same
     * while root's daemon answers there, else directories of this user only.
     *
     * @param systemAnswers whether root's daemon accepts connections; asked only where it matters
     */
    static Site of(Map<String, String> environment, int uid, BooleanSupplier systemAnswers) {
        boolean told = isSet(environment, RUN) || isSet(environment, STATE);
        if (Standing.of(uid) == Standing.ROOT || (!told && systemAnswers.getAsBoolean())) {
            return new Site(
                    path(environment, RUN, SYSTEM_RUN),
                    path(environment, STATE, Path.of("/var/lib/vse")),
                    path(environment, CONFIG, Path.of("/etc/vse")),
                    isSet(environment, IMAGES) ? path(environment, IMAGES, Path.of("/")) : null,
                    uid);
        }
        Path home = path(environment, "HOME", Path.of(System.getProperty("user.home", "/")));
        return new Site(
                path(environment, RUN, Path.of("/tmp/vse-" + uid)),
                path(
                        environment,
                        STATE,
                        path(environment, "XDG_STATE_HOME", home.resolve(".local/state"))
                                .resolve("vse")),
                path(
                        environment,
                        CONFIG,
                        path(environment, "XDG_CONFIG_HOME", home.resolve(".config"))
                                .resolve("vse")),
                path(environment, IMAGES, ImageStore.DEFAULT_ROOT),
                uid);
    }

    /** The socket of root's daemon where nobody says otherwise. */
    static Path systemSocket() {
        return SYSTEM_RUN.resolve("vsed.sock");
    }

    Path socket() {
        return run.resolve("vsed.sock");
    }

    /** What the daemon says before its own log is open, and what kills it. */
    Path daemonLog() {
        return state.resolve("vsed.out");
    }

    Standing standing() {
        return Standing.of(uid);
    }

    /** The images that jobs can name. */
    ImageStore images() {
        return ImageStore.over(state.resolve("images"), moreImages);
    }

    /** Leads another process of the same user to the same directories, whatever its own environment is. */
    Map<String, String> variables() {
        Map<String, String> variables =
                new TreeMap<>(Map.of(RUN, run.toString(), STATE, state.toString(), CONFIG, config.toString()));
        if (moreImages != null) {
            variables.put(IMAGES, moreImages.toString());
        }
        return variables;
    }

    private static boolean isSet(Map<String, String> environment, String name) {
        return !environment.getOrDefault(name, "").isEmpty();
    }

    private static Path path(Map<String, String> environment, String name, Path otherwise) {
        return isSet(environment, name)
                ? Path.of(environment.getOrDefault(name, "")).toAbsolutePath()
                : otherwise.toAbsolutePath();
    }
}

package org.vse.job.daemon;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.CacheRoom;
import org.vse.imagestore.DirectorySource;
import org.vse.imagestore.ImageCache;
import org.vse.imagestore.ImageSource;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.ImageTransfer;

/** Where this node gets images that it does not have. */
public final class NodeImages {
    /** How long a source may take for 4 MiB. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private NodeImages() {}

    /**
     * Whether jobs of this node can name an image, for whoever only looks.
     *
     * @return empty when only the node's daemon can tell, because another node's has to be asked
     * @throws VseException IMAGE_SOURCE_FAILED, CONFIG_INVALID
     */
    public static Optional<Boolean> has(ImageStore own, Path config, String reference) {
        ConfigFile.Value source = ConfigFile.read(config).get(ConfigFile.Key.IMAGE_SOURCE);
        boolean isNode = source != null && !isDirectory(source);
        ImageStore visible = isNode
                ? own
                : store(own, config, room(own, config, new ImageUse(new JobTable())), (n, d) -> Optional.empty());
        try {
            return Optional.of(visible.resolve(reference).digest().startsWith("sha256:"));
        } catch (VseException e) {
            if (e.code() != ErrorCode.IMAGE_UNKNOWN) {
                throw e;
            }
            return isNode ? Optional.empty() : Optional.of(false);
        }
    }

    /**
     * The node's store; backed by a cache when the configuration names a source.
     *
     * @param neighbours the images of another node, by its name; empty when this node speaks to none
     */
    static ImageStore store(
            ImageStore own,
            Path config,
            CacheRoom room,
            BiFunction<String, Duration, Optional<ImageSource>> neighbours) {
        ConfigFile.Value source = ConfigFile.read(config).get(ConfigFile.Key.IMAGE_SOURCE);
        if (source == null) {
            return own;
        }
        ImageTransfer transfer = new ImageTransfer(own, List.of(source(source, neighbours)), PATIENCE);
        return own.backedBy(new ImageCache(own, transfer, room));
    }

    /** The room for what this node can get again, as the configuration bounds it. */
    static CacheRoom room(ImageStore own, Path config, ImageUse use) {
        ConfigFile.Value otherwise = new ConfigFile.Value(ConfigFile.Key.IMAGE_CACHE.otherwise(), "the default");
        long budget = ConfigFile.size(ConfigFile.read(config).getOrDefault(ConfigFile.Key.IMAGE_CACHE, otherwise));
        return new CacheRoom(own, budget, () -> use.now().keySet(), Clock.systemUTC());
    }

    private static ImageSource source(
            ConfigFile.Value value, BiFunction<String, Duration, Optional<ImageSource>> neighbours) {
        check(value);
        if (isDirectory(value)) {
            return new DirectorySource(Path.of(value.text()).normalize());
        }
        return neighbours
                .apply(value.text(), PATIENCE)
                .orElseThrow(() -> VseException.of(
                                ErrorCode.CONFIG_INVALID,
                                "image source '" + value.text() + "' is a node, and this one speaks to none")
                        .at(value.position())
                        .next("set 'peer-listen' too, or name a directory"));
    }

    /** @throws VseException CONFIG_INVALID unless it is an absolute path or the name of a node */
    static void check(ConfigFile.Value value) {
        if (!isDirectory(value) && !value.text().matches("[A-Za-z0-9-]{1,63}")) {
            throw VseException.of(
                            ErrorCode.CONFIG_INVALID,
                            "'" + value.text() + "' is neither an absolute path nor the name of a node")
                    .at(value.position())
                    .fact("expected", "the directory of another image store, or a node whose vsed has one");
        }
    }

    private static boolean isDirectory(ConfigFile.Value value) {
        return value.text().startsWith("/");
    }
}

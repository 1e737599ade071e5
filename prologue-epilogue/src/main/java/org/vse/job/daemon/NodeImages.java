package org.vse.job.daemon;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DirectorySource;
import org.vse.imagestore.ImageCache;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.ImageTransfer;

/** Where this node gets images that it does not have. */
public final class NodeImages {
    /** How long a source may take for 4 MiB. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private NodeImages() {}

    /** What jobs of this node can name, for whoever only looks: images of the source that the configuration names too. */
    public static ImageStore visible(ImageStore own, Path config) {
        return store(own, config, new ImageUse(new JobTable()));
    }

    /** The node's store; backed by a cache when the configuration names a source. */
    static ImageStore store(ImageStore own, Path config, ImageUse use) {
        Map<ConfigFile.Key, ConfigFile.Value> values = ConfigFile.read(config);
        ConfigFile.Value source = values.get(ConfigFile.Key.IMAGE_SOURCE);
        if (source == null) {
            return own;
        }
        ConfigFile.Value otherwise = new ConfigFile.Value(ConfigFile.Key.IMAGE_CACHE.otherwise(), "the default");
        long budget = ConfigFile.size(values.getOrDefault(ConfigFile.Key.IMAGE_CACHE, otherwise));
        ImageTransfer transfer = new ImageTransfer(own, List.of(new DirectorySource(source(source))), PATIENCE);
        return own.backedBy(
                new ImageCache(own, transfer, budget, () -> use.now().keySet(), Clock.systemUTC()));
    }

    /** @throws VseException CONFIG_INVALID unless it is an absolute path */
    static Path source(ConfigFile.Value value) {
        if (!value.text().startsWith("/")) {
            throw VseException.of(ErrorCode.CONFIG_INVALID, "'" + value.text() + "' is not an absolute path")
                    .at(value.position())
                    .fact("expected", "the directory of another image store");
        }
        return Path.of(value.text()).normalize();
    }
}

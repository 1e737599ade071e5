package org.vse.job.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Retag;
import org.vse.imagestore.build.ImageBuilder;
import org.vse.imagestore.recipe.RecipeParser;
import org.vse.job.Standing;
import org.vse.job.daemon.NodeImages;
import org.vse.process.CommandRunner;

/** Builds an image from its recipe, and does so by itself for the images whose recipes come with this software. */
final class ImageOnDemand {
    private final ImageStore store;
    private final Path config;
    private final Path recipes;
    private final Standing standing;
    private final Self self;
    private final CommandRunner runner;
    private final Consumer<String> say;

    /**
     * Takes where recipes are looked for.
     *
     * @param config the daemon's {@code vsed.yaml}: an image that its source has is not built
     * @param recipes directory of {@code NAME.yaml}
     * @param self how root would start this program
     * @param say gets lines of progress
     */
    ImageOnDemand(
            ImageStore store,
            Path config,
            Path recipes,
            Standing standing,
            Self self,
            CommandRunner runner,
            Consumer<String> say) {
        this.store = store;
        this.config = config;
        this.recipes = recipes;
        this.standing = standing;
        this.self = self;
        this.runner = runner;
        this.say = say;
    }

    /**
     * Builds the image when the store does not have it, a recipe of its name is there, and the store may be written.
     *
     * @throws VseException NOT_PERMITTED as {@link #build}
     */
    void ensure(String reference) {
        String name = reference.replaceFirst(":.*", "");
        Path recipe = recipes.resolve(name + ".yaml");
        if (!Files.isRegularFile(recipe) || isKnown(reference)) {
            return;
        }
        requireRoot(name, recipe);
        if (!mayWrite()) {
            return;
        }
        say.accept("vse: image '" + name + "' is not here yet; building it once from " + recipe);
        build(recipe, Retag.REFUSE);
    }

    /**
     * Builds the image of a recipe.
     *
     * @throws VseException NOT_PERMITTED for anybody but root: the files of an image belong to root and others
     */
    Image build(Path recipe, Retag retag) {
        requireRoot(String.valueOf(recipe.getFileName()).replaceFirst("\\.yaml$", ""), recipe);
        long begin = System.nanoTime();
        Image image = new ImageBuilder(runner, store)
                .build(
                        RecipeParser.parse(recipe),
                        retag,
                        (what, expected) -> say.accept("vse: image: " + what + about(expected)));
        long seconds = Duration.ofNanos(System.nanoTime() - begin).toSeconds();
        say.accept("vse: image '" + image.reference() + "' is ready after " + seconds + " s, " + image.digest());
        return image;
    }

    /** What only another node can tell, the daemon asks it. */
    private boolean isKnown(String reference) {
        return NodeImages.has(store, config, reference).orElse(true);
    }

    private void requireRoot(String name, Path recipe) {
        if (standing != Standing.ROOT) {
            List<String> argv = self.with("image", "build", recipe.toString());
            throw VseException.of(
                            ErrorCode.NOT_PERMITTED, "image '" + name + "' is not here, and only root can build it")
                    .fact("looked in", store.roots())
                    .next("sudo " + String.join(" ", argv));
        }
    }

    private boolean mayWrite() {
        Optional<Path> existing = Optional.of(store.root());
        while (existing.isPresent() && !Files.exists(existing.get())) {
            existing = Optional.ofNullable(existing.get().getParent());
        }
        return existing.map(Files::isWritable).orElse(false);
    }

    private static String about(Duration expected) {
        return expected.compareTo(Duration.ofSeconds(1)) <= 0 ? "" : ", about " + expected.toSeconds() + " s";
    }
}

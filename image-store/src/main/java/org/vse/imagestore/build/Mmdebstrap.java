package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.vse.imagestore.recipe.Recipe;
import org.vse.process.Command;

/**
 * Packages by mmdebstrap(1) from the mirrors of the node's own apt configuration or mmdebstrap's default. Needs root. Kernels
 * are unpacked, not installed, so that no initramfs generator enters the image. What a recipe adds to one that it extends is
 * installed on top of that one's tree, so that the same tree may serve for several.
 */
public final class Mmdebstrap implements PackageSource {
    private static final Duration LONGEST = Duration.ofMinutes(20);
    private static final Duration UNPACKING = Duration.ofMinutes(5);

    /** Where mmdebstrap(1) keeps the patterns that dpkg never unpacks. */
    private static final String PATTERNS = "/etc/dpkg/dpkg.cfg.d/99mmdebstrap";

    private final @Nullable Path shelf;

    /** Makes everything anew. */
    public Mmdebstrap() {
        this(null);
    }

    /**
     * Makes everything once and keeps it: for builds of one moment, since what is kept has the package versions of the first.
     *
     * @param shelf a directory that the caller removes; null to keep nothing
     */
    public Mmdebstrap(@Nullable Path shelf) {
        this.shelf = shelf;
    }

    @Override
    public void installPackages(Recipe recipe, Path root, Path scratch, BuildLog log) {
        Optional<Path> below = Optional.empty();
        String key = recipe.suite() + " " + recipe.variant();
        for (Recipe.Stage stage : recipe.stages()) {
            key += "\n" + stage.packages() + " " + stage.exclude();
            Path tar = place(key, scratch);
            if (!Files.exists(tar)) {
                List<String> argv = new ArrayList<>(installing(recipe, stage, below.isPresent()));
                below.ifPresent(tree -> {
                    argv.add("--setup-hook=tar-in " + tree + " /");
                    argv.add("--setup-hook=upload " + patterns(stage, scratch, log) + " " + PATTERNS);
                });
                argv.add(recipe.suite());
                make(tar, argv, "installing packages", scratch, log);
            }
            if (below.isPresent() && shelf == null) {
                delete(below.get(), log);
            }
            below = Optional.of(tar);
        }
        Path tar = below.orElseThrow();
        log.run(
                "unpacking the root directory",
                UNPACKING,
                "tar",
                "-C",
                root.toString(),
                "-xpf",
                tar.toString(),
                "--numeric-owner");
        forget(tar, log);
    }

    @Override
    public void unpackKernels(Recipe recipe, Path root, Path scratch, BuildLog log) {
        List<String> packages = recipe.kernels().stream()
                .map(Recipe.KernelRecipe::packageName)
                .distinct()
                .toList();
        Path tar = place(recipe.suite() + " kernels " + packages, scratch);
        if (!Files.exists(tar)) {
            List<String> argv = List.of(
                    "mmdebstrap",
                    "--format=tar",
                    "--variant=extract",
                    "--include=" + String.join(",", packages),
                    recipe.suite());
            make(tar, argv, "fetching kernels", scratch, log);
        }
        log.run(
                "unpacking kernels",
                UNPACKING,
                "tar",
                "-C",
                root.toString(),
                "-xf",
                tar.toString(),
                "--wildcards",
                "./boot/*",
                "./lib/modules/*");
        forget(tar, log);
    }

    private static List<String> installing(Recipe recipe, Recipe.Stage stage, boolean onTop) {
        String variant = onTop ? "custom" : recipe.variant();
        List<String> argv = new ArrayList<>(List.of("mmdebstrap", "--format=tar", "--variant=" + variant));
        argv.add("--aptopt=APT::Install-Recommends \"false\"");
        stage.exclude().forEach(pattern -> argv.add("--dpkgopt=path-exclude=" + pattern));
        if (!stage.packages().isEmpty()) {
            argv.add("--include=" + String.join(",", stage.packages()));
        }
        return argv;
    }

    /** A tar file that is whole once it has its name. */
    private static void make(Path tar, List<String> argv, String doing, Path scratch, BuildLog log) {
        Path part = tar.resolveSibling("part.tar");
        List<String> whole = new ArrayList<>(argv);
        whole.add(part.toString());
        Map<String, String> environment =
                Map.of("SOURCE_DATE_EPOCH", Long.toString(ImageBuilder.EPOCH), "TMPDIR", scratch.toString());
        log.run(doing, Command.of(whole).withEnv(environment).withTimeout(LONGEST));
        try {
            Files.move(part, tar);
        } catch (IOException e) {
            throw log.failed("an archive cannot be kept").fact("reason", e).because(e);
        }
    }

    /** What the tree on which it is laid has there would take the place of this stage's own patterns. */
    private static Path patterns(Recipe.Stage stage, Path scratch, BuildLog log) {
        String lines = stage.exclude().stream()
                .map(pattern -> "path-exclude=" + pattern + "\n")
                .collect(Collectors.joining());
        try {
            return Files.writeString(scratch.resolve("patterns"), lines);
        } catch (IOException e) {
            throw log.failed("a scratch file cannot be written")
                    .fact("reason", e)
                    .because(e);
        }
    }

    private Path place(String key, Path scratch) {
        UUID name = UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8));
        return (shelf == null ? scratch : shelf).resolve(name + ".tar");
    }

    private void forget(Path tar, BuildLog log) {
        if (shelf == null) {
            delete(tar, log);
        }
    }

    private static void delete(Path file, BuildLog log) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw log.failed("a scratch file cannot be removed")
                    .fact("reason", e)
                    .because(e);
        }
    }
}

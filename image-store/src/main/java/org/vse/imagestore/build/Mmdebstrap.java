package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.vse.imagestore.recipe.Recipe;
import org.vse.process.Command;

/**
 * Debian and its relatives, by mmdebstrap(1): packages from the mirrors of the node's own apt configuration or
 * mmdebstrap's default. Needs root. Kernels are unpacked, not installed, so that no initramfs generator enters the image.
 */
public final class Mmdebstrap implements PackageSource {
    private static final Duration LONGEST = Duration.ofMinutes(20);
    private static final Duration UNPACKING = Duration.ofMinutes(5);

    @Override
    public void installPackages(Recipe recipe, Path root, Path scratch, BuildLog log) {
        Path tar = scratch.resolve("root.tar");
        List<String> argv = new ArrayList<>(List.of("mmdebstrap", "--format=tar", "--variant=" + recipe.variant()));
        argv.add("--aptopt=APT::Install-Recommends \"false\"");
        recipe.exclude().forEach(pattern -> argv.add("--dpkgopt=path-exclude=" + pattern));
        if (!recipe.packages().isEmpty()) {
            argv.add("--include=" + String.join(",", recipe.packages()));
        }
        argv.addAll(List.of(recipe.suite(), tar.toString()));
        log.run("installing packages", command(argv, scratch));
        log.run(
                "unpacking the root directory",
                UNPACKING,
                "tar",
                "-C",
                root.toString(),
                "-xpf",
                tar.toString(),
                "--numeric-owner");
        delete(tar, log);
    }

    @Override
    public void unpackKernels(Recipe recipe, Path root, Path scratch, BuildLog log) {
        Path tar = scratch.resolve("kernels.tar");
        List<String> packages = recipe.kernels().stream()
                .map(Recipe.KernelRecipe::packageName)
                .distinct()
                .toList();
        log.run(
                "fetching kernels",
                command(
                        List.of(
                                "mmdebstrap",
                                "--format=tar",
                                "--variant=extract",
                                "--include=" + String.join(",", packages),
                                recipe.suite(),
                                tar.toString()),
                        scratch));
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
        delete(tar, log);
    }

    private static Command command(List<String> argv, Path scratch) {
        return Command.of(argv)
                .withEnv(Map.of("SOURCE_DATE_EPOCH", Long.toString(ImageBuilder.EPOCH), "TMPDIR", scratch.toString()))
                .withTimeout(LONGEST);
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

package org.vse.imagestore.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageContents;
import org.vse.imagestore.ImageDifference;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.NewImage;
import org.vse.imagestore.Origin;
import org.vse.imagestore.Provides;
import org.vse.imagestore.Retag;
import org.vse.imagestore.Staging;
import org.vse.imagestore.recipe.Recipe;
import org.vse.imagestore.recipe.Recipe.KernelRecipe;
import org.vse.process.Command;
import org.vse.process.CommandRunner;

/**
 * Makes an image of a recipe and adds it to a store. The same recipe and the same package versions give the same digest. A
 * build that fails leaves its log and nothing else.
 */
public final class ImageBuilder {
    /** Every time in an image, and the latest modification time of a file in it: 2026-01-01T00:00:00Z. */
    static final long EPOCH = 1_767_225_600L;

    /** Free bytes that a build needs at its peak: both trees, their archives, and the disk. */
    static final long SPACE_NEEDED = 3L << 30;

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final DateTimeFormatter LOG_TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final CommandRunner runner;
    private final ImageStore store;
    private final PackageSource packages;
    private final LongSupplier freeBytes;

    /** With packages from mmdebstrap. */
    public ImageBuilder(CommandRunner runner, ImageStore store) {
        this(runner, store, new Mmdebstrap(), () -> store.logs().toFile().getUsableSpace());
    }

    /**
     * The same for several recipes in a row: what they have in common is installed once. Two builds with one shelf do not show
     * that a recipe is reproducible.
     *
     * @param shelf a directory that the caller makes and removes
     */
    public ImageBuilder(CommandRunner runner, ImageStore store, Path shelf) {
        this(runner, store, new Mmdebstrap(shelf), () -> store.logs().toFile().getUsableSpace());
    }

    ImageBuilder(CommandRunner runner, ImageStore store, PackageSource packages, LongSupplier freeBytes) {
        this.runner = runner;
        this.store = store;
        this.packages = packages;
        this.freeBytes = freeBytes;
    }

    /**
     * Builds, which takes a minute or two, and returns the image under the recipe's name and tag. When that tag points to
     * an image of another digest, the log says which files and packages differ.
     *
     * @throws VseException DISK_FULL before anything is done, IMAGE_BUILD_FAILED with the log, IMAGE_EXISTS when the tag
     *     points to an image that came out differently and must not be moved, with what differs; COMMAND_MISSING,
     *     COMMAND_TIMEOUT, STORAGE_FAILED
     */
    public Image build(Recipe recipe, Retag retag, BuildProgress progress) {
        Instant now = Instant.now();
        Path logs = store.logs();
        long free = freeBytes.getAsLong();
        if (free < SPACE_NEEDED) {
            throw VseException.of(ErrorCode.DISK_FULL, "not enough space to build image '" + recipe.name() + "'")
                    .fact("path", store.root())
                    .fact("needed", (SPACE_NEEDED >> 20) + " MiB")
                    .fact("free", (free >> 20) + " MiB")
                    .next("make space there, or name another store");
        }
        BuildLog log = new BuildLog(runner, logs.resolve(recipe.name() + "-" + LOG_TIME.format(now) + ".log"));
        log.note("recipe " + recipe.source());
        try (Staging staging = store.stage();
                Staging work = store.stage()) {
            assemble(recipe, progress, staging.directory(), work.directory(), log);
            progress.step("computing digests", Duration.ofSeconds(1));
            Optional<Image> before = before(recipe);
            NewImage made = new NewImage(
                    recipe.name(),
                    recipe.tag(),
                    recipe.sizeBytes(),
                    recipe.kernels().stream()
                            .map(k -> new NewImage.NewKernel(k.name(), k.commandLine(), k.provides()))
                            .toList(),
                    recipe.labels(),
                    new Origin(now, recipe.source().toString()));
            Image image = publish(staging, made, retag, before, log);
            before.filter(old -> !old.digest().equals(image.digest()))
                    .ifPresent(old -> ImageDifference.between(old, image).forEach(log::note));
            log.note("image " + image.digest());
            return image;
        } catch (IOException e) {
            throw log.failed("building image '" + recipe.name() + "' failed")
                    .fact("reason", e)
                    .because(e);
        }
    }

    private Image publish(Staging staging, NewImage made, Retag retag, Optional<Image> before, BuildLog log) {
        try {
            return store.publish(staging, made, retag);
        } catch (VseException e) {
            if (e.code() == ErrorCode.IMAGE_EXISTS && before.isPresent()) {
                List<String> differs =
                        ImageDifference.between(before.get().disk().resolveSibling(""), staging.directory());
                differs.forEach(log::note);
                e.fact("differs", String.join("\n", differs.subList(0, Math.min(8, differs.size()))))
                        .fact("log", log.file());
            }
            throw e;
        }
    }

    /** What the tag points to now, when that is whole. */
    private Optional<Image> before(Recipe recipe) {
        String tagged = recipe.name() + ":" + recipe.tag();
        try {
            return store.list().stream()
                    .filter(image -> image.reference().equals(tagged))
                    .findFirst();
        } catch (VseException e) {
            if (e.code() == ErrorCode.IMAGE_CORRUPT) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private void assemble(Recipe recipe, BuildProgress progress, Path image, Path work, BuildLog log)
            throws IOException {
        Path root = Files.createDirectory(work.resolve("root"));
        Path kernels = Files.createDirectory(work.resolve("kernels"));
        Path scratch = Files.createDirectory(work.resolve("scratch"));
        progress.step(
                "installing " + recipe.packages().size() + " packages on " + recipe.suite() + " " + recipe.variant(),
                MINUTE);
        packages.installPackages(recipe, root, scratch, log);
        progress.step("fetching " + recipe.kernels().size() + " kernels", Duration.ofSeconds(20));
        packages.unpackKernels(recipe, kernels, scratch, log);

        progress.step("putting files in place", Duration.ofSeconds(1));
        GuestTree tree = new GuestTree(root);
        List<String> first = recipe.stages().get(0).exclude();
        tree.exclude(recipe.exclude().stream()
                .filter(pattern -> !first.contains(pattern))
                .toList());
        for (String pattern : recipe.remove()) {
            tree.remove(pattern);
        }
        for (Recipe.GuestFile file : recipe.files()) {
            tree.put(file);
        }
        tree.put(new Recipe.GuestFile.Link("/sbin/init", recipe.init()));

        for (KernelRecipe kernel : recipe.kernels()) {
            progress.step("preparing kernel " + kernel.name(), Duration.ofSeconds(5));
            Path to = Files.createDirectories(image.resolve(NewImage.KERNELS).resolve(kernel.name()));
            prepare(recipe, kernel, kernels, tree, to, scratch, log);
        }
        Staging.removeTree(kernels);

        progress.step("writing the disk", Duration.ofSeconds(10));
        clampTimes(root, log);
        ImageContents.write(root, image);
        RootDisk.write(recipe.name(), root, recipe.sizeBytes(), scratch, image.resolve(NewImage.DISK), log);
    }

    private static void prepare(
            Recipe recipe, KernelRecipe kernel, Path kernels, GuestTree tree, Path to, Path scratch, BuildLog log)
            throws IOException {
        List<String> versions = KernelModules.versions(kernels.resolve("boot"), kernel.packageName());
        if (versions.size() != 1) {
            throw log.failed("package '" + kernel.packageName() + "' did not bring exactly one kernel")
                    .fact("found", versions);
        }
        String version = versions.get(0);
        Path directory = kernels.resolve("lib/modules").resolve(version);
        depmod(kernels, version, log);
        KernelModules modules = KernelModules.in(directory);
        List<String> wanted = wanted(kernel, modules, log);

        String installed = "/lib/modules/" + version + "/";
        List<Path> files = new ArrayList<>(modules.closure(wanted));
        for (String list : List.of("modules.builtin", "modules.builtin.modinfo", "modules.order")) {
            if (Files.exists(directory.resolve(list))) {
                files.add(directory.resolve(list));
            }
        }
        for (Path file : files) {
            tree.put(new Recipe.GuestFile.Copy(installed + directory.relativize(file), file, 0644));
        }
        depmod(tree.root(), version, log);

        Path packed = kernels.resolve("boot").resolve("vmlinuz-" + version);
        if (kernel.unpacked()) {
            UnpackedKernel.extract(packed, to.resolve("kernel"), scratch, log);
        } else {
            Files.copy(packed, to.resolve("kernel"));
        }
        Initramfs.write(
                tree.file(recipe.initramfs().busybox()),
                recipe.initramfs().init(),
                modules.closure(kernel.early()),
                to.resolve("initrd"));
    }

    private static List<String> wanted(KernelRecipe kernel, KernelModules modules, BuildLog log) {
        List<String> wanted = new ArrayList<>(kernel.early());
        wanted.addAll(kernel.modules());
        if (kernel.provides().contains(Provides.NFS)) {
            wanted.add("nfsv4");
        }
        if (kernel.provides().contains(Provides.NINE_P)) {
            wanted.addAll(List.of("9p", "9pnet_virtio"));
        }
        for (String module : wanted) {
            if (!modules.has(module)) {
                throw log.failed("kernel '" + kernel.name() + "' has no module '" + module + "'")
                        .fact("package", kernel.packageName());
            }
        }
        return wanted;
    }

    private static void depmod(Path root, String version, BuildLog log) {
        log.run(
                "listing modules",
                Command.of("depmod", "-b", root.toString(), version).withTimeout(MINUTE));
    }

    private static void clampTimes(Path root, BuildLog log) {
        String latest = "@" + EPOCH;
        log.run(
                "setting times",
                Command.of("find", root.toString(), "-newermt", latest, "-exec", "touch", "-h", "-d", latest, "{}", "+")
                        .withTimeout(MINUTE));
    }
}

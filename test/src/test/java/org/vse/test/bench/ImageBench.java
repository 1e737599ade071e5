package org.vse.test.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.vse.imagestore.CacheRoom;
import org.vse.imagestore.DirectorySource;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageCache;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.ImageTransfer;
import org.vse.imagestore.Retag;
import org.vse.imagestore.Staging;
import org.vse.imagestore.build.ImageBuilder;
import org.vse.imagestore.foreign.DiskFormat;
import org.vse.imagestore.foreign.ImageFile;
import org.vse.imagestore.foreign.ImageImporter;
import org.vse.imagestore.foreign.ImportLimits;
import org.vse.imagestore.recipe.Recipe;
import org.vse.imagestore.recipe.RecipeParser;
import org.vse.process.Command;
import org.vse.process.CommandRunner;
import org.vse.test.site.Table;

/**
 * What images cost, each beside the plain tool that does the same work, in turn and in one run: import beside
 * {@code qemu-img convert}, build beside {@code mmdebstrap}, cold and warm node cache beside {@code cp} and
 * {@code sha256sum}, a job's difference beside the same done by hand.
 *
 * <p>{@code ImageBench [PAIRS] [BUILDS]}; a build takes minutes, and 0 leaves it out. As root.
 */
public final class ImageBench {
    private final CommandRunner commands = new CommandRunner();
    private final Path launcher;
    private final Path scratch;
    private final Table table = new Table(List.of("", "vse, s", "plain tool", "its s", "ratio", "n"));

    private ImageBench(Path launcher, Path scratch) {
        this.launcher = launcher;
        this.scratch = scratch;
    }

    /** Something that is timed; what it leaves is removed before the next. */
    @FunctionalInterface
    private interface Work {
        void run(Path empty) throws IOException;
    }

    public static void main(String[] args) throws IOException {
        int pairs = args.length > 0 ? Integer.parseInt(args[0]) : 5;
        int builds = args.length > 1 ? Integer.parseInt(args[1]) : 1;
        Path launcher = Path.of(System.getProperty("vse.launcher", "./vse")).toAbsolutePath();
        Path build = launcher.resolveSibling("build");
        Path images = Path.of(System.getProperty(
                "vse.test.images", build.resolve("bench/images").toString()));
        Files.createDirectories(build);
        Path scratch = Files.createTempDirectory(build, "bench-image-");
        try {
            new ImageBench(launcher, scratch).run(new ImageStore(images), pairs, builds);
        } finally {
            Staging.removeTree(scratch);
        }
    }

    private void run(ImageStore store, int pairs, int builds) throws IOException {
        String load = load();
        Recipe recipe = RecipeParser.parse(launcher.resolveSibling("examples/images/debian-12.yaml"));
        if (store.list().stream().noneMatch(image -> image.reference().equals("debian-12:latest"))) {
            new ImageBuilder(commands, store)
                    .build(recipe, Retag.REFUSE, (what, expected) -> System.out.println("image: " + what));
        }
        Image image = store.resolve("debian-12");
        Path raw = scratch.resolve("disk.raw");
        plain("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image.disk().toString(), raw.toString());
        compare(
                "import of a qcow2 disk",
                "qemu-img convert",
                pairs,
                at -> importing(image, DiskFormat.QCOW2, image.disk(), at),
                at -> converting("qcow2", image.disk(), at));
        compare(
                "import of a raw disk",
                "qemu-img convert",
                pairs,
                at -> importing(image, DiskFormat.RAW, raw, at),
                at -> converting("raw", raw, at));
        Files.delete(raw);
        compare("cold node cache", "cp and sha256sum", pairs, at -> fetching(store, image, at), at -> {
            plain("cp", "-r", image.disk().resolveSibling("").toString(), at.toString());
            plain(
                    "sha256sum",
                    at.resolve(image.disk().resolveSibling("").getFileName())
                            .resolve("disk.qcow2")
                            .toString());
        });
        Path warm = Files.createDirectory(scratch.resolve("warm"));
        fetching(store, image, warm);
        compare(
                "warm node cache",
                "sha256sum",
                pairs,
                at -> fetching(store, image, warm),
                at -> plain("sha256sum", image.disk().toString()));
        Staging.removeTree(warm);
        try (DifferenceBench difference = new DifferenceBench(commands, scratch)) {
            compare(
                    "build of a difference",
                    "apt-get, QEMU, dpkg and qemu-img by hand",
                    pairs,
                    at -> difference.made(),
                    difference::madeByHand);
            compare("kept difference", "QEMU by hand", pairs, at -> difference.kept(), at -> difference.bootByHand());
        }
        store.upkeep().gc(Map.of(), true);
        if (builds > 0) {
            compare(
                    "build from scratch",
                    "mmdebstrap",
                    builds,
                    at -> building(recipe, at),
                    at -> bootstrapping(recipe, at));
        }
        table.write("image-bench.md", """
                # What images cost

                Each beside the plain tool doing the same work, in turn: medians of the times in seconds, median of the ratios
                with least and most. Image `debian-12`, %d MB, %d MiB for the guest.

                Machine: %s, %d processors, %d GiB of memory; load %s at the beginning, %s at the end. What others ran there is in
                both columns.

                Made on %s by `./dev bench image %d %d`.
                """.formatted(
                        Files.size(image.disk()) / 1_000_000,
                        image.virtualSizeBytes() >> 20,
                        processor(),
                        Runtime.getRuntime().availableProcessors(),
                        memoryGib(),
                        load,
                        load(),
                        LocalDate.now(ZoneOffset.UTC),
                        pairs,
                        builds));
    }

    private static String processor() throws IOException {
        return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("processor without a name");
    }

    private static long memoryGib() throws IOException {
        String total = Files.readAllLines(Path.of("/proc/meminfo")).get(0).replaceAll("[^0-9]", "");
        return Long.parseLong(total) >> 20;
    }

    /** Processes that wanted to run, on average over a minute (proc(5)). */
    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0];
    }

    private void compare(String what, String tool, int pairs, Work ours, Work theirs) throws IOException {
        double[] our = new double[pairs];
        double[] their = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            if (i % 2 == 0) {
                our[i] = seconds(ours);
            }
            their[i] = seconds(theirs);
            if (i % 2 == 1) {
                our[i] = seconds(ours);
            }
            System.out.printf(Locale.ROOT, "%s %d: vse %.3f s, %s %.3f s%n", what, i + 1, our[i], tool, their[i]);
        }
        double[] ratios = new double[pairs];
        Arrays.setAll(ratios, i -> our[i] / their[i]);
        table.row(List.of(
                what,
                String.format(Locale.ROOT, "%.3f", median(our)),
                tool,
                String.format(Locale.ROOT, "%.3f", median(their)),
                String.format(
                        Locale.ROOT,
                        "%.2f (%.2f to %.2f)",
                        median(ratios),
                        Arrays.stream(ratios).min().orElse(0),
                        Arrays.stream(ratios).max().orElse(0)),
                Integer.toString(pairs)));
    }

    private double seconds(Work work) throws IOException {
        Path empty = Files.createDirectory(scratch.resolve("work"));
        long begin = System.nanoTime();
        work.run(empty);
        double seconds = (System.nanoTime() - begin) / 1e9;
        Staging.removeTree(empty);
        return seconds;
    }

    private void importing(Image image, DiskFormat format, Path disk, Path at) {
        List<ImageFile.KernelFile> kernels = image.kernels().stream()
                .map(k -> new ImageFile.KernelFile(k.name(), k.vmlinuz(), k.initrd(), k.commandLine(), k.provides()))
                .toList();
        new ImageImporter(commands, new ImageStore(at.resolve("images")), ImportLimits.DEFAULT)
                .add(
                        new ImageFile(disk, format, "bench", "latest", kernels, Map.of(), Retag.REFUSE),
                        (what, expected) -> {});
    }

    private void converting(String format, Path disk, Path at) {
        plain(
                "qemu-img",
                "convert",
                "-f",
                format,
                "-O",
                "qcow2",
                "-c",
                "-o",
                "compression_type=zstd",
                disk.toString(),
                at.resolve("disk.qcow2").toString());
    }

    private static void fetching(ImageStore from, Image image, Path at) {
        ImageStore store = new ImageStore(at.resolve("images"));
        ImageTransfer transfer =
                new ImageTransfer(store, List.of(new DirectorySource(from.root())), Duration.ofMinutes(2));
        Image fetched = new ImageCache(store, transfer, new CacheRoom(store, 1L << 40, Set::of, Clock.systemUTC()))
                .fetch(image.digest());
        if (!store.quickVerified(fetched)) {
            throw new IllegalStateException("the fetched image is not verified");
        }
    }

    private void building(Recipe recipe, Path at) {
        new ImageBuilder(commands, new ImageStore(at.resolve("images")))
                .build(recipe, Retag.REFUSE, (what, expected) -> {});
    }

    /** The same packages, kernels included, in one archive. */
    private void bootstrapping(Recipe recipe, Path at) {
        List<String> packages = new ArrayList<>(recipe.packages());
        recipe.kernels().forEach(kernel -> packages.add(kernel.packageName()));
        plain(
                "mmdebstrap",
                "--format=tar",
                "--variant=" + recipe.variant(),
                "--aptopt=APT::Install-Recommends \"false\"",
                "--include=" + String.join(",", packages),
                recipe.suite(),
                at.resolve("root.tar").toString());
    }

    private void plain(String... argv) {
        commands.run(Command.of(argv).withTimeout(Duration.ofMinutes(20))).orThrow("the plain tool");
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

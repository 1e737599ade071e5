package org.vse.imagestore.foreign;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.function.BiFunction;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DifferenceCache;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.NewImage;
import org.vse.imagestore.Origin;
import org.vse.imagestore.Retag;
import org.vse.imagestore.Staging;
import org.vse.imagestore.StoreUpkeep;
import org.vse.imagestore.build.BuildProgress;
import org.vse.process.CommandRunner;

/**
 * Makes an image of what a machine has made of its overlay. The overlay is trusted no more than a disk from elsewhere: {@link
 * CaptiveTool} reads it, over the image that it is stated to lie on, whatever it says itself. Kernels and labels are those of
 * that image.
 */
public final class ImageCommit {
    private static final String OVERLAY = "overlay";
    private static final String OUT = "out";

    /** In the place of a tag that is not given. */
    private static final String UNTAGGED = "untagged";

    private static final long SLACK = 64L << 20;

    private final ImageStore store;
    private final ImportLimits limits;
    private final CaptiveTool tool;
    private final Clock clock;

    public ImageCommit(CommandRunner runner, ImageStore store, ImportLimits limits) {
        this.store = store;
        this.limits = limits;
        this.tool = new CaptiveTool(runner, limits);
        this.clock = Clock.systemUTC();
    }

    /**
     * Adds the image; the overlay is moved away.
     *
     * @param base what the overlay lies on
     * @param overlay of a machine that has ended
     * @param source what was done, for people
     * @throws VseException IMAGE_REFUSED when the overlay is not whole, IMAGE_EXISTS, DISK_FULL, COMMAND_MISSING,
     *     STORAGE_FAILED; then the store is as it was
     */
    public Image add(Image base, Path overlay, String tag, Retag retag, String source, BuildProgress progress) {
        return with(base, overlay, tag, source, progress, (staging, image) -> store.publish(staging, image, retag));
    }

    /**
     * Adds the image to a node's differences, without a tag; the overlay is moved away.
     *
     * @throws VseException as {@link #add}; DISK_FULL also when it does not fit the node's cache
     */
    public Image keep(Image base, Path overlay, DifferenceCache cache, String source, BuildProgress progress) {
        return with(base, overlay, UNTAGGED, source, progress, cache::keep);
    }

    private Image with(
            Image base,
            Path overlay,
            String tag,
            String source,
            BuildProgress progress,
            BiFunction<Staging, NewImage, Image> publish) {
        try (Staging work = store.stage();
                Staging staging = store.stage()) {
            progress.step("writing the disk", Duration.ofSeconds(30));
            Path to = staging.directory().resolve(NewImage.DISK);
            flatten(base, overlay, work.directory(), to);
            for (Kernel kernel : base.kernels()) {
                Path kernels = Files.createDirectories(
                        staging.directory().resolve(NewImage.KERNELS).resolve(kernel.name()));
                Files.copy(kernel.vmlinuz(), kernels.resolve("kernel"));
                Files.copy(kernel.initrd(), kernels.resolve("initrd"));
            }
            progress.step("computing digests", Duration.ofSeconds(1));
            List<NewImage.NewKernel> kernels = base.kernels().stream()
                    .map(k -> new NewImage.NewKernel(k.name(), k.commandLine(), k.provides()))
                    .toList();
            return publish.apply(
                    staging,
                    new NewImage(
                            base.name(),
                            tag,
                            base.virtualSizeBytes(),
                            kernels,
                            base.diskBoot(),
                            StoreUpkeep.details(base).labels(),
                            new Origin(clock.instant(), source)));
        } catch (IOException e) {
            throw VseException.storage("the changed image cannot be kept", store.root(), e);
        }
    }

    private void flatten(Image base, Path overlay, Path work, Path to) throws IOException {
        // The machine's own process could put anything in its place.
        if (!Files.isRegularFile(overlay, LinkOption.NOFOLLOW_LINKS)
                || !Files.getAttribute(overlay, "unix:nlink", LinkOption.NOFOLLOW_LINKS)
                        .equals(1)) {
            throw VseException.of(ErrorCode.IMAGE_REFUSED, "the changed disk is not a file of its own")
                    .at(overlay.toString());
        }
        Files.move(overlay, work.resolve(OVERLAY));
        CaptiveTool.lend(work.resolve(OVERLAY));
        Path out = CaptiveTool.writable(work, OUT);
        String chain = "driver=qcow2,file.driver=file,file.filename=" + OVERLAY
                + ",backing.driver=qcow2,backing.file.driver=file,backing.file.filename="
                + base.disk().toAbsolutePath().toString().replace(",", ",,");
        long most = base.virtualSizeBytes() + base.virtualSizeBytes() / 8 + SLACK;
        var result = tool.run(
                work,
                most,
                List.of(
                        "convert",
                        "-q",
                        "--image-opts",
                        "-O",
                        "qcow2",
                        "-c",
                        "-o",
                        "compression_type=zstd",
                        chain,
                        OUT + "/disk.qcow2"));
        Path disk = out.resolve("disk.qcow2");
        ImageImporter.refuseUnlessGood(overlay, result);
        CaptiveTool.reclaim(out);
        CaptiveTool.reclaim(disk);
        ImageImporter.requireSize(overlay, disk, base.virtualSizeBytes(), limits);
        Files.move(disk, to);
    }
}

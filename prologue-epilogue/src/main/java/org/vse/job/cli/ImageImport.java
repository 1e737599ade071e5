package org.vse.job.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.vse.imagestore.DiskBoot;
import org.vse.imagestore.Image;
import org.vse.imagestore.ImageStore;
import org.vse.imagestore.Kernel;
import org.vse.imagestore.Provides;
import org.vse.imagestore.foreign.DiskFormat;
import org.vse.imagestore.foreign.ImageFile;
import org.vse.imagestore.foreign.ImageImporter;
import org.vse.imagestore.foreign.ImportLimits;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes an image of a disk from elsewhere. */
@Command(
        name = "import",
        description = {
            "Makes an image of a disk from elsewhere and adds it to this node's store.",
            "The format is stated and never probed. A disk that refers to other files, is encrypted, has snapshots or is",
            "too large is refused before any tool opens it; qemu-img converts it as user nobody, with bounded memory,",
            "processor time and output. The guest is booted by a kernel that is given too, or by the boot loader of the disk",
            "under a PC BIOS (docs/images.md)."
        },
        footer = {
            "%nExamples:",
            "  vse image import disk.qcow2 --format qcow2 --name mine:1 --kernels-of debian-12",
            "  vse image import disk.raw --format raw --name mine:2 --kernel vmlinuz --initrd initrd.img \\",
            "      --command-line 'root=/dev/vda rw console=ttyS0' --provides nfs",
            "  vse image import disk.raw --format raw --name mine:3 --boot disk --provides nfs"
        })
final class ImageImport implements Callable<Integer> {
    private final Context context;

    @Parameters(index = "0", paramLabel = "FILE", description = "The disk; neither a link nor a device.")
    private String file = "";

    @Option(names = "--format", paramLabel = "FORMAT", required = true, description = "What the file is: qcow2 or raw.")
    private String format = "";

    @Option(
            names = "--name",
            paramLabel = "NAME:TAG",
            required = true,
            description = "How jobs will call it; without a tag, latest.")
    private String name = "";

    @Option(names = "--label", paramLabel = "KEY=TEXT", description = "A text for users; may be given more than once.")
    private Map<String, String> labels = new TreeMap<>();

    /** What boots a disk. */
    private enum BootedBy {
        kernel,
        disk
    }

    @Option(
            names = "--boot",
            paramLabel = "HOW",
            description = "kernel (default): by the kernel given; disk: by its own boot loader, which BIOS starts.")
    private BootedBy boot = BootedBy.kernel;

    @Option(
            names = "--kernels-of",
            paramLabel = "IMAGE",
            description = "Takes kernels, initial file systems and command lines of that image.")
    private String kernelsOf = "";

    @Option(names = "--kernel", paramLabel = "FILE", description = "bzImage, or an ELF kernel with a PVH entry.")
    private String kernel = "";

    @Option(names = "--initrd", paramLabel = "FILE", description = "Its initial file system.")
    private String initrd = "";

    @Option(
            names = "--command-line",
            paramLabel = "LINE",
            description = "The whole kernel command line; the disk is /dev/vda.")
    private String commandLine = "";

    @Option(
            names = "--provides",
            paramLabel = "SHARE",
            split = ",",
            description = "Shares that a guest booted so can mount: nfs, 9p.")
    private List<String> provided = new ArrayList<>();

    @Mixin
    private ImageCommands.Force force = new ImageCommands.Force();

    ImageImport(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() throws IOException {
        String[] parts = name.split(":", 2);
        String tag = parts.length == 2 ? parts[1] : ImageStore.DEFAULT_TAG;
        for (String part : List.of(parts[0], tag)) {
            if (!part.matches("[a-z0-9][a-z0-9._-]{0,63}")) {
                throw VseException.of(ErrorCode.USAGE, "'" + name + "' is no NAME:TAG")
                        .fact("expected", "a-z, 0-9, '.', '_' and '-', at most 64 of them on each side of ':'");
            }
        }
        labels.forEach((key, text) -> {
            if (!key.matches("[a-z][a-z0-9.-]{0,63}") || !text.matches("\\P{C}{0,500}")) {
                throw VseException.of(ErrorCode.USAGE, "'" + key + "' is no label, or its text no line");
            }
        });
        requireBoot();
        ImageStore store = context.site().images();
        ImageFile request = new ImageFile(
                context.directory().resolve(file),
                format(),
                parts[0],
                tag,
                kernels(store),
                boot == BootedBy.disk ? Optional.of(new DiskBoot(provides())) : Optional.empty(),
                labels,
                force.retag());
        Image image = new ImageImporter(context.runner(), store, ImportLimits.DEFAULT)
                .add(request, (what, expected) -> context.io().say("vse: image: " + what));
        context.io().say("vse: image '" + image.reference() + "' is ready");
        context.io().print(image.digest());
        return 0;
    }

    private List<ImageFile.KernelFile> kernels(ImageStore store) {
        if (boot == BootedBy.disk) {
            return List.of();
        }
        return kernelsOf.isEmpty() ? List.of(given()) : kernelsFrom(store);
    }

    private void requireBoot() {
        boolean anyKernel = !kernel.isEmpty() || !initrd.isEmpty() || !commandLine.isBlank() || !kernelsOf.isEmpty();
        if (boot == BootedBy.disk) {
            if (anyKernel) {
                throw VseException.of(ErrorCode.USAGE, "a disk that boots itself takes no kernel")
                        .fact("either", "--boot disk [--provides nfs,9p]")
                        .fact("or", "--kernel FILE --initrd FILE --command-line LINE [--provides nfs,9p]")
                        .next("vse image import --help");
            }
            return;
        }
        boolean whole = !kernel.isEmpty() && !initrd.isEmpty() && !commandLine.isBlank();
        boolean none = kernel.isEmpty() && initrd.isEmpty() && commandLine.isBlank() && provided.isEmpty();
        if (kernelsOf.isEmpty() ? !whole : !none) {
            throw VseException.of(
                            ErrorCode.USAGE,
                            "what boots the disk is to be given: a kernel, the kernels of an image, or its own boot loader")
                    .fact("either", "--kernels-of IMAGE")
                    .fact("or", "--kernel FILE --initrd FILE --command-line LINE [--provides nfs,9p]")
                    .fact("or else", "--boot disk [--provides nfs,9p]")
                    .next("vse image import --help");
        }
    }

    private DiskFormat format() {
        for (DiskFormat each : DiskFormat.values()) {
            if (each.word().equals(format)) {
                return each;
            }
        }
        throw VseException.of(ErrorCode.USAGE, "disks of format '" + format + "' are not imported")
                .fact("allowed", "qcow2, raw")
                .next("qemu-img convert -f " + format.replaceAll("[^a-z0-9]", "?") + " -O qcow2 FILE NEW");
    }

    private Set<Provides> provides() {
        Set<Provides> provides = EnumSet.noneOf(Provides.class);
        for (String word : provided) {
            provides.add(Provides.of(word)
                    .orElseThrow(() -> VseException.of(ErrorCode.USAGE, "there is no share '" + word + "'")
                            .fact("allowed", "nfs, 9p")));
        }
        return provides;
    }

    private ImageFile.KernelFile given() {
        return new ImageFile.KernelFile(
                "kernel",
                context.directory().resolve(kernel),
                context.directory().resolve(initrd),
                commandLine.strip(),
                provides());
    }

    private List<ImageFile.KernelFile> kernelsFrom(ImageStore store) {
        List<ImageFile.KernelFile> kernels = new ArrayList<>();
        for (Kernel kernel : store.resolve(kernelsOf).kernels()) {
            kernels.add(new ImageFile.KernelFile(
                    kernel.name(), kernel.vmlinuz(), kernel.initrd(), kernel.commandLine(), kernel.provides()));
        }
        return kernels;
    }
}

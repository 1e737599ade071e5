package org.vse.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Small images whose content is chosen by the test. */
final class ImageFixture {
    static final Instant CREATED = Instant.parse("2026-11-21T08:00:00Z");

    private ImageFixture() {}

    static Image add(ImageStore store, String name, String tag, byte[] disk) {
        try (Staging staging = store.stage()) {
            Path tree = staging.directory();
            Files.write(tree.resolve(NewImage.DISK), disk);
            for (String kernel : List.of("cloud", "generic")) {
                Path files =
                        Files.createDirectories(tree.resolve(NewImage.KERNELS).resolve(kernel));
                Files.writeString(files.resolve("kernel"), "kernel of " + kernel);
                Files.writeString(files.resolve("initrd"), "initrd of " + kernel);
            }
            return store.publish(
                    staging,
                    new NewImage(
                            name,
                            tag,
                            1L << 30,
                            List.of(
                                    new NewImage.NewKernel("cloud", "quiet", Set.of(Provides.NFS)),
                                    new NewImage.NewKernel("generic", "quiet \"x\\y\"", Set.of(Provides.values()))),
                            Map.of("title", "Tägs: \"quoted\" # and \\ more"),
                            new Origin(CREATED, "test")),
                    Retag.MOVE);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}

package org.vse.test.site;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** The job scripts that come with this software. */
public final class Examples {
    private Examples() {}

    public static Path script(String name) {
        Path here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("examples/jobs"))) {
            here = Objects.requireNonNull(here.getParent(), "a directory above with examples");
        }
        return here.resolve("examples/jobs").resolve(name);
    }
}

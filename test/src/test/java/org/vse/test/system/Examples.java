package org.vse.test.system;

import java.nio.file.Files;
import java.nio.file.Path;

/** The job scripts that come with this software. */
final class Examples {
    private Examples() {}

    static Path script(String name) {
        Path here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("examples/jobs"))) {
            here = here.getParent();
        }
        return here.resolve("examples/jobs").resolve(name);
    }
}

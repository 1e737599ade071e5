package org.vse.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files of the repository that tests hold the code against. */
public final class Examples {
    private Examples() {}

    /** @param path from the root of the repository */
    public static String read(String path) {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isRegularFile(folder.resolve(path))) {
            Path parent = folder.getParent();
            if (parent == null) {
                throw new AssertionError(
                        "no " + path + " in or above " + Path.of("").toAbsolutePath());
            }
            folder = parent;
        }
        try {
            return Files.readString(folder.resolve(path));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}

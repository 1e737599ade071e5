package org.vse.job;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Which version of this software runs. */
public final class Version {
    private Version() {}

    /** The version as the build wrote it. */
    public static String text() {
        try (InputStream in = Version.class.getResourceAsStream("/org/vse/job/cli/version.txt")) {
            return in == null ? "unknown" : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

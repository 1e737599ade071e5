package org.vse.test.site;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How a command ended.
 *
 * @param exitCode its exit code, 128 + signal when a signal ended it
 * @param stdout every byte of its standard output
 * @param stderr every byte of its standard error
 */
public record Finished(List<String> arguments, int exitCode, Path stdout, Path stderr) {
    public Finished {
        arguments = List.copyOf(arguments);
    }

    /** Standard output as text. */
    public String out() {
        return text(stdout);
    }

    /** Standard error as text. */
    public String err() {
        return text(stderr);
    }

    /** Fails the test with what the command said unless it ended with this code. */
    public Finished expect(int code) {
        if (exitCode != code) {
            throw new AssertionError("expected exit code " + code + " of " + this);
        }
        return this;
    }

    @Override
    public String toString() {
        return "vse " + String.join(" ", arguments) + "\nexit code: " + exitCode + "\nstdout: " + brief(stdout)
                + "\nstderr: " + brief(stderr);
    }

    private static String brief(Path file) {
        try {
            return Files.size(file) > 10_000 ? Files.size(file) + " bytes" : text(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

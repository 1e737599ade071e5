package org.vse.job.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How this program starts itself again.
 *
 * @param argv the beginning of the command line, before the subcommand
 */
record Self(List<String> argv) {
    Self {
        argv = List.copyOf(argv);
    }

    /** The launcher that started this process ({@code -Dvse.launcher}); without one, this Java with this class path. */
    static Self current() {
        String launcher = System.getProperty("vse.launcher", "");
        if (!launcher.isEmpty()) {
            return new Self(List.of(launcher));
        }
        return new Self(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Vse.class.getName()));
    }

    /** Recipes that come with this software, beside the launcher. */
    static Path recipes() {
        return home().resolve("examples/images");
    }

    /** The list of Debian packages that a node needs, beside the launcher. */
    static Path packages() {
        return home().resolve("packages.txt");
    }

    /** The directory of the launcher. */
    static Path home() {
        Path home = Path.of(System.getProperty("vse.launcher", "vse"))
                .toAbsolutePath()
                .getParent();
        return home == null ? Path.of("/") : home;
    }

    List<String> with(String... arguments) {
        List<String> all = new ArrayList<>(argv);
        all.addAll(List.of(arguments));
        return all;
    }
}

package org.vse.job.install;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The unit by which systemd keeps vsed running on a node (systemd.service(5)). */
public final class ServiceUnit {
    static final Path UNIT = Path.of("/etc/systemd/system/vsed.service");

    /** Says that systemd rules the host (sd_booted(3)). */
    private static final Path BOOTED = Path.of("/run/systemd/system");

    private ServiceUnit() {}

    /**
     * What brings the unit to a node that systemd rules; nothing for any other host.
     *
     * @param launcher the words that begin a command line of {@code vse}
     * @param home directory of this software
     */
    public static InstallPlan install(InstallPlan.Host host, List<Role> roles, List<String> launcher, Path home) {
        if (!roles.contains(Role.NODE) || !Files.isDirectory(host.at(BOOTED))) {
            return new InstallPlan(List.of(), List.of());
        }
        String text = HookText.resource("vsed.service")
                .replace("@VSE@", words(launcher))
                .replace("@HOME@", home.toString());
        return new InstallPlan(
                List.of(new FileChange(UNIT, host.text(UNIT), Optional.of(text), false)),
                List.of("systemctl daemon-reload", "systemctl enable --now vsed"));
    }

    /** What takes the unit out again; one that the site has written stays. */
    public static InstallPlan uninstall(InstallPlan.Host host) {
        Optional<String> there = host.text(UNIT).filter(ServiceUnit::isOurs);
        return there.isEmpty()
                ? new InstallPlan(List.of(), List.of())
                : new InstallPlan(
                        List.of(new FileChange(UNIT, there, Optional.empty(), false)),
                        List.of("systemctl disable --now vsed", "systemctl daemon-reload"));
    }

    private static boolean isOurs(String text) {
        return HookText.isOurs(text);
    }

    /** As systemd takes a command line apart: quoted, with its own two special characters doubled. */
    private static String words(List<String> launcher) {
        return String.join(
                " ",
                launcher.stream()
                        .map(word -> "\""
                                + word.replace("\\", "\\\\")
                                        .replace("\"", "\\\"")
                                        .replace("%", "%%")
                                        .replace("$", "$$")
                                + "\"")
                        .toList());
    }
}

package org.vse.job.doctor;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.process.CommandResult;

/** A program is there and not older than the one that VSE is tested with. */
final class ProgramVersion implements Check {
    private static final Pattern NUMBER = Pattern.compile("(\\d+)\\.(\\d+)(\\.\\d+)?");

    private final String name;
    private final String program;
    private final int major;
    private final int minor;
    private final String install;

    private ProgramVersion(String name, String program, int major, int minor, String install) {
        this.name = name;
        this.program = program;
        this.major = major;
        this.minor = minor;
        this.install = install;
    }

    static ProgramVersion qemu() {
        return new ProgramVersion("qemu", "qemu-system-x86_64", 7, 2, "qemu-system-x86 qemu-utils");
    }

    static ProgramVersion libvirt() {
        return new ProgramVersion("libvirt", "libvirtd", 9, 0, "libvirt-daemon-system");
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Finding look(Host host) {
        String mend = "apt-get install --no-install-recommends " + install;
        Optional<CommandResult> result = host.run(program, "--version");
        if (result.isEmpty()) {
            return Finding.failed("there is no " + program, mend);
        }
        String said = (result.get().stdout() + result.get().stderr())
                .lines()
                .findFirst()
                .orElse("nothing");
        Matcher version = NUMBER.matcher(result.get().stdout());
        if (result.get().exitCode() != 0 || !version.find()) {
            return Finding.failed(
                    program + " --version exits with " + result.get().exitCode() + " and says '" + said + "'",
                    "apt-get install --reinstall " + install);
        }
        int foundMajor = Integer.parseInt(version.group(1));
        int foundMinor = Integer.parseInt(version.group(2));
        if (foundMajor > major || (foundMajor == major && foundMinor >= minor)) {
            return Finding.ok(version.group());
        }
        return Finding.warning(version.group() + "; VSE is tested with " + major + "." + minor + " and later", mend);
    }
}

package org.vse.job.doctor;

import java.util.ArrayList;
import java.util.List;
import org.vse.failure.VseException;

/** Looks at a node, one check after the other. */
public final class Doctor {
    private static final List<Check> CHECKS = List.of(
            new Packages(),
            ProgramVersion.qemu(),
            ProgramVersion.libvirt(),
            new LogHandler(),
            new Configuration(),
            new KvmDevice(),
            new AcceleratorResult(),
            new Cgroups(),
            new DiskSpace(),
            new NetworkDevices(),
            new RunDirectory(),
            new UidPool(),
            new HostClock(),
            new Certificate());

    private Doctor() {}

    /** A check and what it found. */
    public record Line(String check, Finding finding) {}

    /** The names of all checks, in order. */
    public static List<String> checks() {
        return CHECKS.stream().map(Check::name).toList();
    }

    /** Looks at everything; a check that cannot look has failed and says why. */
    public static List<Line> examine(Host host) {
        List<Line> lines = new ArrayList<>();
        for (Check check : CHECKS) {
            lines.add(new Line(check.name(), look(check, host)));
        }
        return lines;
    }

    static Finding look(String name, Host host) {
        return CHECKS.stream()
                .filter(check -> check.name().equals(name))
                .map(check -> look(check, host))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no check '" + name + "'"));
    }

    private static Finding look(Check check, Host host) {
        try {
            return check.look(host);
        } catch (VseException e) {
            return Finding.failed(e.what() + " [" + e.code() + "]", "see docs/runbook.md, " + e.code());
        }
    }
}

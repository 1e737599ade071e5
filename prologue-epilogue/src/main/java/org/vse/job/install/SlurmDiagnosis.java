package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.vse.failure.VseException;
import org.vse.job.daemon.NodeSettings;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding;

/** What keeps Slurm from calling the hooks as they have to be called. Looks and changes nothing. */
final class SlurmDiagnosis {
    private static final String MEND = "vse install --scheduler slurm, then restart slurmctld and slurmd";

    private static final Path SETTINGS = Path.of("/etc/vse/vsed.yaml");

    /** Of slurm.conf(5), seconds; 0 is for ever. */
    private static final long DEFAULT_TIMEOUT = 300;

    private final InstallPlan.Host host;

    SlurmDiagnosis(InstallPlan.Host host) {
        this.host = host;
    }

    /**
     * One line for each thing that was looked at.
     *
     * @param roles what the host is
     */
    List<Doctor.Line> examine(List<Role> roles) {
        Optional<String> text = host.text(SlurmInstallation.CONF);
        if (text.isEmpty()) {
            return List.of(line(
                    "slurm-conf",
                    Look.failed("there is no " + SlurmInstallation.CONF, "install and configure Slurm on this host")));
        }
        // The block of the installation counts here, unlike for the installation itself.
        KeyedText conf = new KeyedText(SlurmInstallation.CONF.toString(), KeyedText.Form.EQUALS, text.get());
        List<Doctor.Line> lines = new ArrayList<>();
        lines.add(line("slurm-prolog-flags", flags(conf)));
        if (roles.contains(Role.NODE)) {
            lines.add(line("slurm-prolog", hook(conf, "Prolog")));
            lines.add(line("slurm-epilog", hook(conf, "Epilog")));
            lines.add(line("slurm-lease", lease(conf)));
        }
        if (roles.contains(Role.HEAD)) {
            lines.add(line("slurm-gate", gate(conf)));
            lines.add(line("slurm-policy", Look.policy(host, SlurmInstallation.POLICY)));
        }
        return lines;
    }

    private static Finding flags(KeyedText conf) {
        List<String> has = words(conf, "PrologFlags");
        List<String> lacks = SlurmInstallation.FLAGS.stream()
                .filter(flag -> has.stream().noneMatch(flag::equalsIgnoreCase))
                .toList();
        return lacks.isEmpty()
                ? Look.ok("PrologFlags=" + conf.value("PrologFlags"))
                : Look.failed(
                        "PrologFlags lacks " + String.join(" and ", lacks)
                                + ": scripts start before the machines of all nodes are up",
                        MEND);
    }

    private Finding hook(KeyedText conf, String key) {
        Path ours = SlurmInstallation.HOOKS.resolve(key.toLowerCase(java.util.Locale.ROOT));
        if (!conf.value(key).equals(ours.toString())) {
            return Look.failed(key + " is '" + conf.value(key) + "' and not " + ours, MEND);
        }
        return host.text(ours).isEmpty() ? Look.failed(ours + " is missing", MEND) : Look.ok(key + "=" + ours);
    }

    /** A node that is cut off ends its machines before Slurm starts their jobs again elsewhere. */
    private Finding lease(KeyedText conf) {
        String word = conf.value("SlurmdTimeout");
        long timeout = word.isEmpty() ? DEFAULT_TIMEOUT : word.matches("[0-9]{1,6}") ? Long.parseLong(word) : 0;
        long lease;
        try {
            lease = NodeSettings.read(host.at(SETTINGS)).lease().toSeconds();
        } catch (VseException e) {
            return Look.failed("node-lease cannot be read: " + e.what(), "mend " + SETTINGS);
        }
        // It is looked for every quarter of a lease, and the end of a machine takes a moment.
        boolean inTime = timeout == 0 || 2 * lease <= timeout;
        String found = "node-lease of " + lease + " s, SlurmdTimeout of " + timeout + " s";
        return inTime
                ? Look.ok(found)
                : Look.failed(
                        found + ": a job may start again while its machines still run on a node that is cut off",
                        "set node-lease in " + SETTINGS + " to at most " + timeout / 2
                                + "s, or raise SlurmdTimeout in slurm.conf");
    }

    private Finding gate(KeyedText conf) {
        if (words(conf, "JobSubmitPlugins").stream().noneMatch("lua"::equalsIgnoreCase)) {
            return Look.failed("JobSubmitPlugins lacks lua: #VSE lines mean nothing", MEND);
        }
        boolean ours =
                host.text(SlurmInstallation.GATE).filter(HookText::isOurs).isPresent();
        return ours
                ? Look.ok("JobSubmitPlugins=" + conf.value("JobSubmitPlugins"))
                : Look.failed(SlurmInstallation.GATE + " is not the gate: #VSE lines mean nothing", MEND);
    }

    private static List<String> words(KeyedText conf, String key) {
        return Arrays.stream(conf.value(key).split(",", -1)).map(String::strip).toList();
    }

    private static Doctor.Line line(String check, Finding finding) {
        return new Doctor.Line(check, finding);
    }
}

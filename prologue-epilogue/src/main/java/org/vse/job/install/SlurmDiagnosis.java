package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding;
import org.vse.job.doctor.Finding.State;

/** What keeps Slurm from calling the hooks as they have to be called. Looks and changes nothing. */
final class SlurmDiagnosis {
    private static final String MEND = "vse install --scheduler slurm, then restart slurmctld and slurmd";
    private static final String COMPILE = "vse policy compile --output " + SlurmInstallation.POLICY;

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
                    failed("there is no " + SlurmInstallation.CONF, "install and configure Slurm on this host")));
        }
        // The block of the installation counts here, unlike for the installation itself.
        KeyedText conf = new KeyedText(SlurmInstallation.CONF.toString(), KeyedText.Form.EQUALS, text.get());
        List<Doctor.Line> lines = new ArrayList<>();
        lines.add(line("slurm-prolog-flags", flags(conf)));
        if (roles.contains(Role.NODE)) {
            lines.add(line("slurm-prolog", hook(conf, "Prolog")));
            lines.add(line("slurm-epilog", hook(conf, "Epilog")));
        }
        if (roles.contains(Role.HEAD)) {
            lines.add(line("slurm-gate", gate(conf)));
            lines.add(line("slurm-policy", policy()));
        }
        return lines;
    }

    private static Finding flags(KeyedText conf) {
        List<String> has = words(conf, "PrologFlags");
        List<String> lacks = SlurmInstallation.FLAGS.stream()
                .filter(flag -> has.stream().noneMatch(flag::equalsIgnoreCase))
                .toList();
        return lacks.isEmpty()
                ? ok("PrologFlags=" + conf.value("PrologFlags"))
                : failed(
                        "PrologFlags lacks " + String.join(" and ", lacks)
                                + ": scripts start before the machines of all nodes are up",
                        MEND);
    }

    private Finding hook(KeyedText conf, String key) {
        Path ours = SlurmInstallation.HOOKS.resolve(key.toLowerCase(java.util.Locale.ROOT));
        if (!conf.value(key).equals(ours.toString())) {
            return failed(key + " is '" + conf.value(key) + "' and not " + ours, MEND);
        }
        return host.text(ours).isEmpty() ? failed(ours + " is missing", MEND) : ok(key + "=" + ours);
    }

    private Finding gate(KeyedText conf) {
        if (words(conf, "JobSubmitPlugins").stream().noneMatch("lua"::equalsIgnoreCase)) {
            return failed("JobSubmitPlugins lacks lua: #VSE lines mean nothing", MEND);
        }
        boolean ours =
                host.text(SlurmInstallation.GATE).filter(HookText::isOurs).isPresent();
        return ours
                ? ok("JobSubmitPlugins=" + conf.value("JobSubmitPlugins"))
                : failed(SlurmInstallation.GATE + " is not the gate: #VSE lines mean nothing", MEND);
    }

    private Finding policy() {
        Optional<String> policy = host.text(SlurmInstallation.POLICY);
        if (policy.isEmpty()) {
            return failed("there is no " + SlurmInstallation.POLICY + ": jobs with #VSE lines are refused", COMPILE);
        }
        boolean whole = policy.get().startsWith("vse-gate\t1\n") && policy.get().endsWith("\nend\n");
        return whole
                ? ok(SlurmInstallation.POLICY.toString())
                : failed(SlurmInstallation.POLICY + " is not whole or of another version", COMPILE);
    }

    private static List<String> words(KeyedText conf, String key) {
        return Arrays.stream(conf.value(key).split(",", -1)).map(String::strip).toList();
    }

    private static Doctor.Line line(String check, Finding finding) {
        return new Doctor.Line(check, finding);
    }

    private static Finding ok(String found) {
        return new Finding(State.OK, found, "");
    }

    private static Finding failed(String found, String mend) {
        return new Finding(State.FAILED, found, mend);
    }
}

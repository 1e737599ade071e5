package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding;

/** What keeps OpenPBS from calling the hooks as they have to be called, from the files of its server and its mom. */
final class OpenPbsDiagnosis {
    private static final String MEND = "vse install --scheduler openpbs --role head, then what it says";
    private static final String IMPORT = "qmgr < /etc/vse/openpbs/install.qmgr";

    /** In seconds: what a prologue needs where an image has to come first. */
    private static final int PATIENCE = 1200;

    private static final List<String> NODE_EVENTS =
            List.of("execjob_prologue", "execjob_preterm", "execjob_launch", "execjob_epilogue", "execjob_end");

    private final InstallPlan.Host host;

    OpenPbsDiagnosis(InstallPlan.Host host) {
        this.host = host;
    }

    List<Doctor.Line> examine(List<Role> roles) {
        Optional<String> conf = host.text(OpenPbsInstallation.CONF);
        if (conf.isEmpty()) {
            return List.of(new Doctor.Line(
                    "openpbs-conf",
                    Look.failed("there is no " + OpenPbsInstallation.CONF, "install and configure OpenPBS here")));
        }
        Path home = Path.of(KeyedText.of("pbs.conf", KeyedText.Form.EQUALS, conf.get())
                .value("PBS_HOME")
                .replaceFirst("^$", "/var/spool/pbs"));
        List<Doctor.Line> lines = new ArrayList<>();
        if (roles.contains(Role.SUBMIT)) {
            lines.add(new Doctor.Line("openpbs-qsub", qsub()));
        }
        if (roles.contains(Role.HEAD)) {
            Path hooks = home.resolve("server_priv/hooks");
            lines.add(new Doctor.Line("openpbs-gate", gate(hooks)));
            lines.add(new Doctor.Line("openpbs-server-hook", node(hooks, MEND)));
            lines.add(new Doctor.Line("openpbs-resources", resources(home)));
            lines.add(new Doctor.Line("openpbs-policy", Look.policy(host, OpenPbsInstallation.POLICY)));
        }
        if (roles.contains(Role.NODE)) {
            lines.add(new Doctor.Line("openpbs-node-hook", node(home.resolve("mom_priv/hooks"), IMPORT)));
        }
        return lines;
    }

    private Finding qsub() {
        boolean there = host.text(OpenPbsInstallation.QSUB).isPresent()
                && host.text(OpenPbsInstallation.PROFILE).isPresent();
        return there
                ? Look.ok(OpenPbsInstallation.QSUB.toString())
                : Look.failed(
                        OpenPbsInstallation.QSUB + " is missing: #VSE lines are looked at on the node only",
                        "vse install --scheduler openpbs --role submit");
    }

    private Finding gate(Path hooks) {
        return host.text(OpenPbsInstallation.GATE).equals(host.text(hooks.resolve("vse_gate.PY")))
                        && host.text(OpenPbsInstallation.GATE).isPresent()
                ? attributes(hooks.resolve("vse_gate.HK"), List.of("queuejob", "modifyjob"), 1, IMPORT)
                : Look.failed("the server's hook vse_gate is not that of this version", MEND);
    }

    private Finding node(Path hooks, String mend) {
        boolean ours = host.text(hooks.resolve("vse_node.PY"))
                .filter(text -> text.contains("by 'vse install'"))
                .isPresent();
        return ours
                ? attributes(hooks.resolve("vse_node.HK"), NODE_EVENTS, PATIENCE, mend)
                : Look.failed(
                        "there is no hook vse_node in " + hooks + ": jobs with #VSE lines run on the node itself",
                        mend);
    }

    /** The attributes of a hook as OpenPBS keeps them: {@code name=value} on each line; the defaults are not there. */
    private Finding attributes(Path file, List<String> events, int patience, String mend) {
        String text = host.text(file).orElse("");
        List<String> has = List.of(value(text, "event").split(",", -1));
        if (!has.containsAll(events)) {
            return Look.failed(file + ": event lacks some of " + String.join(",", events), mend);
        }
        if (value(text, "enabled").matches("(?i)false|0")) {
            return Look.failed(file + ": the hook is not enabled", "qmgr -c 'set hook vse_node enabled = true'");
        }
        String alarm = value(text, "alarm");
        int seconds = alarm.matches("[0-9]{1,8}") ? Integer.parseInt(alarm) : 30;
        return seconds >= patience
                ? Look.ok(file.toString())
                : Look.failed(
                        file + ": alarm is " + seconds + " s: jobs whose machines take longer start again and again",
                        "qmgr -c 'set hook vse_node alarm = 1500'");
    }

    private static String value(String text, String name) {
        Matcher line = Pattern.compile("(?m)^" + name + "=\"?([^\"\n]*)\"?$").matcher(text);
        return line.find() ? line.group(1) : "";
    }

    private Finding resources(Path home) {
        String text = host.text(home.resolve("server_priv/resourcedef")).orElse("");
        for (String name : List.of("vse_image", "vse_lines")) {
            if (!text.lines().anyMatch(line -> line.startsWith(name + " "))) {
                return Look.failed("there is no resource '" + name + "': qsub cannot send #VSE lines along", IMPORT);
            }
        }
        return Look.ok("vse_image, vse_lines");
    }
}

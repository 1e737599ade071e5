package org.vse.job.install;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding;
import org.vse.scheduler.pbs.PbsForms;

/** What keeps TORQUE from calling the hooks as they have to be called. Looks and changes nothing. */
final class TorqueDiagnosis {
    private static final String MEND = "vse install --scheduler torque, then restart pbs_mom";

    private final InstallPlan.Host host;

    TorqueDiagnosis(InstallPlan.Host host) {
        this.host = host;
    }

    List<Doctor.Line> examine(List<Role> roles) {
        Optional<Path> found = TorqueInstallation.home(host);
        if (found.isEmpty()) {
            return List.of(new Doctor.Line(
                    "torque-home", Look.failed("there is no TORQUE here", "install it, or set TORQUE_HOME")));
        }
        Path home = found.get();
        List<Doctor.Line> lines = new ArrayList<>();
        if (roles.contains(Role.SUBMIT)) {
            lines.add(new Doctor.Line("torque-filter", filter(home.resolve("torque.cfg"))));
            lines.add(new Doctor.Line("torque-policy", Look.policy(host, TorqueInstallation.POLICY)));
        }
        if (roles.contains(Role.NODE)) {
            Path priv = home.resolve("mom_priv");
            lines.add(new Doctor.Line("torque-prologue", program(priv.resolve("prologue"))));
            lines.add(new Doctor.Line("torque-epilogue", program(priv.resolve("epilogue"))));
            KeyedText config = config(priv.resolve("config"));
            lines.add(new Doctor.Line("torque-starter", starter(config)));
            lines.add(new Doctor.Line("torque-prologalarm", alarm(config)));
        }
        if (roles.contains(Role.HEAD)) {
            Path server = home.resolve("server_priv/serverdb");
            lines.add(new Doctor.Line("torque-down-on-error", downOnError(server)));
            lines.add(new Doctor.Line("torque-requeue", requeue(server)));
        }
        return lines;
    }

    /** The block of the installation counts here, unlike for the installation itself. */
    private KeyedText config(Path file) {
        return new KeyedText(
                file.toString(), KeyedText.Form.BLANK, host.text(file).orElse(""));
    }

    private Finding filter(Path cfg) {
        Path ours = TorqueInstallation.HOOKS.resolve("filter");
        String set = config(cfg).value(TorqueInstallation.FILTER);
        return set.equals(ours.toString()) && host.text(ours).isPresent()
                ? Look.ok(TorqueInstallation.FILTER + " " + ours)
                : Look.failed(
                        cfg + ": SUBMITFILTER is '" + set + "': #VSE lines are looked at on the node only",
                        "vse install --scheduler torque --role submit");
    }

    /** pbs_mom runs only what is root's own, can be executed, and can be changed by nobody else. */
    private Finding program(Path path) {
        if (host.text(path).filter(HookText::isOurs).isEmpty()) {
            return Look.failed(path + " is not ours: jobs with #VSE lines do not get their machines", MEND);
        }
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(host.at(path), LinkOption.NOFOLLOW_LINKS);
            boolean fit = mode.contains(PosixFilePermission.OWNER_EXECUTE)
                    && !mode.contains(PosixFilePermission.GROUP_WRITE)
                    && !mode.contains(PosixFilePermission.OTHERS_WRITE);
            return fit
                    ? Look.ok(path.toString())
                    : Look.failed(path + " has a mode with which pbs_mom does not run it", "chmod 755 " + path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Finding starter(KeyedText config) {
        String ours = TorqueInstallation.HOOKS.resolve("starter").toString();
        String set = config.value(TorqueInstallation.STARTER);
        return set.equals(ours) && host.text(Path.of(ours)).isPresent()
                ? Look.ok(TorqueInstallation.STARTER + " " + ours)
                : Look.failed("$job_starter is '" + set + "': scripts run on the node itself", MEND);
    }

    private static Finding alarm(KeyedText config) {
        long seconds = TorqueInstallation.seconds(config.value(TorqueInstallation.ALARM));
        return seconds >= TorqueInstallation.PATIENCE
                ? Look.ok(TorqueInstallation.ALARM + " " + seconds)
                : Look.failed("$prologalarm is shorter than machines may take: jobs start again and again", MEND);
    }

    /** From the server's own file, in which an attribute that was never set has no line; the default is true. */
    private Finding downOnError(Path serverdb) {
        return has(serverdb, "down_on_error", "false")
                ? Look.ok("down_on_error = False")
                : Look.warning(
                        "down_on_error is not off: a prologue of the site's that fails takes the node down until"
                                + " 'momctl -q clearmsg'",
                        "qmgr -c 'set server down_on_error = False'");
    }

    private Finding requeue(Path serverdb) {
        String set = "automatic_requeue_exit_code = " + PbsForms.SAVED;
        return has(serverdb, "automatic_requeue_exit_code", Integer.toString(PbsForms.SAVED))
                ? Look.ok(set)
                : Look.warning(
                        "the server has no " + set + ": a job whose VMs were saved does not start again by itself",
                        "qmgr -c 'set server " + set + "'");
    }

    private boolean has(Path serverdb, String attribute, String value) {
        return Pattern.compile("<" + attribute + ">\\s*" + value + "\\s*<", Pattern.CASE_INSENSITIVE)
                .matcher(host.text(serverdb).orElse(""))
                .find();
    }
}

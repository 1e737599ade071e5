package org.vse.job.install;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vse.job.doctor.Doctor;
import org.vse.job.doctor.Finding;

/** What keeps Grid Engine from calling the hooks as they have to be called. Looks and changes nothing. */
final class GridEngineDiagnosis {
    private static final String MEND = "vse install --scheduler gridengine";

    private final InstallPlan.Host host;
    private final Qmaster qmaster;

    GridEngineDiagnosis(InstallPlan.Host host, Qmaster qmaster) {
        this.host = host;
        this.qmaster = qmaster;
    }

    /**
     * One line for each thing that was looked at.
     *
     * @param roles what the host is
     */
    List<Doctor.Line> examine(List<Role> roles) {
        if (!qmaster.isThere()) {
            return List.of(line(
                    "gridengine-cell",
                    Look.failed("there is no " + qmaster.common(), "install and configure Grid Engine on this host")));
        }
        List<Doctor.Line> lines = new ArrayList<>();
        if (host.root().getNameCount() == 0) {
            lines.add(line("gridengine-qmaster", answers()));
        }
        if (roles.contains(Role.NODE)) {
            lines.add(line("gridengine-hooks", hooks()));
        }
        if (roles.contains(Role.HEAD) || roles.contains(Role.SUBMIT)) {
            lines.add(line("gridengine-gate", gate()));
            lines.add(line("gridengine-policy", Look.policy(host, GridEngineInstallation.POLICY)));
        }
        if (roles.contains(Role.HEAD)) {
            lines.add(line("gridengine-queues", queues()));
        }
        return lines;
    }

    private Finding answers() {
        return qmaster.answers()
                ? Look.ok("qconf and qstat are answered")
                : Look.failed(
                        "the qmaster does not answer this host: prologs cannot ask about their jobs",
                        "on the qmaster: qconf -as HOST");
    }

    private Finding hooks() {
        List<String> lacks = GridEngineInstallation.PROGRAMS.stream()
                .map(GridEngineInstallation.HOOKS::resolve)
                .filter(path -> host.text(path).filter(HookText::isOurs).isEmpty())
                .map(Path::toString)
                .toList();
        return lacks.isEmpty()
                ? Look.ok(GridEngineInstallation.HOOKS.toString())
                : Look.failed(
                        String.join(", ", lacks) + " missing: the first job takes every queue from this host",
                        MEND + " --role node");
    }

    private Finding gate() {
        GridEngineInstallation installation = new GridEngineInstallation(host);
        Optional<String> request = host.text(installation.request());
        if (request.filter(text -> text.contains(installation.gateLine())).isEmpty()) {
            return Look.failed(
                    installation.request() + " does not name the gate: #VSE lines are judged on nodes only", MEND);
        }
        return host.text(installation.gate()).isPresent()
                ? Look.ok("-jsv " + installation.gate())
                : Look.failed(installation.gate() + " is missing: nothing can be submitted", MEND);
    }

    private Finding queues() {
        List<String> without = qmaster.queues().stream()
                .filter(name -> !qmaster.queue(name).isInstalled())
                .toList();
        return without.isEmpty()
                ? Look.ok("every queue calls the hooks")
                : Look.failed("without the hooks: " + String.join(", ", without), MEND + " --role head");
    }

    private static Doctor.Line line(String check, Finding finding) {
        return new Doctor.Line(check, finding);
    }
}
